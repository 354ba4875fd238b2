"""One visitor after the other, each apart from the others, and Stop."""

import asyncio
from pathlib import Path

import pytest
from scripted_rag import ScriptedRag

from rag.errors import InputError
from rag.page.chat.queue import EngineQueue, WaitingLine
from rag.page.chat.turns import Turn
from rag.page.html.words import words
from rag.settings import Settings

SAY = words("en")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings.read(corpus=tmp_path, store=tmp_path / "store")


async def answered(queue: EngineQueue, turn: Turn, visitor: str = "ann") -> list[Turn]:
    return [step async for step in queue.answered(turn, [], visitor, SAY)]


async def test_line_serves_in_the_order_of_arrival_and_tells_how_many_wait() -> None:
    line, told, done = WaitingLine(), list[tuple[str, int]](), list[str]()

    async def visit(name: str) -> None:
        async with line.turn(lambda before: told.append((name, before))):
            await asyncio.sleep(0)
            done.append(name)

    await asyncio.gather(*(visit(name) for name in "abc"))
    assert done == ["a", "b", "c"]
    assert [before for name, before in told if name == "b"] == [1]
    assert [before for name, before in told if name == "c"] == [2, 1]


async def test_who_leaves_the_line_holds_nobody_up() -> None:
    line, done = WaitingLine(), list[str]()

    async def visit(name: str) -> None:
        async with line.turn():
            await asyncio.sleep(0)
            done.append(name)

    tasks = [asyncio.create_task(visit(name)) for name in "abc"]
    await asyncio.sleep(0)
    tasks[1].cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert done == ["a", "c"]


async def test_last_step_is_the_whole_answer(settings: Settings) -> None:
    steps = await answered(EngineQueue(ScriptedRag(settings)), Turn("How long?"))
    assert steps[-1].state == "whole"
    assert steps[-1].text == "Talks took 3 hours [1]"
    assert all(step.key == steps[0].key for step in steps)


async def test_slow_reader_gets_the_latest_step_only(settings: Settings) -> None:
    engine, texts = ScriptedRag(settings, ["word "] * 200), list[str]()
    async for step in EngineQueue(engine).answered(Turn("Say a lot"), [], "ann", SAY):
        texts.append(step.text)
        await asyncio.to_thread(engine.ended.wait)
    assert len(texts) < 100
    assert texts[-1] == "word " * 200


async def test_stop_keeps_the_text_and_ends_the_engine(settings: Settings) -> None:
    engine = ScriptedRag(settings, ["word "] * 1_000, pause=0.01)
    queue, steps = EngineQueue(engine), list[Turn]()
    async for step in queue.answered(Turn("Say a lot"), [], "ann", SAY):
        steps.append(step)
        if step.text.count("word") > 3:
            queue.stop("ann")
    assert steps[-1].state == "stopped"
    assert steps[-1].text.startswith("word word word")
    assert await asyncio.to_thread(engine.stopped.wait, 20)


async def test_stop_of_one_visitor_is_not_that_of_another(settings: Settings) -> None:
    engine = ScriptedRag(settings)
    engine.go.clear()
    queue = EngineQueue(engine)
    ann = queue.answered(Turn("Ann's?"), [], "ann", SAY)
    bob = queue.answered(Turn("Bob's?"), [], "bob", SAY)
    await anext(ann)
    waited = [await anext(bob)]
    queue.stop("bob")
    waited += [step async for step in bob]
    engine.go.set()
    assert [step async for step in ann][-1].state == "whole"
    assert [(step.doing, step.count) for step in waited] == [("waiting", 1), ("waiting", 1)]
    assert waited[-1].state == "stopped"


async def test_engine_serves_one_at_a_time(settings: Settings) -> None:
    engine = ScriptedRag(settings, pause=0.005)
    queue = EngineQueue(engine)
    asked = (answered(queue, Turn(f"Question {i}?"), str(i)) for i in range(4))
    fifth = asyncio.create_task(queue.ask("Fifth?", [], "", {}, "5"))
    steps = await asyncio.gather(*asked)
    assert (await fifth).text
    assert engine.most_running == 1
    assert all(each[-1].state == "whole" for each in steps)


@pytest.mark.parametrize(
    ("question", "fault"),
    [
        ("fail", "the model at <i>http://127.0.0.1:1</i> does not answer; start it"),
        ("long " * 500, "the question has 2,499 characters, 2,000 is the most; shorten it"),
        ("fault", "a fault of the program; its terminal tells more"),
    ],
)
async def test_failure_is_one_line(settings: Settings, question: str, fault: str) -> None:
    last = (await answered(EngineQueue(ScriptedRag(settings)), Turn(question)))[-1]
    assert (last.state, last.fault) == ("failed", fault)


async def test_failure_leaves_the_line(settings: Settings) -> None:
    queue = EngineQueue(ScriptedRag(settings))
    await answered(queue, Turn("fail"))
    assert (await answered(queue, Turn("Better?")))[-1].state == "whole"
    with pytest.raises(InputError):
        await queue.ask("", [], "", {}, "ann")
