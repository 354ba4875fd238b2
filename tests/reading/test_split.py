"""Paragraphs, sentences and passages are exact spans, cut where each language ends them."""

import unicodedata
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.languages.sentences import split_sentences
from rag.reading.split import split_document
from rag.records import Document

# One text a line; "|" stands where a sentence ends, and for the space there.
SENTENCES = {
    "tr": """
Dr. Ayşe Kaya geldi.|Sonra gitti.
Prof. Dr. Ali Öz ve Av. Can Su konuştu.|Kimse itiraz etmedi.
Toplantı 3. Sanayi Kongresi'nde yapıldı.|Kongre iki gün sürdü.
Bu, 21. yüzyılın ilk köprüsüdür.|Uzunluğu 3.14 km'dir.
Kale M.Ö. 5. yüzyılda kuruldu.|Surları sağlamdır.
"Yarın geleceğim." dedi.|Herkes sevindi.
"Neden gelmedin?" diye sordu.|Ses çıkmadı.
Elma, armut vb. meyveler satılıyor.|Fiyatlar düştü.
Depoda bal, reçel, pekmez vb.|Bunlar kışlıktır.
Gelir 1.234,56 liraydı.|2023'te 2 katına çıktı.
İlk ay II. Bölüm açıldı.|Işıklar yandı.
Ne güzel!|Işık söndü...|İçeri girdik.
Fiyat %32 arttı.|"Bu beklenmiyordu", dedi müdür.
Bkz. Ek 2, s. 14 ve md. 5 için.|Örn. Ankara böyledir.
Sıralamada 15.|Bu sonuç iyi.
""",
    "he": """
ד"ר לוי הגיע.|הוא דיבר קצר.
המחיר עלה ב-3.5 אחוזים ב-2023.|השנה הוא ירד.
"אני מסכים." אמר השר.|הקהל מחא כפיים.
"מתי תגיעו?" שאלה המורה.|איש לא ענה.
מה קרה?|לא ידוע.
א. ב. יהושע כתב רומן.|הספר הצליח.
פרופ' כהן, ח"כ לשעבר, נאם במליאה.|צה"ל הגיב.
האתר הוא example.co.il ופתוח לכול.|הכניסה חינם!
הוא אמר: "נלך הביתה."|הם הלכו.
היא שתקה…|אחר כך חייכה.
חברת Apple Inc. הודיעה על מכשיר.|המכשיר קטן.
הלחץ היה רב (ראו פרק 4.)|איש לא ויתר.
הַיֶּלֶד רָץ.|הַכֶּלֶב נָבַח.
""",
    "ar": """
وصل د. أحمد صباحا.|ثم غادر.
هل تعرف أ. د. سامي؟|نعم أعرفه.
ارتفع السعر 3.5 في المئة عام 2023.|وانخفض بعد ذلك.
"سنصل غدا." قال الوزير.|لم يعلق أحد.
لماذا تأخر القطار؟|وأين الركاب؟
يا له من يوم!|عاد الجميع إلى البيت.
بيع القمح والشعير؛ ثم بيع التمر.|انتهى الموسم.
الموقع هو example.com وهو مفتوح.|الدخول مجاني.
راجع ص. 15 من الكتاب.|الباب الثاني مهم.
كَتَبَ الوَلَدُ دَرْسَهُ.|نَامَ بَعْدَ ذَلِكَ.
قالت: «سأعود.»|لكنها لم تعد.
صدر القرار رقم 5.|بدأ العمل به فورا.
بلغ العدد ٣٫٥ مليون.|زاد العدد بعد عام.
""",
    "pl": """
Spotkanie z prof. Nowakiem odbyło się wczoraj.|Trwało godzinę.
W 2023 r. Warszawa świętowała.
Umowę podpisano w grudniu ubiegłego 2023 r.|Potem wyjechali.
To 30. rocznica powstania.|Jest co świętować.
Mieszka przy ul. Długiej, np. pod nr. 5.|To blisko.
Kosztuje to 5 tys. zł, tj. mało.|Kupili od razu.
„Nie zgadzam się.” – powiedział minister.|Wyszedł.
„Dlaczego?” – zapytała Anna.|Nikt nie wiedział.
Zbudował go św. Jan w XII w. pod Krakowem.|Stoi do dziś.
J. K. Rowling napisała książkę.|Sprzedano miliony.
Przyszli m.in. Ewa i Jan.|Reszta została.
Koniec o godz. 10.30 rano.|Potem obiad.
To tzw. efekt domina.|Widać go itd. wszędzie.
Walczą z COVID-19.|Szpital działa.
– Idziemy? – spytał.|– Tak!|– No to chodź.
""",
    "en": """
Dr. Smith met Mr. Jones at 5 p.m.|They talked.
J. K. Rowling lives in the U.K. and writes.|She sells well.
The U.S. President spoke.|Nobody in the U.S.|It rained.
"Really?" he asked.|"Yes."|She left.
Pi is 3.14, e.g. in No. 5, v2.0.1 of it.|See example.org.
Apple Inc. CEO Tim Cook spoke.|It was short.
He paid $1,234.56.|50 people saw it.
eBay grew.|eBay sold Skype.|iPhones came later.
Wait... what?|Yes…|Fine.
(He was late.)|[She was not.]
Is it true?!|It is!!|“Good.”|‘Fine.’
Write to a.b@example.com.|Visit https://example.com/a?b=c.|Done.
Brown v. Board was decided on Jan. 5.|All agreed.
They came at noon etc. and left.|No.|That is wrong.
It was cited.[1]|Others disagreed.[citation needed]|It stands.
""",
    "ru": """
А. С. Пушкин родился в Москве.|Он поэт.
Дом стоит на ул. Ленина, т. е. рядом.|Это близко.
В 2023 г. Москва выросла.
Завод был построен в 1950 г.|Он работает.
Купили хлеб, соль и т. д.|Потом ушли.
Цена 5 тыс. руб. за штуку.|Дорого!
«Кто там?» — спросил он.|Тишина.
«Иду.» — сказал отец.|Он вышел.
Живёт в г. Москве, д. 5, кв. 12.|Звоните!
Это проф. И.И. Иванов, см. рис. 3.|Он прав.
Рост 3,14 % (т.е. мало).|Ждём.
Ну что ж… пошли.|Идём.
Пришёл я.|Никого не было.
Выставка им. П. Третьякова открыта.|Вход свободный.
""",
    "kk": """
А. Құнанбайұлы ақын болған.|Ол көп жазды.
Кездесу 2023 ж. Астанада өтті.
Зауыт былтырғы 2022 ж. салынды.|Қазір жұмыс істейді.
Нан, сүт, май т.б. тағамдар бар.|Бағасы төмен.
Бағасы 5 млн. теңге болды.|Бұл көп.
«Келемін.» — деді ол.|Бәрі қуанды.
«Қайда барасың?» деп сұрады анасы.|Ол үндемеді.
Проф. Ахметов Абай к. тұрады.|Үйі үлкен.
Қала халқы 1.5 миллион.|Өсіп келеді!
Мыс. Алматы солай аталады.|Қала әдемі.
ХХ ғ. басында салынған.|Әлі тұр.
Не болды?|Білмеймін...|Күтейік.
Ол 30-шы мектепте оқыды.|Үздік болды.
""",
    "zh": """
他来了。|我们走吧！|好吗？
他说：“我明天来。”|大家都笑了。
“我同意。”他说。|会议结束了。
“为什么？”记者问。|没有人回答。
增长3.14%。|2023年更高。
他等了很久……最后走了。
网址是example.com。|请看。
他（很累。）|睡了。
什么？！|不可能！
《红楼梦》很长。|《西游记》也很长。
“瘟疫”来了。|“瘟疫”走了。
他说，“好。”，然后离开。
这是真的吗?|当然。
""",
    "ja": """
彼は来た。|私は帰る。
「行きます。」と彼は言った。|誰も答えなかった。
本当?|はい！
「どこ？」|「ここ。」
""",
    "de": """
Am 5. Juli 2024 kam Dr. Meier.|Er blieb.
Das gilt z. B. für Köln, d. h. überall.|Gut so.
„Wirklich?“, fragte sie.|„Ja.“|Sie ging.
Im 19. Jahrhundert n. Chr. gab es das usw. nicht.|Schade.
»Nein.«|Er schwieg.
Er wurde 3.|Das reichte.
""",
    "fr": """
M. Dupont est là !|Il part.
« Vraiment ? » demanda-t-elle.|« Oui. »|Il sortit.
Voir p. ex. le chap. 3, p. 12.|Fin.
""",
    "es": "El Sr. Gómez vive en EE. UU. desde 1990.|¿Por qué?|¡No sé!",
    "uk": """
Т. Г. Шевченко жив на вул. Садовій.|«Так?» — спитав він.
У 2023 р. було 5 тис. грн.|Досить.
""",
    "el": "Πού πας;|Πάω π.χ. στην Αθήνα.|Καλά.",
    "hy": "Նա եկավ։|Ես գնացի:|Վերջ։",
    "hi": "डॉ. सिंह आए।|वे चले गए।",
    "ur": "وہ آیا۔|کیا تم جانتے ہو؟|ہاں۔",
    "fa": "او آمد.|چرا رفت؟|نمی‌دانم.",
    "am": "እሱ መጣ።|እሷ ሄደች።",
    "ka": "ის მოვიდა.|მე წავედი.",
    "": "Dr. Who came.|„Tak.” – powiedział.|他来了。|他走了。",
}

CASES = [(lang, line) for lang, lines in SENTENCES.items() for line in lines.strip().splitlines()]
NO_SPACE = ("zh", "ja")


def words(text: str) -> int:
    return len(text.split())


def thirds(text: str) -> int:
    return len(text) // 3 + 1


def slices(text: str, lang: str) -> list[str]:
    return [text[start:end] for start, end in split_sentences(text, lang)]


def paragraphs(text: str) -> list[str]:
    return [passage.text for passage in split_document(Document("a", text), words, 1000)]


@pytest.mark.parametrize(("lang", "line"), CASES)
def test_ends_sentences_where_readers_do(lang: str, line: str) -> None:
    wanted = line.split("|")
    assert slices(("" if lang in NO_SPACE else " ").join(wanted), lang) == wanted


@pytest.mark.parametrize(
    ("lang", "text", "first"),
    [
        ("he", "המשחק נגמר.הקהל הלך הביתה.", "המשחק נגמר."),
        ("ar", "انتهى الاجتماع.وغادر الوفد المدينة.", "انتهى الاجتماع."),
        ("ar", "انتهى الاجتماع.\u200f وغادر الوفد.", "انتهى الاجتماع.\u200f"),
        ("ur", "وہ آیا۔کیا تم گئے؟", "وہ آیا۔"),
        ("tr", unicodedata.normalize("NFD", "Örn. İzmir güzel. Işıl geldi."), None),
    ],
)
def test_ends_a_sentence_without_a_space_after_it(lang: str, text: str, first: str | None) -> None:
    wanted = first or unicodedata.normalize("NFD", "Örn. İzmir güzel.")
    assert slices(text, lang)[0] == wanted
    assert len(slices(text, lang)) == 2


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r", "\u2028", "\u2029", "\x85"])
def test_makes_a_paragraph_of_each_line_of_a_news_text(newline: str) -> None:
    lines = ["Başlık burada", "Birinci paragraf kısa. İkinci cümlesi de var.", "Son paragraf" * 20]
    assert paragraphs(newline.join(lines)) == lines


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_keeps_hard_wrapped_lines_in_one_paragraph(newline: str) -> None:
    wrapped = newline.join(
        [
            "The river rose through the night and by morning the lower fields",
            "were under water, so that the farmers moved their animals to the",
            "hill behind the church. Nobody was hurt, but two barns were lost",
            "and the road to the valley stayed closed.",
        ]
    )
    assert paragraphs(f"Flood{newline}{newline}{wrapped}{newline} \xa0{newline}The end.") == [
        "Flood",
        wrapped,
        "The end.",
    ]
    assert len(slices(wrapped, "en")) == 2


def test_keeps_wrapped_lines_of_han_in_one_paragraph() -> None:
    line = "河水在夜里上涨到了早晨低处的田地都被淹没农民们把牲畜赶到教堂后面"
    assert paragraphs(f"{line}\n{line}\n{line}的山上。") == [f"{line}\n{line}\n{line}的山上。"]


def test_begins_a_paragraph_with_each_list_item_of_a_wrapped_text() -> None:
    intro = "Bring the following things with you, because the shop near the\ncamp is closed:"
    items = [
        "1. A warm sleeping bag, since the nights in the hills are cold\nand often wet.",
        "2. Boots.",
    ]
    assert paragraphs("\n".join([intro, *items])) == [intro, *items]


def test_keeps_short_headings_apart_and_joins_decoration() -> None:
    assert paragraphs("***\n\nBaşlık\n\nMetin burada.\n\n---\n\n* * *\n\nSon.") == [
        "***\n\nBaşlık",
        "Metin burada.\n\n---\n\n* * *",
        "Son.",
    ]


def test_names_the_page_a_passage_begins_on() -> None:
    document = Document("a.pdf", "Bir.\n\nİki.\n\nÜç.", page_starts=(0, 6, 6, 12))
    assert [passage.page for passage in split_document(document, words, 9)] == [1, 3, 4]
    assert split_document(Document("a.txt", "Bir."), words, 9)[0].page is None


def test_carries_what_is_known_about_the_document() -> None:
    document = Document("a", "Bir.", "tr", "Başlık", "2024-07-05", "Ajans")
    passage = split_document(document, words, 9)[0]
    known = (passage.source, passage.lang, passage.title, passage.date, passage.publisher)
    assert known == ("a", "tr", "Başlık", "2024-07-05", "Ajans")


def test_fills_as_few_passages_as_fit_evenly() -> None:
    text = " ".join(f"Sentence number {number} has six words." for number in range(1, 8))
    passages = split_document(Document("a", text, "en"), words, 20)
    assert sorted(len(passage.sentences) for passage in passages) == [2, 2, 3]


def test_cuts_a_long_sentence_at_commas_then_at_spaces() -> None:
    text = "one two three four, five six seven eight, nine ten eleven"
    assert [p.text for p in split_document(Document("a", text), words, 4)] == [
        "one two three four,",
        "five six seven eight,",
        "nine ten eleven",
    ]
    assert all(words(p.text) <= 3 for p in split_document(Document("a", text), words, 3))


@pytest.mark.parametrize(
    "text",
    [
        "הַיֶּלֶד" * 30,
        "كَتَبَ" * 30,
        unicodedata.normalize("NFD", "Şığöüİ" * 30),
        "👩‍👩‍👧" * 30,
        "क्षि" * 30,
    ],
)
def test_never_parts_a_letter_from_its_marks(text: str) -> None:
    passages = split_document(Document("a", text), thirds, 4)
    assert "".join(passage.text for passage in passages) == text
    assert not any(unicodedata.combining(passage.text[0]) for passage in passages)
    assert not any(passage.text.startswith("\u200d") for passage in passages)


def test_refuses_a_budget_that_holds_nothing() -> None:
    with pytest.raises(ValueError, match="0 tokens"):
        split_document(Document("a", "Bir."), words, 0)


def test_counts_tokens_once_for_a_paragraph_that_fits() -> None:
    counted: list[str] = []

    def count(text: str) -> int:
        counted.append(text)
        return 1

    split_document(Document("a", "Bir. İki.\n\nÜç."), count, 9)
    assert counted == ["Bir. İki.", "Üç."]


# ---- what holds for any text ---------------------------------------------------

PIECES = st.sampled_from(
    [
        *"aİışğאًّבَ中。.!?…؟،,;:\"'“”«»()[]-–—* \t\xa0\n\r\x85\u2028\u2029\u200f\u200d9١",
        "\r\n",
        "Dr.",
        " – ",
        "「",
        "\n\n",
    ]
)
ANY_TEXT = st.one_of(st.text(), st.lists(PIECES, max_size=80).map("".join))
LANGS = st.sampled_from([*SENTENCES, "xx"])
COUNTERS = st.sampled_from((words, thirds))


@given(ANY_TEXT, LANGS)
@settings(max_examples=400, deadline=None)
def test_sentences_hold_all_of_any_text_but_white_space(text: str, lang: str) -> None:
    spans = split_sentences(text, lang)
    assert_spans_cover(text, spans)


@given(ANY_TEXT, LANGS, COUNTERS, st.integers(11, 40))
@settings(max_examples=400, deadline=None)
def test_passages_hold_all_of_any_text_within_the_budget(
    text: str, lang: str, count: Callable[[str], int], budget: int
) -> None:
    passages = split_document(Document("a", text, lang), count, budget)
    assert_spans_cover(text, [(passage.start, passage.end) for passage in passages])
    assert_spans_cover(text, [(s.start, s.end) for p in passages for s in p.sentences])
    for passage in passages:
        assert text[passage.start : passage.end] == passage.text
        assert all(text[s.start : s.end] == s.text for s in passage.sentences)
        assert (passage.start, passage.end) == (
            passage.sentences[0].start,
            passage.sentences[-1].end,
        )
        assert count(passage.text) <= budget


def assert_spans_cover(text: str, spans: list[tuple[int, int]]) -> None:
    end = 0
    for start, stop in spans:
        assert end <= start < stop
        assert not text[end:start].strip()
        assert text[start:stop] == text[start:stop].strip()
        end = stop
    assert not text[end:].strip()
