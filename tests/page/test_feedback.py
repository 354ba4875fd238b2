"""What readers think of answers is kept line by line, whole, and lists as new questions."""

import json
import threading
from pathlib import Path
from typing import Any

import pytest

from evals.candidates import listing, read_candidates
from rag.errors import InputError
from rag.page.chat.feedback import MAX_REASON, keep_feedback
from rag.records import Answer, Citation

QUOTE = "Szkoła w Brzegu ma 640 uczniów."
CITED = Citation(1, "school.txt", 0, len(QUOTE), QUOTE, lang="pl")
ANSWER = Answer("It has 640 pupils [1].", (CITED,), False, "en", (), model="none")
QUESTION = "How many pupils does the school in Brzeg have?"


def keep(folder: Path, **changes: Any) -> Path:
    told: dict[str, Any] = {"question": QUESTION, "history": (), "answer": ANSWER}
    return keep_feedback(folder, **{**told, "liked": False, "reason": "", **changes})


def test_a_line_holds_a_case_as_far_as_it_is_known(tmp_path: Path) -> None:
    path = keep(tmp_path / "new", history=[("q", "a")], reason=" It has more. ")
    (row,) = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    assert (row["lang"], row["question"], row["history"]) == ("en", QUESTION, [["q", "a"]])
    assert (row["evidence"], row["must"], row["liked"]) == ([], [], False)
    assert row["citations"][0]["quote"] == QUOTE
    assert (row["reason"], row["model"], row["answer"]) == ("It has more.", "none", ANSWER.text)


@pytest.mark.parametrize(
    "text", ["İıİ", "שָׁלוֹם", "سِلَع ٤١", "a\r\nb\u2028c", '"} {', "e\u0301", "\x1b[31m", "\u202eabc"]
)
def test_any_text_stays_one_line_and_itself(tmp_path: Path, text: str) -> None:
    path = keep(tmp_path, question=text, reason="x" * MAX_REASON + text)
    keep(tmp_path, question="next")
    first, second = read_candidates(path)
    assert (first["question"], second["question"]) == (text, "next")
    assert first["reason"] == "x" * MAX_REASON


def test_half_a_surrogate_pair_does_not_lose_the_line(tmp_path: Path) -> None:
    (row,) = read_candidates(keep(tmp_path, reason="bad \ud83d"))
    assert row["reason"] == "bad ?"


def test_writers_at_once_never_mix_their_lines(tmp_path: Path) -> None:
    long = "word " * 300
    threads = [
        threading.Thread(target=keep, args=(tmp_path,), kwargs={"reason": f"{i} {long}"})
        for i in range(20)
    ]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    reasons = [row["reason"] for row in read_candidates(tmp_path / "candidates.jsonl")]
    assert sorted(int(reason.split()[0]) for reason in reasons) == list(range(20))


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(InputError, match=r"candidates\.jsonl: feedback cannot be written there"):
        keep(tmp_path / "file")


def test_a_disliked_answer_is_listed_with_a_case_to_complete(tmp_path: Path) -> None:
    keep(tmp_path, liked=True)
    path = keep(tmp_path, history=[("q", "a")], reason="wrong\x1b[2J")
    shown = list(listing(read_candidates(path)))
    (case,) = [json.loads(line) for line in shown if line.lstrip().startswith("{")]
    assert (case["kind"], case["lang"], case["must"]) == ("follow_up", "en", [])
    assert case["evidence"] == [{"source": "school.txt", "quote": QUOTE}]
    assert not any("\x1b" in line for line in shown)


@pytest.mark.parametrize("line", ["{", "[]", '{"liked": true}'])
def test_a_file_of_something_else_is_refused(tmp_path: Path, line: str) -> None:
    path = tmp_path / "other.jsonl"
    path.write_text(line + "\n", encoding="utf-8")
    with pytest.raises(InputError, match="line 1 is no"):
        read_candidates(path)
