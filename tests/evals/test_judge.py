"""A chat model judges answers beside the known facts, and its agreement is told."""

import json
from pathlib import Path

import pytest
from chat_servers import ChatRequest, chat_server, chunk, refusing
from fake_engine import ABSTAINED, UNANSWERABLE, FakeEngine, answer, case, lines, write

from evals.judge import Judge, agreement, prompt
from evals.metrics import Scores
from evals.run import main
from rag.errors import InputError
from rag.settings import Settings


def verdict(to: ChatRequest) -> None:
    """Says "same" of an answer with 41 in it."""
    asked = to.body["messages"][-1]["content"].partition("<answer>")[2]
    text = json.dumps({"verdict": "same" if "41" in asked else "different"})
    to.send(200, chunk(text) + "data: [DONE]\n\n", "text/event-stream")


def test_the_judge_tells_a_right_answer_from_a_wrong_one() -> None:
    with chat_server(verdict) as (url, requests):
        judge = Judge(Settings.read(model="m", base_url=url))
        given = [answer("It was 41 billion [1]."), answer("It was 21 [1]."), ABSTAINED, None]
        assert [judge(case(), each, Scores()).judge for each in given] == [1.0, 0.0, 0.0, 0.0]
        assert judge(UNANSWERABLE, answer("41"), Scores()).judge is None
        assert len(requests) == 2


def test_the_judge_sees_the_evidence_and_no_marks() -> None:
    told = prompt(case(), answer("It was $41 billion [1]."))
    assert "Trade rose to 41 billion." in told
    assert "41 or forty-one" in told
    assert "It was $41 billion.\n</answer>" in told
    assert "$question" not in told


def test_what_is_no_verdict_is_not_judged() -> None:
    def chat(to: ChatRequest) -> None:
        to.send(200, chunk("I like both.") + "data: [DONE]\n\n", "text/event-stream")

    for play, fault in ((chat, "is no verdict"), (refusing(403), "check OPENAI_API_KEY")):
        with chat_server(play) as (url, _):
            judge = Judge(Settings.read(model="m", base_url=url))
            assert judge(case(), answer("41 billion"), Scores()).judge is None
        assert judge.unjudged == 1
        assert fault in judge.fault


def test_a_judge_needs_a_model() -> None:
    with pytest.raises(InputError, match="--judge needs a chat model"):
        Judge(Settings.read(model="none"))


def test_chance_alone_is_no_agreement() -> None:
    found = agreement([(1.0, 1.0), (1.0, 0.0), (0.0, 1.0), (0.0, 0.0)])
    assert found is not None
    assert (found.n, found.agreement, found.kappa) == (4, 0.5, 0.0)
    assert agreement([(1.0, None)]) is None


def test_a_run_tells_the_judges_verdicts_and_agreement(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file, out = write(tmp_path / "q.jsonl", "right", "wrong", "abstain"), tmp_path / "run"
    with chat_server(verdict) as (url, _):
        monkeypatch.setenv("RAG_MODEL", "m")
        monkeypatch.setenv("RAG_BASE_URL", url)
        arguments = ["--questions", str(file), "--judge", "--no-cache", "--out", str(out)]
        assert main(arguments, engine=FakeEngine()) == 0
    assert [line["scores"]["judge"] for line in lines(out)] == [1.0, 0.0, 0.0]
    measured = json.loads((out / "summary.json").read_text("utf-8"))
    assert measured["judge"] == {"n": 2, "agreement": 1.0, "kappa": 1.0}
    assert "the judge agrees with facts right on 1.000 of 2 answers" in capsys.readouterr().out
