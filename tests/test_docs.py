"""The documents say what there is, and only that."""

import ast
import configparser
import re
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import click
import pytest

import rag
from rag.cli import app
from rag.cli.printing import answer_text
from rag.settings import Settings

ROOT = Path(__file__).parents[1]
FOLDERS = ("rag", "evals", "training", "prompts", "seeds", "tests", "docs")


def text_of(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


SYSTEMS = ("dense", "tokens", "without")
"""Of "rag dense alone" and the like, which are searches that were measured."""

README = text_of("README.md")
MAKEFILE = text_of("Makefile")
DOCUMENTS = sorted(
    path.relative_to(ROOT).as_posix()
    for path in [*ROOT.glob("*.md"), *(p for name in FOLDERS for p in (ROOT / name).rglob("*.md"))]
    if "node_modules" not in path.parts and "recordings" not in path.parts
)


def code_in(text: str) -> Iterator[str]:
    """Every line of a code block, and every code span, which may go on in the next line."""
    for part in re.split(r"^(```.*?^```)", text, flags=re.MULTILINE | re.DOTALL):
        if part.startswith("```"):
            yield from part.splitlines()[1:-1]
        else:
            yield from re.findall(r"^    (.+)$", part, re.MULTILINE)
            yield from (" ".join(span.split()) for span in re.findall(r"`([^`]+)`", part))


# ---- commands and settings --------------------------------------------------------------


def test_every_command_is_in_the_readme() -> None:
    assert all(f"rag {name}" in README for name in app.commands)


@pytest.mark.parametrize("field", sorted(Settings.model_fields))
def test_every_setting_is_in_the_table(field: str) -> None:
    name = field.upper() if field == "openai_api_key" else f"RAG_{field.upper()}"
    assert f"| `{name}` |" in README


@pytest.mark.parametrize("document", ["README.md", "CONTRIBUTING.md", "compose.yaml", "Dockerfile"])
def test_no_setting_is_named_that_does_not_exist(document: str) -> None:
    known = {f"RAG_{field.upper()}" for field in Settings.model_fields}
    assert set(re.findall(r"RAG_[A-Z_]+", text_of(document))) <= known


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_command_in_a_document_can_be_run(document: str) -> None:
    for code in code_in(text_of(document)):
        for target in re.findall(r"(?:^|\s)make ([a-z]+)\b", code):
            assert re.search(rf"^{target}:", MAKEFILE, re.MULTILINE), code
        for module in re.findall(r"python3? -m ([\w.]+)", code):
            assert find_spec(module), code
        asked = re.match(r"(?:[A-Z_]+=\S+ )*(?:\S+/)?rag ([a-z]+)((?: .*)?)$", code)
        if asked and asked[1] not in SYSTEMS:
            check_command(asked[1], asked[2], code)


def check_command(name: str, rest: str, code: str) -> None:
    """A command of `rag`, with flags of its own; the evaluation parses its own."""
    assert name in app.commands, code
    command = app.commands[name]
    if isinstance(command, click.Group):
        named = re.match(r" ([a-z]+)", rest)
        assert not named or named[1] in command.commands, code
        return
    flags = {flag for parameter in command.params for flag in parameter.opts}
    assert set(re.findall(r"(?<= )--[a-z-]+", rest.partition("#")[0])) <= flags, code


def test_the_python_of_the_readme_uses_what_there_is() -> None:
    for block in re.findall(r"```python\n(.*?)```", README, re.DOTALL):
        for node in ast.walk(ast.parse(block)):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                if node.value.id == "rag":
                    assert node.attr in rag.__all__
                elif node.value.id == "answer":
                    assert node.attr in rag.Answer.__dataclass_fields__


# ---- files ------------------------------------------------------------------------------


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_file_that_a_document_names_is_there(document: str) -> None:
    text = text_of(document)
    for name in re.findall(r"\]\(((?!http)[^)#]+)\)", text):
        assert (ROOT / document).parent.joinpath(name).exists(), name
    for name in code_in(text):
        made = name.startswith("evals/runs/")
        if re.fullmatch(rf"(?:{'|'.join(FOLDERS)})/[\w./-]+\.\w+", name) and not made:
            assert (ROOT / name).exists(), name


# ---- the walk through the code ----------------------------------------------------------

ARCHITECTURE = text_of("docs/architecture.md")
STORIES = [
    re.findall(r"^\d+\. `([\w/]+\.py)` `([\w.]+)`:", story, re.MULTILINE)
    for story in ARCHITECTURE.split("## Story ")[1:]
]


def test_the_floors_are_those_of_the_linter() -> None:
    linter = configparser.ConfigParser()
    linter.read(ROOT / ".importlinter")
    layers = linter["importlinter:contract:floors"]["layers"].split("\n")[1:]
    (floors,) = re.findall(r"```text\n(.*?)```", ARCHITECTURE, re.DOTALL)
    assert [re.split(r" {2,}", floor)[0] for floor in floors.splitlines()] == layers


@pytest.mark.parametrize("story", STORIES)
def test_each_step_of_a_story_is_taken_from_an_earlier_one(story: list[tuple[str, str]]) -> None:
    assert len(story) >= 8
    before = ""
    for place, name in story:
        code = text_of(place)
        owner, _, method = name.rpartition(".")
        assert re.search(rf"^ *(?:async )?def {method}\(", code, re.MULTILINE), name
        assert not owner or re.search(rf"^class {owner}\b", code, re.MULTILINE), name
        if before:
            assert re.search(rf"^(?!\s*(?:from|import)\b).*\b{method}\b", before, re.MULTILINE), (
                name
            )
            assert place.endswith(("engine.py", "embedder.py", "store.py")) or (
                f"from {place.removesuffix('.py').replace('/', '.')} import" in before
            ), place
        before += code


# ---- the demo ---------------------------------------------------------------------------

DEMO = re.search(r"^export Q \?= (.+)$", MAKEFILE, re.MULTILINE)


@pytest.mark.slow
def test_the_demo_prints_what_the_readme_shows(tmp_path: Path) -> None:
    assert DEMO is not None
    with rag.open(tmp_path, Settings.read(model="none")) as engine:
        printed = answer_text(engine.ask(DEMO[1])).rpartition("\n")[0]
    shown = re.findall(r"^```\n([^`]*)\n\(quoted, [\d.]+ s\)\n```", README, re.MULTILINE)
    assert shown == [printed]
    assert DEMO[1] in README


# ---- the project's files ----------------------------------------------------------------


def test_the_constraints_name_no_registry() -> None:
    text = text_of(".ci/constraints.txt")
    assert "://" not in text
    assert text.count("--hash=sha256:") > 100


def test_no_test_imports_another() -> None:
    asks = re.compile(r"^\s*(?:from|import)\s+(?:\.|[\w.]+\.)?test_", re.MULTILINE)
    for path in (ROOT / "tests").rglob("*.py"):
        assert not asks.search(path.read_text(encoding="utf-8")), path


PACKAGES = [path.parent for top in ("rag", "evals", "training") for path in
            (ROOT / top).rglob("__init__.py")]  # fmt: skip


@pytest.mark.parametrize("package", PACKAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_the_map_of_a_package_names_each_file(package: Path) -> None:
    told = (package / "__init__.py").read_text(encoding="utf-8").partition('"""')[2]
    told = told.partition('"""')[0]
    names = [path.name for path in package.glob("*.py") if not path.name.startswith("__")]
    names += [f"{path.parent.name}/" for path in package.glob("*/__init__.py")]
    assert [name for name in names if name not in told] == []
