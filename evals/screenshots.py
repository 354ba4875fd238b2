"""Pictures of the chat page over the project's own articles, to look at and for the README.

    python -m evals.screenshots build/screenshots [--docs]

Each is a visit of its own to the real page in Chromium; `--docs` also writes those of the
README, as WebP, to `docs/`.
"""

import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import click
from PIL import Image
from playwright.sync_api import Browser, Locator, expect
from rich.console import Console

from evals.browsing import Chat, browser, serving
from rag.engine import Rag
from rag.errors import InputError, RagError
from rag.resources import evals_folder
from rag.settings import Settings

LARGEST = 150_000
"""Bytes that a picture of the README may have."""
DESK, PHONE = (1280, 860), (360, 740)
SCRIPTS = {"zh": "fonts-noto-cjk", "ar": "fonts-noto-core", "he": "fonts-noto-core"}
"""Languages whose letters are in the pictures, and Debian's package that draws them."""

ENGLISH = "How large was trade between China and Kazakhstan in 2023?"
HEBREW = "מתי ביקר שי ג'ינפינג בקזחסטן?"
ARABIC = "ما الذي اتفقت عليه الصين وقازاقستان؟"
POLISH = "O czym Xi Jinping i Tokajew rozmawiali przez telefon?"
TURKISH = "Özbekistan ile Kazakistan kaç belge imzaladı?"
CHINESE = "中国和哈萨克斯坦签署了哪些文件？"
MIXED = "מה אמרו Xi Jinping ו-Tokayev (習近平, توكاييف) על סחר של 41 מיליארד דולר ב-2023?"
UNANSWERED = "What is the price of gold in Peru?"


@dataclass(frozen=True, slots=True)
class Scene:
    """What a picture shows: a page, what is done on it, and where it is seen."""

    name: str
    play: Callable[[Chat], object]
    lang: str = "en"
    schemes: Sequence[str] = ("light", "dark")
    size: tuple[int, int] = DESK
    docs: str = ""
    """The scheme in which the README shows it."""


def _asks(*questions: str) -> Callable[[Chat], object]:
    return lambda chat: [_asked(chat, each) for each in questions]


def _asked(chat: Chat, question: str) -> Locator:
    turn = chat.ask(question)
    turn.scroll_into_view_if_needed()
    return turn


def _opens_card(question: str, number: int = 0) -> Callable[[Chat], object]:
    return lambda chat: chat.open_card(chat.mark(_asked(chat, question), number))


def _opens_source(question: str, number: int = 0) -> Callable[[Chat], object]:
    return lambda chat: chat.open_source(chat.mark(_asked(chat, question), number))


def _opens_proof(question: str) -> Callable[[Chat], object]:
    def play(chat: Chat) -> None:
        chat.open_proof(_asked(chat, question)).scroll_into_view_if_needed()

    return play


def _opens_tab(name: str) -> Callable[[Chat], object]:
    def play(chat: Chat) -> None:
        shown = chat.tab(name).locator("table, .note").first
        expect(shown).to_be_visible()

    return play


LIGHT, DARK = ("light",), ("dark",)
SCENES = (
    Scene("empty", lambda chat: None),
    Scene("en", _asks(ENGLISH)),
    Scene("he", _asks(HEBREW), "he"),
    Scene("ar", _asks(ARABIC), "ar"),
    Scene("pl", _asks(POLISH), "pl"),
    Scene("tr", _asks(TURKISH), "tr"),
    Scene("ru", lambda chat: None, "ru", LIGHT),
    Scene("zh", _asks(CHINESE), schemes=LIGHT),
    Scene("mixed", _asks(MIXED)),
    Scene("mixed-he", _asks(MIXED, ENGLISH), "he", LIGHT),
    Scene("abstention", _asks(UNANSWERED), docs="light"),
    Scene("card", _opens_card(ENGLISH), docs="light"),
    Scene("card-he", _opens_card(HEBREW), "he"),
    Scene("source", _opens_source(ENGLISH), docs="light"),
    Scene("source-he", _opens_source(HEBREW), "he", docs="dark"),
    Scene("source-ar", _opens_source(ARABIC), schemes=LIGHT),
    Scene("proof", _opens_proof(ENGLISH), docs="light"),
    Scene("proof-he", _opens_proof(HEBREW), "he", LIGHT),
    Scene("sources", _opens_tab("sources"), docs="light"),
    Scene("sources-ar", _opens_tab("sources"), "ar", LIGHT),
    Scene("phone", _asks(HEBREW), "he", size=PHONE),
    Scene("phone-empty", lambda chat: None, schemes=LIGHT, size=PHONE),
    Scene("phone-card", _opens_card(ENGLISH), schemes=LIGHT, size=PHONE),
    Scene("phone-source", _opens_source(ENGLISH), schemes=LIGHT, size=PHONE),
    Scene("phone-sources", _opens_tab("sources"), schemes=LIGHT, size=PHONE),
)


@click.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option("--docs", is_flag=True, help="Write the pictures of the README to docs/ too.")
@click.option("--only", multiple=True, metavar="NAME", help="Take these scenes alone.")
def main(folder: Path, docs: bool, only: tuple[str, ...]) -> None:
    """Take every picture into FOLDER, as NAME-light.png and NAME-dark.png."""
    console = Console(stderr=True, highlight=False)
    try:
        for path in take(folder, _scenes(only)):
            console.print(str(path), markup=False)
            if docs and path.stem in _of_the_readme():
                console.print(str(shrink(path, evals_folder().parent / "docs")), markup=False)
    except RagError as error:
        raise click.ClickException(str(error)) from error


def take(folder: Path, scenes: Sequence[Scene] = SCENES) -> Iterator[Path]:
    """Take the pictures of the scenes one by one; yields each file that was written.

    Raises InputError where a font is missing, SettingsError without Chromium.
    """
    _check_fonts()
    folder.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as store,
        Rag(Settings.read(model="embedded", store=Path(store))) as engine,
    ):
        engine.ingest()
        with serving(engine) as url, browser() as opened:
            for scene in scenes:
                for scheme in scene.schemes:
                    yield _taken(opened, url, scene, scheme, folder)


def shrink(picture: Path, folder: Path) -> Path:
    """The picture as WebP in a folder, with at most LARGEST bytes; raises InputError."""
    path = folder / f"page-{picture.stem.rpartition('-')[0]}.webp"
    with Image.open(picture) as image:
        for quality in (90, 80, 70, 60):
            image.save(path, quality=quality, method=6)
            if path.stat().st_size <= LARGEST:
                return path
    raise InputError(f"{path} has {path.stat().st_size:,} bytes, {LARGEST:,} is the most")


def _taken(opened: Browser, url: str, scene: Scene, scheme: str, folder: Path) -> Path:
    """One picture, of a visit by somebody who was never here."""
    width, height = scene.size
    context = opened.new_context(
        viewport={"width": width, "height": height},
        color_scheme="dark" if scheme == "dark" else "light",
        reduced_motion="reduce",
        locale=scene.lang,
    )
    path = folder / f"{scene.name}-{scheme}.png"
    try:
        chat = Chat.at(context.new_page(), url, scene.lang)
        scene.play(chat)
        expect(chat.page.locator("[aria-busy='true']")).to_have_count(0)
        chat.page.evaluate("document.fonts.ready")
        chat.page.screenshot(path=path, animations="disabled")
    finally:
        context.close()
    return path


def _scenes(names: Sequence[str]) -> list[Scene]:
    known = {scene.name for scene in SCENES}
    for name in names:
        if name not in known:
            raise InputError(f"there is no scene {name!r}; choose of {', '.join(sorted(known))}")
    return [scene for scene in SCENES if not names or scene.name in names]


def _of_the_readme() -> set[str]:
    return {f"{scene.name}-{scene.docs}" for scene in SCENES if scene.docs}


def _check_fonts() -> None:
    """Raises InputError for a script that this machine would draw as empty boxes."""
    if not shutil.which("fc-list"):
        return
    for lang, package in SCRIPTS.items():
        found = subprocess.run(
            ["fc-list", f":lang={lang}"], capture_output=True, text=True, check=False
        )
        if not found.stdout.strip():
            raise InputError(f"no font draws the language {lang!r}; install {package}")


if __name__ == "__main__":
    main()
