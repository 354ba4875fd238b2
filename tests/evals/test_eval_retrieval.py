"""`rag eval retrieval` draws its pools as it says, and its figures mean what they say."""

import gzip
import json
import math
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from command_line import rag_command

from evals.retrieval.articles import DEPTHS, article_pool
from evals.retrieval.figures import Asked, agreement, figures, means, rank_scores
from evals.retrieval.report import Report, markdown, tables
from evals.retrieval.run import main, measure
from evals.retrieval.sets import SETS, STORED, Passage, Pool, Question, load_pool
from evals.retrieval.systems import KeptE5, KeptVectors, Search, all_systems
from rag.errors import InputError

PUBLIC = os.environ.get("QUESTION_SETS", "")
"""A folder with the public sets, where there is one; read before fixtures change anything."""
ROWS = [
    "plain dense",
    "langchain Chroma",
    "plain dense by language",
    "BM25",
    "latent terms",
    "rag",
    "rag dense alone",
    "rag tokens alone",
    "rag without sentence",
    "rag without tokens",
    "rag without particulars",
    "rag without cross_encoder",
    "rag and BM25",
    "rag and latent terms",
]

FACTS = {
    "bees": {
        "en": (
            "Honey bees dance to tell where flowers are.",
            "How do bees tell where flowers are?",
        ),
        "de": ("Honigbienen tanzen, um zu zeigen, wo Blumen stehen.", "Warum tanzen Bienen?"),
        "tr": ("Bal arıları çiçeklerin yerini dans ederek anlatır.", "Arılar neden dans eder?"),
    },
    "iron": {
        "en": ("Iron melts at 1,538 degrees Celsius.", "At what heat does iron melt?"),
        "de": ("Eisen schmilzt bei 1538 Grad Celsius.", "Wann schmilzt Eisen?"),
        "tr": ("Demir 1538 santigrat derecede erir.", "Demir kaç derecede erir?"),
    },
    "tea": {
        "en": ("Green tea leaves are steamed and not fermented.", "How is green tea made?"),
        "de": ("Grüner Tee wird gedämpft und nicht fermentiert.", "Wie wird grüner Tee gemacht?"),
        "tr": ("Yeşil çay buharda tutulur, fermente edilmez.", "Yeşil çay nasıl yapılır?"),
    },
}


def lines(rows: Sequence[dict[str, Any]]) -> str:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def passage_rows() -> list[dict[str, Any]]:
    return [
        {"id": f"{name}:{lang}", "lang": lang, "text": text, "group": name}
        for name, fact in FACTS.items()
        for lang, (text, _) in fact.items()
    ]


def question_rows(task: str = "qa") -> list[dict[str, Any]]:
    return [
        {
            "id": f"{name}:{lang}>{lang}",
            "task": task,
            "lang_question": lang,
            "question": question,
            "passage_id": f"{name}:{lang}",
            "group": f"{name}?",
        }
        for name, fact in FACTS.items()
        for lang, (_, question) in fact.items()
    ]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A set of three facts in three languages: one file packed, the other plain."""
    packed = gzip.compress(lines(passage_rows()).encode())
    (tmp_path / "tiny.passages.jsonl.gz").write_bytes(packed)
    (tmp_path / "tiny.questions.jsonl").write_text(lines(question_rows()), encoding="utf-8")
    return tmp_path


# Pools


def test_each_passage_is_stored_in_one_language_and_languages_are_even(folder: Path) -> None:
    pool = load_pool(folder, "tiny")
    assert sorted(passage.group for passage in pool.passages) == sorted(FACTS)
    assert sorted(passage.lang for passage in pool.passages) == ["de", "en", "tr"]
    assert len(pool.questions) == 9
    for question in pool.questions:
        right = next(each for each in pool.passages if each.id == question.passage)
        assert (right.lang, f"{right.group}?") == (question.passage_lang, question.group)


def test_a_seed_draws_the_same_pool_again_and_another_seed_another(folder: Path) -> None:
    pools = [load_pool(folder, "tiny", seed) for seed in range(8)]
    assert pools[3] == load_pool(folder, "tiny", 3)
    assert len({tuple(sorted(each.id for each in pool.passages)) for pool in pools}) > 1


def test_a_limit_keeps_whole_groups_and_is_even_over_stored_languages(folder: Path) -> None:
    questions = load_pool(folder, "tiny", limit=6).questions
    assert len(questions) == 6
    assert set(Counter(each.group for each in questions).values()) == {3}
    assert len({each.passage_lang for each in questions}) == 2


def test_a_sentence_is_not_searched_in_its_own_language(folder: Path) -> None:
    rows = lines(question_rows("retrieval"))
    (folder / "tiny.questions.jsonl").write_text(rows, encoding="utf-8")
    questions = load_pool(folder, "tiny").questions
    assert len(questions) == 6
    assert all(each.lang != each.passage_lang for each in questions)


def test_questions_that_no_passage_answers_are_left_out(folder: Path) -> None:
    rows = question_rows("abstain")[:3] + question_rows()[3:]
    (folder / "tiny.questions.jsonl").write_text(lines(rows), encoding="utf-8")
    assert len(load_pool(folder, "tiny").questions) == 6
    (folder / "tiny.questions.jsonl").write_text(lines(rows[:3]), encoding="utf-8")
    with pytest.raises(InputError, match="no question of tiny has the task"):
        load_pool(folder, "tiny")


@pytest.mark.parametrize(
    ("kind", "line", "fault"),
    [
        ("passages", "{", "line 2 is no JSON"),
        ("passages", "[]", "line 2 is no JSON object"),
        ("passages", "", "line 2 is no JSON"),
        ("passages", '{"id": "x", "lang": "en"}', "line 2: text must be text, not None"),
        ("passages", json.dumps(passage_rows()[0]), "line 2: the passage 'bees:en' stands there"),
        ("questions", '{"id": "x"}', "line 2: task must be text"),
        (
            "questions",
            json.dumps(question_rows()[0] | {"passage_id": "none"}),
            "line 2: no passage has the id 'none'; add it",
        ),
    ],
)
def test_a_bad_line_is_named(folder: Path, kind: str, line: str, fault: str) -> None:
    rows = passage_rows() if kind == "passages" else question_rows()
    (folder / "tiny.passages.jsonl.gz").write_bytes(gzip.compress(lines(passage_rows()).encode()))
    path = folder / f"tiny.{kind}.jsonl"
    path.with_name(f"{path.name}.gz").unlink(missing_ok=True)
    first, *rest = lines(rows).splitlines()
    path.write_text("\n".join([first, line, *rest]), encoding="utf-8")
    with pytest.raises(InputError, match=f"{re.escape(str(path))}.*{re.escape(fault)}") as raised:
        load_pool(folder, "tiny")
    assert "\n" not in str(raised.value)


def test_a_missing_set_and_a_broken_file_are_named(folder: Path) -> None:
    with pytest.raises(InputError, match=r"has no other\.passages\.jsonl\.gz; put it there"):
        load_pool(folder, "other")
    (folder / "tiny.passages.jsonl.gz").write_bytes(b"no gzip")
    with pytest.raises(InputError, match=r"tiny\.passages\.jsonl\.gz cannot be read"):
        load_pool(folder, "tiny")


@pytest.mark.skipif(not PUBLIC, reason="QUESTION_SETS names no folder of the public sets")
@pytest.mark.parametrize("name", SETS)
def test_the_public_sets_give_full_and_even_pools(name: str) -> None:
    pool = load_pool(Path(PUBLIC), name)
    stored = Counter(passage.lang for passage in pool.passages)
    assert max(stored.values()) - min(stored.values()) <= 1
    assert sorted(stored) == sorted(STORED.get(name, stored))
    assert {each.passage for each in pool.questions} <= {each.id for each in pool.passages}
    if name in STORED:
        cells = Counter((each.lang, each.passage_lang) for each in pool.questions)
        assert min(cells.values()) >= 50


# Figures


def question(lang: str, passage: str, group: str = "g") -> Question:
    return Question("?", lang, group, passage, passage[-2:])


def asked(lang: str, passage: str, *found: str, group: str = "g", seconds: float = 0.0) -> Asked:
    each = question(lang, passage, group)
    return Asked(each, found, rank_scores(each, found), seconds)


def test_scores_of_a_rank_are_those_worked_by_hand() -> None:
    found = [f"{letter}-en" for letter in "abcdefghij"]
    first, third, sixth, none = (
        rank_scores(question("en", f"{letter}-en"), found) for letter in "acfx"
    )
    assert set(first.values()) == {1.0}
    assert third == {"R@1": 0, "R@5": 1, "R@10": 1, "MRR": 1 / 3, "nDCG@10": 0.5}
    assert sixth == {"R@1": 0, "R@5": 0, "R@10": 1, "MRR": 1 / 6, "nDCG@10": 1 / math.log2(7)}
    assert set(none.values()) == {0.0}


def test_questions_on_one_passage_count_as_one_cluster() -> None:
    one = [asked("en", "a-en", "a-en"), asked("de", "a-en", "a-en")]
    two = [asked("en", "b-en", "a-en"), asked("de", "b-en", "a-en")]
    figure = means([*one, *two])["R@1"]
    assert (figure.mean, figure.n, figure.se) == (0.5, 4, 0.5)
    assert means([]) == {}


def test_languages_are_compared_by_cell_and_by_the_first_hit() -> None:
    passages = [Passage("a-en", "en", "", "a"), Passage("b-de", "de", "", "b")]
    pool = Pool("mixed", passages, [question("en", "a-en")] * 9)
    measured = figures(
        pool,
        "one",
        [
            asked("en", "a-en", "a-en", "b-de", group="1", seconds=0.001),
            asked("de", "a-en", "b-de", "a-en", group="1", seconds=0.002),
            asked("tr", "a-en", "a-en", group="1", seconds=0.009),
            asked("en", "b-de", "b-de", group="2", seconds=0.003),
            asked("en", "b-de", "a-en", "b-de", group="3", seconds=0.004),
            asked("de", "b-de", "b-de", group="2", seconds=0.005),
        ],
    )
    assert {name: cell["R@1"].mean for name, cell in measured.cells.items()} == {
        "en>en": 1.0, "de>en": 0.0, "tr>en": 1.0, "en>de": 0.5, "de>de": 1.0,
    }  # fmt: skip
    assert (measured.worst, measured.cells[measured.best]["R@1"].mean) == ("de>en", 1.0)
    assert (measured.all["R@1"].mean, measured.all["R@1"].n) == (4 / 6, 6)
    assert (measured.across["R@1"].mean, measured.across["R@1"].n) == (0.5, 4)
    assert (measured.own_language, measured.fair) == (4 / 6, 2 / 6)
    assert measured.all_agree.mean == 0.5
    assert measured.pairs_agree.mean == pytest.approx(2 / 3)
    assert (measured.median_ms, measured.p95_ms, measured.planned) == (3.0, 9.0, 9)


def test_groups_agree_by_their_first_hit_alone() -> None:
    three = [
        asked(lang, "a-en", first, "x", group="1") for lang, first in zip("abc", "ppq", strict=True)
    ]
    silent = [asked(lang, "a-en", group="2") for lang in "ab"]
    alone = asked("a", "a-en", "p", group="3")
    assert agreement([*three, *silent, alone]) == [pytest.approx(1 / 3), 0.0]


def test_one_stored_language_has_no_own_language() -> None:
    pool = Pool("one", [Passage("a-he", "he", "", "a")], [question("he", "a-he")])
    measured = figures(pool, "rag", [asked("he", "a-he", "a-he")])
    assert (measured.cells, measured.across, measured.own_language, measured.fair) == (
        {}, {}, None, None,
    )  # fmt: skip
    assert measured.all_agree.mean is None


# Runs


class Fake:
    """Finds the right passage first; Ctrl-C is pressed at one question."""

    name = "fake"

    def __init__(self, stop: str = "") -> None:
        self.stop = stop

    @contextmanager
    def index(self, pool: Pool) -> Iterator[Search]:
        right = {each.question: each.passage for each in pool.questions}
        seen: Counter[str] = Counter()

        def search(question: str, k: int) -> list[str]:
            seen[question] += 1
            if question == self.stop and seen[question] > 1:
                raise KeyboardInterrupt
            return [right[question]]

        yield search


def test_an_interrupted_run_keeps_what_it_measured(folder: Path) -> None:
    pool = load_pool(folder, "tiny")
    measured: list[Any] = []
    systems = [Fake(), Fake(stop=pool.questions[4].question), Fake()]
    assert not measure([(pool, rank_scores)], systems, measured)
    assert [each.all["R@1"].n for each in measured] == [9, 4]
    assert [each.planned for each in measured] == [9, 9]


def test_tables_hold_every_set_system_and_cell(folder: Path) -> None:
    measured: list[Any] = []
    assert measure([(load_pool(folder, "tiny"), rank_scores)], [Fake()], measured)
    shown = tables(measured)
    assert [len(rows) for rows in shown.values()] == [2, 2, 2, 2, 4]
    assert all(len({len(row) for row in rows}) == 1 for rows in shown.values())
    page = markdown(Report("rag eval retrieval FOLDER", 2, tuple(measured)))
    assert "| tiny | fake | 9 | 1.000 ±.000 |" in page
    assert "Made by `rag eval retrieval FOLDER` on 2 cores." in page


@pytest.mark.slow
def test_every_system_finds_the_facts_and_all_is_written(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    (folder / ".env").write_text("RAG_EMBEDDINGS=openai:none\nRAG_CHROMA_URL=http://10.0.0.1\n")
    monkeypatch.setenv("RAG_STORE", str(folder / "mine"))
    arguments = [str(folder), "--sets", "tiny", "--json", "out/all.json", "--markdown", "all.md"]
    assert main(arguments) == 0
    report = json.loads((folder / "out" / "all.json").read_text(encoding="utf-8"))
    by_system = {each["system"]: each for each in report["measured"]}
    assert list(by_system) == ROWS
    assert by_system["rag"]["all"]["R@1"]["mean"] == 1.0
    for each in by_system.values():
        assert each["all"]["R@10"] == {"mean": 1.0, "n": 9, "se": 0.0}
        assert (len(each["cells"]), each["planned"], each["passages"]) == (9, 9, 3)
    assert by_system["plain dense"]["all"] == by_system["langchain Chroma"]["all"]
    assert "langchain Chroma" in capsys.readouterr().out
    page = (folder / "all.md").read_text(encoding="utf-8")
    assert "`rag eval retrieval FOLDER --sets tiny`" in page
    assert str(folder) not in page
    assert not (folder / "mine").exists()


@pytest.mark.slow
def test_json_can_be_all_that_is_printed_and_vectors_are_kept(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = folder / "vectors.sqlite"
    arguments = [str(folder), "--sets", "tiny", "--limit", "3", "--vectors", str(kept)]
    assert main([*arguments, "--systems", "plain dense", "--json", "-"]) == 0
    (measured,) = json.loads(capsys.readouterr().out)["measured"]
    assert (measured["system"], measured["all"]["MRR"]["n"]) == ("plain dense", 3)
    assert kept.exists()


@pytest.mark.slow
def test_all_systems_are_asked_about_the_same_passages_of_the_articles(tmp_path: Path) -> None:
    embeddings = KeptE5(KeptVectors(tmp_path / "vectors.sqlite"))
    pool, scores = article_pool(embeddings, limit=2)
    everything = [passage.id for passage in pool.passages]
    product = next(each for each in all_systems(embeddings) if each.name == "rag")
    with product.index(pool) as search:
        assert set(search(pool.questions[0].question, 100)) == set(everything)
    for each in pool.questions:
        assert list(scores(each, everything)) == [f"top {k}" for k in DEPTHS]
        assert set(scores(each, []).values()) == {0.0}


def test_the_command_says_what_it_cannot_do(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--help"]) == 0
    assert main([]) == 2
    assert main([str(folder), "--limit", "0"]) == 2
    assert "--limit" in capsys.readouterr().err
    with pytest.raises(InputError, match="--systems 'x' is none of plain dense, langchain"):
        main([str(folder), "--systems", "x"])
    with pytest.raises(InputError, match=r"has no xquad\.passages"):
        main([str(folder)])


# The command line


def test_a_missing_folder_is_one_line_and_bad_input(tmp_path: Path) -> None:
    done = rag_command("eval", "retrieval", str(tmp_path / "none"))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1
    assert "has no xquad.passages.jsonl.gz" in done.stderr


@pytest.mark.parametrize("words", [["eval", "run"], ["eval"]])
def test_without_a_command_the_questions_are_asked(words: list[str]) -> None:
    done = rag_command(*words, "--limit", "0", RAG_MODEL="none")
    assert done.returncode == 2
    assert "Usage: rag eval run" in done.stderr
    assert "--limit" in done.stderr


def test_help_lists_the_commands_and_each_has_its_own() -> None:
    assert all(name in rag_command("eval", "--help").stdout for name in ("run", "retrieval"))
    assert "--retrieval-only" in rag_command("eval", "run", "--help").stdout
    assert "--markdown" in rag_command("eval", "retrieval", "--help").stdout


@pytest.mark.slow
def test_help_loads_nothing_heavy() -> None:
    heavy = "numpy, rich, chromadb, langchain_core, pydantic, evals"
    program = (
        "import sys; from rag.cli import app; app(['eval', '--help'], standalone_mode=False);"
        f"sys.exit(sum(name in sys.modules for name in '{heavy}'.split(', ')))"
    )
    assert subprocess.run([sys.executable, "-c", program], capture_output=True).returncode == 0
