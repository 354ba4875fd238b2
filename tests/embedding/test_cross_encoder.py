"""The cross-encoder says how likely a passage answers, and with which of its words."""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.embedding.cross_encoder import (
    WEIGHTS_FILE,
    CrossEncoder,
    CrossEncoderNetwork,
    Reading,
    open_cross_encoder,
    pair_tokens,
)
from rag.embedding.e5 import E5Embeddings
from rag.embedding.e5_onnx import e5_graph
from rag.embedding.e5_weights import E5File, Floats
from rag.embedding.encoder import Encoder, session
from rag.errors import ModelError

pytestmark = pytest.mark.slow

QUESTION = "How long is the new bridge?"
TEXTS = {
    "English": "The new bridge is 312 metres long. It was opened in spring.",
    "Turkish": "Yeni köprü 312 metre uzunluğunda. İlkbaharda açıldı.",
    "Hebrew": "אורכו של הגשר החדש 312 מטרים. הוא נפתח באביב.",
    "Arabic": "يبلغ طول الجسر الجديد ٣١٢ مترا. افتتح في الربيع.",
    "Chinese": "新桥长312米。它在春天开放。",
    "ligatures": "½ ﷺ ﬁne ㎏",
    "broken": "\0a \ud83d b\0",
    "lines": "  One.\r\n\r\n\tTwo.  \n",
    "spaces alone": " \t \n ",
    "NUL alone": "\0",
    "empty": "",
    "3,000 words": "rain fell " * 1500,
    "one word": "x" * 5000,
}
LONG_QUESTION = "how " * 500 + "long?"


def in_8_bits(values: Floats) -> tuple[Any, Any]:
    """The form in which `training.cross_encoder.network.write_weights` leaves a matrix."""
    blocks = values.reshape(len(values), -1, 32)
    scales = (np.abs(blocks).max(axis=-1) / 127).astype(np.float16)
    levels = np.rint(blocks / np.maximum(scales.astype(np.float32), 1e-8)[..., None])
    return np.clip(levels, -127, 127).astype(np.int8).reshape(values.shape), scales


def some(*shape: int, seed: int = 0) -> Floats:
    return np.random.default_rng(seed).normal(0, 0.05, shape).astype(np.float32)


def write(path: Path, trained: Mapping[str, Floats] | None = None, **outputs: Floats) -> Path:
    """Weights with those outputs, or some by chance, and those trained tensors."""
    arrays: dict[str, Any] = {"frozen": np.array(6)}
    arrays["outputs.weight"] = outputs.get("weight", some(3, 384))
    arrays["outputs.bias"] = outputs.get("bias", some(3, seed=1))
    for name, values in (trained or {}).items():
        if values.ndim == 1:
            arrays[name] = values
        else:
            arrays[name], arrays[f"{name}.scale"] = in_8_bits(values)
    np.savez_compressed(path, **arrays)
    return path


@pytest.fixture(scope="module")
def reader(encoder: Encoder, tmp_path_factory: pytest.TempPathFactory) -> CrossEncoder:
    """All layers the embedder's, and outputs by chance."""
    return CrossEncoder(encoder, write(tmp_path_factory.mktemp("reader") / "reader.npz"))


def told(reading: Reading) -> tuple[float, tuple[int, int]]:
    return reading.answers, reading.span


# --- reading


def test_gives_a_reading_of_each_text_in_order(reader: CrossEncoder) -> None:
    texts = list(TEXTS.values())
    readings = reader.read(QUESTION, texts)
    assert len(readings) == len(texts)
    backwards = reader.read(QUESTION, texts[::-1])[::-1]
    assert [told(each) for each in readings] == [told(each) for each in backwards]
    assert len({each.answers for each in readings[:5]}) == 5
    assert reader.read(QUESTION, []) == []


def test_neighbours_do_not_matter(reader: CrossEncoder) -> None:
    texts = list(TEXTS.values())
    for text, among in zip(texts, reader.read(QUESTION, texts), strict=True):
        [alone] = reader.read(QUESTION, [text])
        assert told(alone) == told(among)
        assert alone.share(0, len(text) // 2) == among.share(0, len(text) // 2)


def test_question_and_text_are_read_together(reader: CrossEncoder) -> None:
    text = TEXTS["English"]
    one, other = (reader.read(asked, [text])[0] for asked in (QUESTION, "When was it opened?"))
    assert one.answers != other.answers
    assert one.share(0, 34) != other.share(0, 34)


@pytest.mark.parametrize("question", [QUESTION, "", "\0", "?" * 200, LONG_QUESTION, "桥" * 600])
def test_the_span_lies_in_the_text(reader: CrossEncoder, question: str) -> None:
    for text, reading in zip(TEXTS.values(), reader.read(question, [*TEXTS.values()]), strict=True):
        begin, end = reading.span
        assert 0 <= begin <= end <= len(text)
        assert np.isfinite(reading.answers)


@settings(max_examples=25, deadline=None)
@given(text=st.text(max_size=40), question=st.text(max_size=20))
def test_any_text_can_be_read(reader: CrossEncoder, text: str, question: str) -> None:
    [reading] = reader.read(question, [text])
    begin, end = reading.span
    assert 0 <= begin <= end <= len(text)
    if text:
        assert reading.share(0, len(text)) == pytest.approx(1, abs=1e-5)


def test_what_no_longer_fits_is_not_read(reader: CrossEncoder) -> None:
    begun = "rain fell " * 600
    same, other = reader.read(QUESTION, [begun + "and snow " * 900, begun + "then hail " * 900])
    assert told(same) == told(other)
    assert same.share(0, len(begun)) == pytest.approx(1, abs=1e-5)
    assert same.share(len(begun), len(begun) + 100) == 0


def test_a_question_is_cut_after_64_tokens(encoder: Encoder, reader: CrossEncoder) -> None:
    _, _, first = pair_tokens(encoder, LONG_QUESTION, "text")
    assert first == 1 + 64 + 1 + len(encoder.tokenizer.encode("passage:"))
    readings = [reader.read("how " * 100 + end, ["It rained."])[0] for end in ("long", "far")]
    assert told(readings[0]) == told(readings[1])


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS.keys())
@pytest.mark.parametrize("question", [QUESTION, "", LONG_QUESTION], ids=["short", "empty", "long"])
def test_a_pair_fits_the_network_between_its_markers(
    encoder: Encoder, question: str, text: str
) -> None:
    ids, spans, first = pair_tokens(encoder, question, text)
    assert len(ids) <= encoder.file.window
    assert ids[0] == encoder.file.begin
    assert ids.count(encoder.file.end) == 2
    assert ids[-1] == encoder.file.end
    own = encoder.tokenizer.encode(text)
    assert ids[first:-1] == own[: len(spans)]
    assert len(spans) == min(len(own), encoder.file.window - first - 1)


def test_many_threads_may_share_one(reader: CrossEncoder) -> None:
    texts = list(TEXTS.values())[:8]
    alone = [told(reader.read(QUESTION, [text])[0]) for text in texts]
    with ThreadPoolExecutor(8) as pool:
        many = list(pool.map(lambda text: reader.read(QUESTION, [text, "Snow."]), texts * 4))
    assert [told(readings[0]) for readings in many] == alone * 4
    assert len({told(readings[1]) for readings in many}) == 1


# --- spans and shares


def reader_of(
    encoder: Encoder, path: Path, text: str, start: Callable[[int], float],
    end: Callable[[int], float],
) -> CrossEncoder:  # fmt: skip
    """A reader that sees a start and an end of the answer in the text's tokens as told."""
    ids, spans, first = pair_tokens(encoder, QUESTION, text)
    states = session(e5_graph(encoder.file))(encoder.embedded(ids)[None])[0].astype(np.float64)
    own = states[first : first + len(spans)]
    wanted = np.array([[start(i), end(i)] for i in range(len(spans))])
    weight = np.zeros((3, 384), dtype=np.float32)
    weight[:2] = np.linalg.lstsq(own, wanted, rcond=None)[0].T
    return CrossEncoder(encoder, write(path, weight=weight, bias=np.zeros(3, np.float32)))


def peaks(*places: int) -> Callable[[int], float]:
    return lambda place: 20.0 if place in places else 0.0


@pytest.mark.parametrize("lang", ["English", "Turkish", "Hebrew", "Arabic", "Chinese"])
def test_the_span_goes_from_the_likeliest_start_to_the_likeliest_end(
    encoder: Encoder, tmp_path: Path, lang: str
) -> None:
    text = TEXTS[lang]
    spans = pair_tokens(encoder, QUESTION, text)[1]
    maker = reader_of(encoder, tmp_path / "reader.npz", text, peaks(3), peaks(6))
    [reading] = maker.read(QUESTION, [text])
    assert reading.span == (spans[3][0], spans[6][1])
    assert reading.share(*reading.span) == pytest.approx(1, abs=1e-3)
    assert reading.share(spans[7][0], len(text)) == pytest.approx(0, abs=1e-3)


def test_an_answer_does_not_end_before_it_starts(encoder: Encoder, tmp_path: Path) -> None:
    text = TEXTS["English"]
    maker = reader_of(encoder, tmp_path / "reader.npz", text, peaks(8), peaks(2))
    begin, end = maker.read(QUESTION, [text])[0].span
    assert begin < end


def test_an_answer_has_32_tokens_at_most(encoder: Encoder, tmp_path: Path) -> None:
    text = "rain " * 60
    for last, whole in ((31, True), (32, False)):
        maker = reader_of(encoder, tmp_path / "reader.npz", text, peaks(0), peaks(last))
        begin, end = maker.read(QUESTION, [text])[0].span
        assert ((begin, end) == (0, 5 * last + 4)) is whole
        assert len(encoder.tokenizer.encode(text[begin:end])) <= 32


def test_a_share_is_half_of_where_it_starts_and_half_of_where_it_ends(
    encoder: Encoder, tmp_path: Path
) -> None:
    text = TEXTS["English"]
    spans = pair_tokens(encoder, QUESTION, text)[1]
    maker = reader_of(encoder, tmp_path / "reader.npz", text, peaks(1), peaks(3, 5))
    [reading] = maker.read(QUESTION, [text])
    shares = [reading.share(*spans[place]) for place in (1, 3, 5)]
    assert shares == pytest.approx([0.5, 0.25, 0.25], abs=1e-3)


@pytest.mark.parametrize("text", [text for text in TEXTS.values() if 0 < len(text) < 200])
def test_shares_of_parts_add_up_to_one(reader: CrossEncoder, text: str) -> None:
    [reading] = reader.read(QUESTION, [text])
    assert reading.share(0, len(text)) == pytest.approx(1, abs=1e-5)
    for cut in [place for place, char in enumerate(text) if char == " "]:
        parts = reading.share(0, cut), reading.share(cut, len(text))
        assert sum(parts) == pytest.approx(1, abs=1e-5)
    assert reading.share(0, 0) == 0


def test_with_nothing_to_tell_tokens_apart_all_are_as_likely(
    encoder: Encoder, tmp_path: Path
) -> None:
    bias = np.array([3, -2, 1.5], dtype=np.float32)
    path = write(tmp_path / "reader.npz", weight=np.zeros((3, 384), np.float32), bias=bias)
    [reading] = CrossEncoder(encoder, path).read(QUESTION, ["one two six ten"])
    assert reading.answers == 1.5
    assert reading.span == (0, 3)
    assert [reading.share(a, a + 3) for a in (0, 4, 8, 12)] == pytest.approx([0.25] * 4)


# --- its weights


def test_without_trained_layers_the_network_is_the_embedders(
    encoder: Encoder, tmp_path: Path
) -> None:
    network = CrossEncoderNetwork(encoder.file, write(tmp_path / "reader.npz"))
    assert e5_graph(network) == e5_graph(encoder.file)


@pytest.mark.parametrize(("name", "rows", "width"), [("l6.q.w", 384, 384), ("l11.fo.w", 384, 1536)])
def test_a_trained_matrix_stands_in_for_the_embedders(
    encoder: Encoder, tmp_path: Path, name: str, rows: int, width: int
) -> None:
    trained = some(rows, width, seed=2)
    trained[3] *= 1000
    trained[5] = 0
    network = CrossEncoderNetwork(encoder.file, write(tmp_path / "reader.npz", {name: trained}))
    found = network.matrix(name, width)
    assert found.dtype == np.float32
    assert found.shape == (rows, width)
    blocks = np.abs(trained).reshape(rows, -1, 32).max(axis=-1, keepdims=True)
    steps = np.broadcast_to(blocks / 127, (rows, width // 32, 32)).reshape(rows, width)
    assert (np.abs(found - trained) <= steps * 0.6 + 1e-7).all()
    assert not np.allclose(found, encoder.file.matrix(name, width))


def test_a_trained_vector_stands_in_for_the_embedders_and_the_rest_stays(
    encoder: Encoder, tmp_path: Path
) -> None:
    trained = some(384, seed=3)
    network = CrossEncoderNetwork(
        encoder.file, write(tmp_path / "reader.npz", {"l7.ao.b": trained})
    )
    assert np.array_equal(network.vector("l7.ao.b"), trained)
    assert np.array_equal(network.vector("l6.ao.b"), encoder.file.vector("l6.ao.b"))
    assert np.array_equal(network.matrix("l7.ao.w", 384), encoder.file.matrix("l7.ao.w", 384))


def test_reads_with_the_trained_layers(
    encoder: Encoder, reader: CrossEncoder, tmp_path: Path
) -> None:
    texts = [TEXTS["English"], TEXTS["Hebrew"]]
    own = reader.read(QUESTION, texts)
    kept = {name: encoder.file.matrix(name, 384) for name in ("l10.v.w", "l11.q.w")}
    same = CrossEncoder(encoder, write(tmp_path / "same.npz", kept)).read(QUESTION, texts)
    for one, other in zip(own, same, strict=True):
        assert one.answers == pytest.approx(other.answers, abs=0.02)
    changed = {"l10.v.w": some(384, 384), "l11.oln.b": 10 * some(384)}
    others = CrossEncoder(encoder, write(tmp_path / "other.npz", changed)).read(QUESTION, texts)
    assert all(abs(a.answers - b.answers) > 0.05 for a, b in zip(own, others, strict=True))


def test_the_version_changes_with_the_weights(encoder: Encoder, tmp_path: Path) -> None:
    one, same = (CrossEncoder(encoder, write(tmp_path / f"{name}.npz")) for name in "ab")
    other = CrossEncoder(encoder, write(tmp_path / "c.npz", bias=some(3, seed=9)))
    assert one.version == same.version
    assert len(one.version) == 8
    assert one.version != other.version


def whole(folder: Path) -> bytes:
    return write(folder / "whole.npz").read_bytes()


def no_outputs(folder: Path) -> bytes:
    arrays: dict[str, Any] = {"l6.q.b": some(384)}
    np.savez(folder / "none.npz", **arrays)
    return (folder / "none.npz").read_bytes()


def one_array(folder: Path) -> bytes:
    np.save(folder / "one.npy", some(3, 384))
    return (folder / "one.npy").read_bytes()


def damaged(folder: Path) -> bytes:
    data = bytearray(whole(folder))
    data[500:900] = bytes(400)
    return bytes(data)


BAD_FILES: dict[str, Callable[[Path], bytes]] = {
    "empty": lambda _: b"",
    "text": lambda _: b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n",
    "another kind": lambda _: b"GGUF" + bytes(1000),
    "cut short": lambda folder: whole(folder)[:2000],
    "damaged": damaged,
    "a single array": one_array,
    "without outputs": no_outputs,
}


@pytest.mark.parametrize("make", BAD_FILES.values(), ids=BAD_FILES.keys())
def test_refuses_a_file_that_is_no_readers(
    encoder: Encoder, tmp_path: Path, make: Callable[[Path], bytes]
) -> None:
    path = tmp_path / "my_reader.npz"
    path.write_bytes(make(tmp_path))
    refused(encoder.file, path)


def test_refuses_a_missing_file_and_a_folder(encoder: Encoder, tmp_path: Path) -> None:
    refused(encoder.file, tmp_path / "my_reader.npz")
    (tmp_path / "my_reader.npz").mkdir()
    refused(encoder.file, tmp_path / "my_reader.npz")


def refused(file: E5File, path: Path) -> None:
    with pytest.raises(ModelError, match=r"my_reader\.npz, it is .+; install quoted-rag") as caught:
        CrossEncoderNetwork(file, path)
    assert "\n" not in str(caught.value)
    assert caught.value.__cause__ is not None


def test_a_reader_that_cannot_read_its_weights_says_so(encoder: Encoder, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"cannot be read from gone\.npz"):
        CrossEncoder(encoder, tmp_path / "gone.npz")


# --- the weights that ship


def test_weights_that_are_cut_short_are_not_used(encoder: Encoder, tmp_path: Path) -> None:
    cut = tmp_path / "reader.npz"
    cut.write_bytes(WEIGHTS_FILE.read_bytes()[:100_000])
    with pytest.raises(ModelError, match=r"reader\.npz"):
        CrossEncoder(encoder, cut)


def test_a_passage_on_something_else_is_not_an_answer() -> None:
    reader = open_cross_encoder(E5Embeddings())
    right, near, other = reader.read(
        "How tall is the lighthouse of Skagen?",
        ["The lighthouse of Skagen is 46 metres tall.",
         "The lighthouse of Skagen was built in 1858 by N. S. Nebelong.",
         "Bread has become dearer by seven percent."],
    )  # fmt: skip
    assert right.answers > near.answers
    assert right.answers > other.answers
    assert right.answers > 0


def test_the_weights_are_small_enough_to_ship() -> None:
    assert WEIGHTS_FILE.stat().st_size < 30_000_000
