"""What a model's second look at its own claims catches, what it costs, and what true it refuses.

    python -m evals.verifying FILE FOLDER [--limit N] [--together N]

FILE holds claims as `evals.claims` reads them. Those that the checks of code show are put to a
model as `RAG_VERIFY=on` puts them, some together in one call. FOLDER is a recording: prompts
without a reply go to its `prompts.jsonl`, and `python -m evals.recorded FOLDER --put REPLIES`
adds replies. The claims are drawn by a fixed seed.
"""

import random
from collections.abc import Iterator, Sequence
from pathlib import Path

import click

from evals.claims import Claim, read_claims, refusal
from evals.recorded import said_in
from evals.recording import NoReplyError, Recording
from rag.answering.context import Context, Excerpt
from rag.answering.reply import Checked
from rag.answering.verification import VERDICTS, doubted_claims, verify_messages
from rag.errors import InputError
from rag.models.tokens import count_openai_tokens
from rag.records import Citation, Hit, Sentence, Statement
from rag.retrieval.sentence_selection import Evidence

_COUNTED_AS = "gpt-4o"
"""A model whose tokens are o200k's."""


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option("--limit", default=120, show_default=True, help="claims, half of them true")
@click.option("--together", default=3, show_default=True, help="claims in one call")
def main(file: Path, folder: Path, limit: int, together: int) -> None:
    """Print which share of true and false claims the model doubts, by kind."""
    try:
        claims = drawn(read_claims(file), limit)
        recording = Recording(folder, "recorded")
    except InputError as error:
        raise click.ClickException(str(error)) from error
    doubted: dict[str, bool] = {}
    tokens: list[int] = []
    for start in range(0, len(claims), together):
        group = claims[start : start + together]
        recording.begin(f"claims-{start}")
        checked, context = as_answer(group)
        said = said_in(verify_messages(checked, context))
        tokens.append(sum(count_openai_tokens(text, _COUNTED_AS) for _, text in said))
        try:
            reply = recording.reply(said, VERDICTS)
        except NoReplyError:
            continue
        found = doubted_claims(reply, checked)
        doubted |= {each.id: each.text in found for each in group}
    recording.finish()
    click.echo("\n".join(report(claims, doubted, tokens)))


def drawn(claims: Sequence[Claim], limit: int) -> list[Claim]:
    """Claims that the checks show, half of them true, in a random order that is always the same."""
    draw = random.Random(0)
    shown = [each for each in claims if not refusal(each)]
    true = [each for each in shown if each.true]
    false = [each for each in shown if not each.true]
    half = min(limit // 2, len(true), len(false))
    chosen = [*draw.sample(true, half), *draw.sample(false, half)]
    return draw.sample(chosen, len(chosen))


def as_answer(claims: Sequence[Claim]) -> tuple[Checked, Context]:
    """The claims as an answer that cites their quotes."""
    excerpts, statements, citations = [], [], []
    number = 0
    for claim in claims:
        evidence = []
        hit = Hit(claim.id, 0, len(claim.passage), claim.passage, score=1.0, lang=claim.quote_lang)
        for quote in claim.quotes:
            number += 1
            start = max(0, claim.passage.find(quote))
            sentence = Sentence(start, start + len(quote), quote)
            evidence.append(Evidence(number, sentence, hit, 1.0))
            citations.append(Citation(number, claim.id, start, sentence.end, quote))
        marks = tuple(each.number for each in evidence)
        statements.append(Statement(claim.text, marks, "checked"))
        excerpts.append(Excerpt(hit, tuple(evidence)))
    return Checked("", tuple(citations), tuple(statements)), Context(tuple(excerpts))


def report(
    claims: Sequence[Claim], doubted: dict[str, bool], tokens: Sequence[int]
) -> Iterator[str]:
    """The two shares, then those of each kind and fault, and what a call takes."""
    judged = [each for each in claims if each.id in doubted]
    if len(judged) < len(claims):
        yield f"{len(claims) - len(judged)} of {len(claims)} claims wait for a reply"
    for true, told in ((True, "true doubted"), (False, "false doubted")):
        of = [each for each in judged if each.true is true]
        yield _line(told, of, doubted)
        for kind in sorted({each.kind for each in of}):
            yield _line(f"{told}, {kind}", [each for each in of if each.kind == kind], doubted)
    mean = sum(tokens) / max(1, len(tokens))
    yield f"tokens of prompt in a call: {mean:.0f} (mean of {len(tokens)} calls)"


def _line(told: str, claims: Sequence[Claim], doubted: dict[str, bool]) -> str:
    share = sum(doubted[each.id] for each in claims) / len(claims) if claims else 0.0
    return f"{told} {share:.3f} ({len(claims)})"


if __name__ == "__main__":
    main()
