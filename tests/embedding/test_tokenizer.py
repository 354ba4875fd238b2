"""Each token says which characters of the text it stands for, in any script."""

import unicodedata
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.embedding.encoder import Encoder
from rag.embedding.tokenizer import Unigram

pytestmark = pytest.mark.slow

TEXTS = {
    "English": "The ferry left at 7:40, and nobody waved.",
    "Turkish": "İzmir'in ılık IŞIĞI: Iğdır'dan İstanbul'a %20 arttı.",
    "Hebrew with niqqud": "הַיַּלְדָּה קָרְאָה סֵפֶר, וְאָז יָשְׁנָה.",
    "Arabic with tashkeel": "كَتَبَ الطَّالِبُ رِسَالَةً ـ فِي عَامِ ١٩٨٧.",
    "Polish": "Zażółć gęślą jaźń – za 1 234,50 zł!",
    "Kazakh": "Қала әкімі жаңа көпірді ашты",
    "Chinese": "新桥长二百米，于去年秋天开放。",
    "Japanese": "図書館は九時に開きます。カードが要ります。",
    "Thai": "ห้องสมุดเปิดเวลาเก้าโมงเช้า",
    "Korean": "도서관은 아침 아홉 시에 문을 엽니다.",
    "mixed directions": "The word שלום means 和平, or سلام, in 3 of 4.",
    "marks alone": "\u0301\u05b0\u064b a\u0301 \u0301",
    "decomposed": unicodedata.normalize("NFD", "Çağrı şarkı İki ñandú ἀρχή บ้าน"),
    "one character, several letters": "½ cup, ﷺ and ﬁne ㎏ ㍻ ① ｆｕｌｌ ﬄ…",
    "several letters, several words": "ﷺﷺxﷻ語ﷺ",
    "lines": "one\r\n\r\ntwo\t\tthree  \n\u2028four\u2029five\x85six",
    "runs of spaces": "a    b \u00a0 \u3000 c\u2003\u2003d",
    "spaces around": "  \t inside \n ",
    "space before no piece": " 語 ",
    "invisible": "a\u200bb\u200dc\ufeffd\u00ade\u202b\u202cf",
    "emoji": "😀😀 👩\u200d👩\u200d👧 🇵🇱 ☕\ufe0f ok",
    "NUL": "\0a\0b\0 \0\0c\0",
    "control": "a\x01b\x7fc\x1bd",
    "half surrogates": "a\ud83d b\ude00\ude00c \udfff",
    "no pieces": "𒀀𒀁𒀂 \U000e0001",
    "markers": "<s>a</s><unk><pad>▁<mask> ▁▁ query: passage: ",
    "long word": "x" * 700 + "語" * 300 + "ﷺ" * 5,
    "one character": "語",
    "nothing left": "\0\0",
    "spaces alone": " \t\r\n ",
    "empty": "",
}
EVERY = pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS.keys())

ODD = st.text() | st.lists(st.sampled_from("aşIİé語 ﷺ½ﬁאَ١\u0301▁.\0\ud800😀\t\r\n \u200b𒀀")).map(
    "".join
)


@pytest.fixture(scope="module")
def tokenizer(encoder: Encoder) -> Unigram:
    return encoder.tokenizer


@pytest.fixture(scope="module")
def table(encoder: Encoder) -> dict[int, str]:
    """What becomes of characters; halves of surrogate pairs are spaces, NUL is nothing."""
    halves = dict.fromkeys(range(0xD800, 0xE000), " ")
    return {**encoder.file.normalisation(), **halves, 0: ""}


def check(text: str, tokenizer: Unigram, table: dict[int, str]) -> None:
    """The ids are those of `encode`, and the spans are sound."""
    ids, spans = tokenizer.encode_spans(text)
    assert ids == tokenizer.encode(text)
    assert len(spans) == len(ids)
    assert all(0 <= begin <= end <= len(text) for begin, end in spans)
    assert all(a <= c and b <= d for (a, b), (c, d) in pairwise(spans))
    covered = {place for begin, end in spans for place in range(begin, end)}
    seen = {place for place, char in enumerate(text) if char.translate(table).strip(" ")}
    assert not seen - covered
    # What is dropped may lie within a token, and never at its edge.
    assert not {place for a, b in spans if a < b for place in (a, b - 1)} - seen


@EVERY
def test_spans_are_in_order_and_cover_what_is_read(
    tokenizer: Unigram, table: dict[int, str], text: str
) -> None:
    check(text, tokenizer, table)


@settings(max_examples=300, deadline=None)
@given(text=ODD)
def test_spans_of_any_text_are_sound(tokenizer: Unigram, table: dict[int, str], text: str) -> None:
    check(text, tokenizer, table)


def test_spans_of_every_character_that_is_normalised(
    tokenizer: Unigram, table: dict[int, str]
) -> None:
    for code in table:
        check(f"a{chr(code)}語{chr(code)} {chr(code)}", tokenizer, table)


@EVERY
def test_a_token_stands_for_its_own_letters(
    encoder: Encoder, table: dict[int, str], text: str
) -> None:
    pieces = encoder.file.pieces()
    ids, spans = encoder.tokenizer.encode_spans(text)
    for number, (begin, end) in zip(ids, spans, strict=True):
        if number == encoder.file.unknown:
            assert len(text[begin:end]) == 1
        else:
            assert pieces[number].removeprefix("▁") in text[begin:end].translate(table)


@EVERY
def test_a_text_and_its_spans_are_the_same_again(tokenizer: Unigram, text: str) -> None:
    assert tokenizer.encode_spans(text) == tokenizer.encode_spans(text)


@EVERY
def test_what_stands_before_moves_the_spans_and_nothing_else(tokenizer: Unigram, text: str) -> None:
    lead = "One. "
    before = len(tokenizer.encode(lead[:-1]))
    ids, spans = tokenizer.encode_spans(lead + text)
    alone = tokenizer.encode_spans(text)
    assert ids[before:] == alone[0]
    covering = [(a + len(lead), b + len(lead)) for a, b in alone[1] if a < b]
    assert [span for span in spans[before:] if span[0] < span[1]] == covering


# --- the first tokens of a text of any length


@EVERY
@pytest.mark.parametrize("most", [0, 1, 7, 510, 10_000])
def test_the_first_tokens_of_a_text_are_those_of_all_of_it(
    tokenizer: Unigram, text: str, most: int
) -> None:
    assert tokenizer.encode(text, most) == tokenizer.encode(text)[:most]


@pytest.mark.parametrize(
    "text",
    [
        "The ferry left at 7:40, and nobody waved. ",
        "หอสมุดเปิดเวลาเก้าโมงเช้า",
        "图书馆九点开门。",
        "xX",
        "ﷺ½ 語",
        "a\u0301",
    ],
)
def test_a_cut_text_gives_the_same_tokens(tokenizer: Unigram, text: str) -> None:
    long = text * (12_000 // len(text))
    assert len(long) > tokenizer.enough(100)
    assert tokenizer.encode(long, 100) == tokenizer.encode(long)[:100]


@settings(max_examples=300, deadline=None)
@given(
    words=st.lists(st.text("aşIé語½ﷺ١▁.😀𒀀", min_size=1), min_size=1),
    most=st.integers(0, 12),
    run=st.integers(1, 20),
)
def test_wherever_a_text_is_cut_its_first_tokens_stay(
    tokenizer: Unigram, words: list[str], most: int, run: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("rag.embedding.tokenizer._RUN", run)
        text = " ".join(words * 20)
        assert tokenizer.encode(text, most) == tokenizer.encode(text)[:most]


def test_spans_of_a_word_of_any_length_are_sound(tokenizer: Unigram, table: dict[int, str]) -> None:
    check("x" * 20_000 + " 語" * 3 + "語" * 20_000, tokenizer, table)


def test_a_long_text_costs_no_more_than_enough_of_it(tokenizer: Unigram) -> None:
    class Counted(str):
        def translate(self, table: object) -> str:
            raise AssertionError("all of it was read")

    assert len(tokenizer.encode(Counted("rain " * 1_000_000), 510)) == 510


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("İzmir'de 41 ağaç dikildi.", "41"),
        ("נטעו 41 עצים בעיר", "עצים"),
        ("زُرِعَتْ ٤١ شجرة", "٤١"),
        ("The  ﬁrst\r\n\r\ntree", "ﬁrst"),
        (unicodedata.normalize("NFD", "Şu köprü yeni"), unicodedata.normalize("NFD", "köprü")),
        ("\0Posadzono\0 41 drzew\0", "Posadzono"),
        ("\ud83dThey planted 🌳 there", "🌳"),
    ],
)
def test_words_are_where_their_tokens_say(tokenizer: Unigram, text: str, word: str) -> None:
    begin = text.index(word)
    end = begin + len(word)
    spans = tokenizer.encode_spans(text)[1]
    inside = [(a, b) for a, b in spans if a < end and b > begin]
    assert (inside[0][0], inside[-1][1]) == (begin, end)


def test_a_character_of_several_letters_belongs_to_each_of_its_tokens(tokenizer: Unigram) -> None:
    ids, spans = tokenizer.encode_spans("a ﷺ b")
    assert len(ids) == 6
    assert spans == [(0, 1), *[(2, 3)] * 4, (4, 5)]


def test_a_sign_for_a_space_covers_nothing(tokenizer: Unigram) -> None:
    assert tokenizer.encode_spans("語")[1] == [(0, 0), (0, 1)]
    assert tokenizer.encode_spans("a 語 ")[1] == [(0, 1), (2, 2), (2, 3), (3, 3)]
    for text in ("", "   ", "\0"):
        assert tokenizer.encode_spans(text)[1] == [(0, 0)]
