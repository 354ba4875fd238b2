"""Make `rag/embedding/cross_encoder.npz`: the part of the cross-encoder that is trained.

    pip install torch
    python -m training.cross_encoder.train --data FOLDER --train FOLDER

The folders are those of `python -m training.language_means`. Seeds are fixed; a run that
is broken off goes on from its last checkpoint when it is started again with the same
options. About 80 minutes on two cores (`--device cuda` where there is one).
"""

import random
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import torch
from torch import Tensor, nn
from torch.nn import functional

from rag.embedding.cross_encoder import WEIGHTS_FILE, pair_tokens
from rag.embedding.e5_weights import E5File
from rag.embedding.encoder import Encoder
from training.cross_encoder.cloze import cloze_items
from training.cross_encoder.code_switching import dictionary, switched
from training.cross_encoder.examples import Example, Item, items, titled, window
from training.cross_encoder.negatives import SHARE, Negatives
from training.cross_encoder.network import CrossEncoder, write_weights

RATE = 1.5e-4
WARM_UP = 0.06
SWITCHED = 0.6
"""Share of English questions of which the words are put into another language."""
ENGLISH = ("squad_en_part", "qamr_en", "afriqa", "policyqa_en", "covidqa_en")
BATCH_TOKENS = 4608
LONGEST = 384
"""Tokens; what is longer is left out."""


@dataclass(frozen=True, slots=True)
class Row:
    """An example as the network takes it."""

    ids: list[int]
    first: int
    """Where the passage begins."""
    start: int
    end: int
    """Tokens where the answer starts and ends; -1 where there is none."""


def examples(data: Path, train: Path, seed: int) -> list[Example]:
    """All examples of a run, shuffled; each answered question has its negative beside it."""
    chance = random.Random(seed)
    asked = items(data, train, seed, held_out=False)
    words = dictionary(train)
    negatives = Negatives(asked, chance)
    gaps = cloze_items(data, train, chance)
    gap_negatives = Negatives(gaps, chance)
    groups: list[list[Example]] = []
    for item in asked:
        if item.dataset in ENGLISH and not item.twin and chance.random() < SWITCHED:
            item = switched(item, words, chance)
        groups.append(_group(item, negatives, chance))
    groups += [_group(item, gap_negatives, chance) for item in gaps]
    chance.shuffle(groups)
    return [example for group in groups for example in group]


def _group(item: Item, negatives: Negatives, chance: random.Random) -> list[Example]:
    text, span = window(item.context, item.span, chance)
    if chance.random() < 0.5:
        text, span = titled(text, span, item.title)
    group = [Example(item.question, text, span, item.dataset)]
    if span and chance.random() < SHARE and (other := negatives.of(item)):
        group.append(other)
    return group


def rows_of(found: list[Example], encoder: Encoder) -> list[Row]:
    """Token ids and labels; what is too long or has no token for its answer is left out."""
    rows = []
    for example in found:
        ids, spans, first = pair_tokens(encoder, example.question, example.passage)
        start = end = -1
        if example.span:
            begin, stop = example.span
            hit = [i for i, (a, b) in enumerate(spans) if a < stop and b > begin]
            if not hit:
                continue
            start, end = first + hit[0], first + hit[-1]
        if len(ids) <= LONGEST:
            rows.append(Row(ids, first, start, end))
    return rows


def batches(rows: list[Row], seed: int) -> list[list[Row]]:
    """Rows of about one length together, in an order by chance."""
    chance = random.Random(seed)
    found: list[list[Row]] = []
    for at in range(0, len(rows), 1500):
        part = sorted(rows[at : at + 1500], key=lambda row: len(row.ids))
        here: list[list[Row]] = []
        while part:
            count = max(1, BATCH_TOKENS // len(part[-1].ids))
            part, batch = part[:-count], part[-count:]
            here.append(batch)
        chance.shuffle(here)
        found += here
    return found


def loss_of(network: CrossEncoder, batch: list[Row], device: str) -> tuple[Tensor, Tensor]:
    """Loss of the spans, over the answered rows, and of the answer, over all."""
    longest = max(len(row.ids) for row in batch)
    ids = torch.ones(len(batch), longest, dtype=torch.long)
    there = torch.zeros(len(batch), longest, dtype=torch.bool)
    passage = torch.zeros(len(batch), longest, dtype=torch.bool)
    for i, row in enumerate(batch):
        ids[i, : len(row.ids)] = torch.tensor(row.ids)
        there[i, : len(row.ids)] = True
        passage[i, row.first : len(row.ids) - 1] = True
    kind = torch.device(device).type
    with torch.autocast(kind, torch.bfloat16):
        start, end, answers = network(ids.to(device), there.to(device))
    passage = passage.to(device)
    label = torch.tensor([float(row.start >= 0) for row in batch], device=device)
    of_answer = functional.binary_cross_entropy_with_logits(answers, label)
    answered = label > 0
    if not answered.any():
        return of_answer * 0, of_answer
    starts = torch.tensor([row.start for row in batch], device=device)[answered]
    ends = torch.tensor([row.end for row in batch], device=device)[answered]
    outside = ~passage[answered]
    of_span = functional.cross_entropy(start[answered].masked_fill(outside, -1e4), starts)
    of_span = of_span + functional.cross_entropy(end[answered].masked_fill(outside, -1e4), ends)
    return of_span / 2, of_answer


@click.command()
@click.option("--data", type=click.Path(exists=True, path_type=Path), required=True)
@click.option("--train", type=click.Path(exists=True, path_type=Path), required=True)
@click.option("--limit", default=0, help="Examples at most; 0 for all.")
@click.option("--seed", default=0, show_default=True)
@click.option("--device", default="cpu", show_default=True)
@click.option(
    "--checkpoint", type=click.Path(path_type=Path), default=Path("cross_encoder.checkpoint")
)
@click.option("--every", default=200, show_default=True, help="Steps between checkpoints.")
@click.option("--out", type=click.Path(path_type=Path), default=WEIGHTS_FILE)
def main(
    data: Path, train: Path, limit: int, seed: int, device: str, checkpoint: Path, every: int,
    out: Path,
) -> None:  # fmt: skip
    """Make the examples, train on them once, and write the weights."""
    torch.manual_seed(seed)
    found = examples(data, train, seed)
    found = found[:limit] if limit else found
    counts = Counter(example.dataset for example in found)
    click.echo(", ".join(f"{name} {count}" for name, count in counts.most_common()))
    rows = rows_of(found, Encoder())
    steps = batches(rows, seed)
    tokens = sum(len(row.ids) for row in rows)
    click.echo(f"{len(rows)} examples, {tokens} tokens, {len(steps)} steps")
    network = CrossEncoder(E5File()).to(device)
    trained = [p for p in network.parameters() if p.requires_grad]
    fast = list(network.outputs.parameters())
    slow = [p for p in trained if all(p is not each for each in fast)]
    groups = [{"params": slow, "lr": RATE}, {"params": fast, "lr": 10 * RATE}]
    optimizer = torch.optim.AdamW(groups, weight_decay=0.01, fused=True)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, _rate(len(steps)))
    begun = _resume(checkpoint, network, optimizer, schedule)
    sums, count, since = [0.0, 0.0], 0, time.monotonic()
    for number, batch in enumerate(steps[begun:], begun + 1):
        of_span, of_answer = loss_of(network, batch, device)
        (of_span + of_answer).backward()
        nn.utils.clip_grad_norm_(trained, 1.0)
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()
        sums = [sums[0] + of_span.item(), sums[1] + of_answer.item()]
        count += sum(len(row.ids) for row in batch)
        if number % 50 == 0:
            taken = time.monotonic() - since
            left = taken / 50 * (len(steps) - number) / 60
            click.echo(
                f"step {number} of {len(steps)}: span {sums[0] / 50:.3f}, answer "
                f"{sums[1] / 50:.3f}, {count / taken:.0f} tokens/s, {left:.0f} min left"
            )
            sums, count, since = [0.0, 0.0], 0, time.monotonic()
        if number % every == 0:
            _keep(checkpoint, network, optimizer, schedule, number)
    write_weights(network, out)
    click.echo(f"{out.name}: {out.stat().st_size / 1e6:.1f} MB")


def _rate(steps: int) -> Any:
    """Up over the first steps, then evenly down to a fiftieth."""
    return lambda step: min(1.0, (step + 1) / (WARM_UP * steps)) * max(0.02, 1 - step / steps)


def _keep(path: Path, network: CrossEncoder, optimizer: Any, schedule: Any, step: int) -> None:
    kept = {"weights": network.trained(), "optimizer": optimizer.state_dict(),
            "schedule": schedule.state_dict(), "step": step}  # fmt: skip
    torch.save(kept, path.with_suffix(".new"))
    path.with_suffix(".new").replace(path)


def _resume(path: Path, network: CrossEncoder, optimizer: Any, schedule: Any) -> int:
    if not path.exists():
        return 0
    kept = torch.load(path, weights_only=True)
    network.load_state_dict(kept["weights"], strict=False)
    optimizer.load_state_dict(kept["optimizer"])
    schedule.load_state_dict(kept["schedule"])
    step: int = kept["step"]
    click.echo(f"going on after step {step}")
    return step


if __name__ == "__main__":
    main()
