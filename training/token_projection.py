"""Make `rag/embedding/token_projection.npz`: the trained part of late interaction.

    pip install torch
    python -m training.token_projection --data FOLDER --train FOLDER

The folders are those of `python -m training.language_means`. The encoder stays as it is:
its states are computed once, each language's mean is taken from them, and a projection
to 96 numbers is trained to find the right passage among those of the batch, the
question being in one language and the passage in another wherever parallel text allows.
Fixed seeds; about ten minutes on two cores, most of them for the states.
"""

import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import numpy as np

from evals.rows import rows
from rag.embedding.encoder import Encoder, Kind, Vectors
from rag.embedding.late_interaction import PROJECTION_FILE

DIMENSION = 96
READING = {
    "squad_en_part": 400, "mlqa_ar": 300, "tydiqa_goldp_ar": 400, "kazqad_kk": 400,
    "cmrc2018_zh": 300, "drcd_zh_hant": 150, "pquad_fa": 200, "jaquad_ja": 200,
    "norquad_no": 150, "squad_es_dist": 200, "faquad_pt": 100, "swequad_sv": 100,
}  # fmt: skip
"""Passages of each set; question and passage are in one language there."""
PARALLEL = {"parallel_pud": 400, "parallel_tico19": 300}
"""Pairs of each language."""
SHARES = {"omosqa": 1.0, "parallel_pud": 0.5, "parallel_tico19": 0.5, "ntrex": 1.0, "xquad": 2.0}
"""How often a batch comes from a set across languages."""
ONE_LANGUAGE = 0.35
"""How often a batch comes from a set of one language."""
LONGEST = 1200
"""Characters of a passage; longer ones are cut."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A question and a passage that answers it."""

    question: str
    question_lang: str
    passage: str
    passage_lang: str
    dataset: str
    group: str
    """Passages of one group say the same thing, so none of them is wrong."""


def collect(data: Path, train: Path, seed: int = 0) -> list[Pair]:
    """The pairs that the projection is trained on."""
    chance = random.Random(seed)
    pairs: list[Pair] = []
    for name, limit in READING.items():
        pairs += _reading(train / f"{name}.jsonl.gz", name, limit, chance)
    pairs += _omosqa(train / "omosqa.jsonl.gz", chance)
    for name, limit in PARALLEL.items():
        pairs += _parallel(train / f"{name}.jsonl.gz", name, limit, chance)
    pairs += _passages(data, "ntrex", chance, 3000, False)
    pairs += _passages(data, "xquad", chance, 8000, True)
    return pairs


def _reading(path: Path, name: str, limit: int, chance: random.Random) -> list[Pair]:
    by_passage: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in rows(path):
        if row["answers"] and row["answer_start"][0] < LONGEST - 50:
            by_passage[row["context"][:LONGEST]].append(row)
    chosen = chance.sample(sorted(by_passage), min(limit, len(by_passage)))
    return [
        Pair(row["question"], row["lang"], passage, row["lang"], name, passage)
        for passage in chosen
        for row in chance.sample(by_passage[passage], min(3, len(by_passage[passage])))
    ]


def _omosqa(path: Path, chance: random.Random) -> list[Pair]:
    groups: dict[str, dict[str, dict[str, Any]]] = defaultdict(dict)
    for row in rows(path):
        if row["answers"]:
            groups[str(row["group"])][row["lang"]] = row
    pairs = []
    for group, by_lang in groups.items():
        for lang, row in by_lang.items():
            other = chance.choice(sorted(by_lang))
            passage = by_lang[other]["context"][:LONGEST]
            pairs.append(Pair(row["question"], lang, passage, other, "omosqa", group))
    return pairs


def _parallel(path: Path, name: str, limit: int, chance: random.Random) -> list[Pair]:
    by_lang: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in rows(path):
        by_lang[row["lang_b"]].append(row)
    pairs = []
    for lang, found in sorted(by_lang.items()):
        for row in chance.sample(found, min(limit, len(found))):
            sides = [(row["text_a"], row.get("lang_a", "en")), (row["text_b"], lang)]
            (one, one_lang), (two, two_lang) = chance.sample(sides, 2)
            group = str(row.get("group", row["text_a"]))
            pairs.append(Pair(one, one_lang, two, two_lang, name, group))
    return pairs


def _passages(
    data: Path, name: str, chance: random.Random, limit: int, any_language: bool
) -> list[Pair]:
    """Questions with a passage in another language than theirs."""
    by_group: dict[str, dict[str, dict[str, Any]]] = defaultdict(dict)
    by_id = {}
    for row in rows(data / f"{name}.passages.jsonl.gz"):
        by_id[row["id"]] = row
        by_group[row["group"]][row["lang"]] = row
    found = list(rows(data / f"{name}.questions.jsonl.gz"))
    if not any_language:
        found = [row for row in found if row["lang_question"] != row["lang_passage"]]
    pairs = []
    for row in chance.sample(found, min(limit, len(found))):
        passage = by_id[row["passage_id"]]
        if any_language:
            others = by_group[passage["group"]]
            passage = others[chance.choice(sorted(others))]
        text, lang = passage["text"][:LONGEST], passage["lang"]
        pairs.append(Pair(row["question"], row["lang_question"], text, lang, name, row["group"]
                          if not any_language else passage["group"]))  # fmt: skip
    return pairs


class States:
    """Unit states of texts with their language's mean taken away, as 16-bit floats."""

    def __init__(
        self, encoder: Encoder, kind: Kind, texts: Sequence[tuple[str, str]], parallel: set[str]
    ) -> None:
        self.kind = kind
        self.index = {text: i for i, text in enumerate(texts)}
        self.states: list[Any] = []
        for start in range(0, len(texts), 200):
            part = [text for text, _ in texts[start : start + 200]]
            self.states += [s.astype(np.float16) for s in encoder.states(part, kind)[1]]
            click.echo(f"\r{kind}: states of {len(self.states)} of {len(texts)} texts", nl=False)
        click.echo()
        self.means = self._means(texts, parallel)
        for i, (_, lang) in enumerate(texts):
            centred = self.states[i].astype(np.float32) - self.means.get(lang, self.means[""])
            lengths = np.linalg.norm(centred, axis=1, keepdims=True)
            self.states[i] = (centred / lengths).astype(np.float16)

    def _means(self, texts: Sequence[tuple[str, str]], parallel: set[str]) -> dict[str, Vectors]:
        """Of each language: from parallel text where there is enough, so that no topic is in it."""
        by_lang: dict[str, list[Vectors]] = defaultdict(list)
        best: dict[str, list[Vectors]] = defaultdict(list)
        for (text, lang), states in zip(texts, self.states, strict=True):
            (best if text in parallel else by_lang)[lang].append(states.astype(np.float32).mean(0))
        means = {}
        for lang in sorted(by_lang.keys() | best.keys()):
            found = best[lang] if len(best[lang]) >= 60 else best[lang] + by_lang[lang]
            if len(found) >= 60:
                means[lang] = np.mean(found, axis=0)
        return {"": np.mean(list(means.values()), axis=0), **means}


@click.command()
@click.option("--data", type=click.Path(exists=True, path_type=Path), required=True)
@click.option("--train", type=click.Path(exists=True, path_type=Path), required=True)
@click.option("--steps", default=600, show_default=True)
@click.option("--seed", default=0, show_default=True)
@click.option("--leave-out", help="A set that is not trained on, to measure on it.")
@click.option("--out", type=click.Path(path_type=Path), default=PROJECTION_FILE)
def main(data: Path, train: Path, steps: int, seed: int, leave_out: str | None, out: Path) -> None:
    """Compute the states, train, and write the file."""
    pairs = [pair for pair in collect(data, train, seed) if pair.dataset != leave_out]
    encoder = Encoder()
    wide = {p.passage for p in pairs if p.dataset == "xquad"}
    asked = {p.question for p in pairs if p.dataset == "xquad"}
    questions = sorted({(p.question, p.question_lang) for p in pairs})
    passages = sorted({(p.passage, p.passage_lang) for p in pairs})
    query = States(encoder, "query", questions, asked)
    passage = States(encoder, "passage", passages, wide)
    weights = _train(pairs, query, passage, steps, seed)
    means = {
        f"{side.kind}/{lang}": mean.astype(np.float16)
        for side in (query, passage)
        for lang, mean in side.means.items()
    }
    arrays: dict[str, Any] = {**weights, **means}
    np.savez_compressed(out, **arrays)
    click.echo(f"{out.name}: {out.stat().st_size / 1e3:.0f} kB, {len(means)} means")


def _train(
    pairs: Sequence[Pair], query: States, passage: States, steps: int, seed: int
) -> dict[str, Vectors]:
    import torch
    from torch.nn import functional

    torch.manual_seed(seed)
    chance = random.Random(seed)
    by_set: dict[str, list[Pair]] = defaultdict(list)
    for pair in pairs:
        by_set[pair.dataset].append(pair)
    across = [name for name in SHARES if name in by_set]
    alone = [name for name in sorted(by_set) if name not in SHARES]
    projection = torch.tensor(_principal(passage.states), requires_grad=True)
    importance = torch.zeros(384, requires_grad=True)
    bias = torch.zeros(1, requires_grad=True)
    temperature = torch.tensor(3.0, requires_grad=True)
    parameters = [projection, importance, bias, temperature]
    optimizer = torch.optim.AdamW(parameters, lr=2e-3, weight_decay=0)
    total = 0.0
    for step in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = 2e-3 * (1 - step / steps)
        if chance.random() < ONE_LANGUAGE:
            name = chance.choice(alone)
        else:
            name = chance.choices(across, [SHARES[each] for each in across])[0]
        batch = chance.sample(by_set[name], min(32, len(by_set[name])))
        texts = sorted({(p.passage, p.passage_lang) for p in batch})
        column = {text: i for i, text in enumerate(texts)}
        q, heard = _padded([query.states[query.index[p.question, p.question_lang]] for p in batch])
        p_, there = _padded([passage.states[passage.index[text]] for text in texts])
        left = functional.normalize(q @ projection, dim=-1)
        right = functional.normalize(p_ @ projection, dim=-1)
        cosines = torch.einsum("qtd,psd->qtps", left, right)
        nearest = cosines.masked_fill(~there, -2).amax(3)
        weight = functional.softplus(q @ importance + bias) * heard
        scores = (nearest * weight[..., None]).sum(1) / weight.sum(1, keepdim=True)
        groups = {(p.passage, p.passage_lang): p.group for p in batch}
        twins = torch.tensor(
            [
                [groups[t] == p.group and t != (p.passage, p.passage_lang) for t in texts]
                for p in batch
            ]
        )
        gold = torch.tensor([column[p.passage, p.passage_lang] for p in batch])
        logits = (scores * temperature.exp()).masked_fill(twins, -1e4)
        loss = functional.cross_entropy(logits, gold)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item()
        if (step + 1) % 100 == 0:
            click.echo(f"step {step + 1}: loss {total / 100:.3f}")
            total = 0.0
    return {
        "projection": projection.detach().numpy().astype(np.float16),
        "importance": importance.detach().numpy().astype(np.float16),
        "bias": bias.detach().numpy().astype(np.float16),
    }


def _padded(states: Sequence[Any]) -> tuple[Any, Any]:
    """Tensors (texts, tokens, 384) and which of the tokens are there."""
    import torch

    longest = max(map(len, states))
    out = torch.zeros(len(states), longest, 384)
    there = torch.zeros(len(states), longest, dtype=torch.bool)
    for i, each in enumerate(states):
        out[i, : len(each)] = torch.from_numpy(each)
        there[i, : len(each)] = True
    return out, there


def _principal(states: Sequence[Any]) -> Vectors:
    """The directions in which tokens differ most, shape (384, 96), to begin from."""
    sample = random.Random(0).sample(range(len(states)), min(600, len(states)))
    tokens = np.concatenate([states[i].astype(np.float32) for i in sample])
    _, directions = np.linalg.eigh(tokens.T @ tokens)
    return np.ascontiguousarray(directions[:, ::-1][:, :DIMENSION], dtype=np.float32)


if __name__ == "__main__":
    main()
