"""Text -> paragraphs -> sentences, in every language that a table or a rule knows.

Text is never changed: everything here is a span of it. What a language does
its own way stands in tables; the rules read them.

Where text leaves it open, two sentences stay one: a quote that holds more than
its sentence still tells the truth, half a sentence may not.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

Span = tuple[int, int]


# ---- what each language does its own way ------------------------------------


@dataclass(frozen=True, slots=True)
class Abbreviations:
    """Words before a full stop, without it; matched in lower case."""

    joins: str = ""
    """Something always follows: titles, "for example"."""
    ends: str = ""
    """May stand last in a sentence: "etc.", "Inc."."""
    dated: str = ""
    """After a number like `ends` ("2023 г."), else like `joins` ("г. Москва")."""
    counts: str = ""
    """Only before a number ("No. 5"); else an ordinary word."""


_EVERYWHERE = Abbreviations(
    joins="dr prof st mr mrs ms vs cf", ends="etc inc ltd corp", counts="no nr vol"
)

_ABBREVIATIONS = {
    "en": Abbreviations(
        joins="messrs rev hon gen lt col maj capt cpt cmdr sgt gov sen rep pres st mt ft"
        " approx ca esp incl jan feb mar apr jun jul aug sep sept oct nov dec e.g i.e viz",
        ends="co jr sr al ave blvd rd dept est a.m p.m ph.d u.s u.k u.n e.u",
        counts="nos p pp fig figs art sec ch eq",
    ),
    "tr": Abbreviations(
        joins="doç yrd av op uzm müh mim org gen alb yb bnb yzb kd sn bkz örn öğr gör hz st çev haz"
        " ed mah cad sok bul blv apt m.ö m.s t.c tel yay ör krş dz tuğg tümg korg orgn kur hv kv",
        ends="vb vs vd a.ş şti ltd tic",
        dated="yy",
        counts="s sf md par c",
    ),
    "az": Abbreviations(
        joins="prof dos akad məs bax küç pr e.ə ş ing", ends="b s və.s b.k", dated="il əsr"
    ),
    "uz": Abbreviations(joins="akad mas qar sh ko'ch", ends="b h.k b.q", dated="y yy"),
    "kk": Abbreviations(
        joins="мыс проф акад доц инж ген көш ауд обл қ м ш ред б.з.б б.з.д б.з",
        ends="т.б т.с.с т.с т.т млн млрд трлн мың тг",
        dated="ж жж ғ ғғ",
        counts="б бб",
    ),
    "ru": Abbreviations(
        joins="ул пр просп пер пл наб бул корп обл р-н им проф акад доц инж ген полк подп кап лейт"
        " св т.е т.н т.к т.о напр см ср англ лат нем фр рис табл гл тел ред изд род ок о п пос дер"
        " гр г-н г-жа дж ум к.т.н д.т.н к.э.н д.э.н канд докт",
        ends="т.д т.п др пр проч тыс млн млрд трлн руб долл коп чел мин сек ч н.э экз",
        dated="г гг в вв",
        counts="ст стр с пп д кв оф",
    ),
    "uk": Abbreviations(
        joins="вул просп пров пл наб бул корп обл р-н ім проф акад доц інж ген св т.зв т.ч напр див"
        " англ лат рис табл тел ред вид м смт с о",
        ends="т.д т.п ін тис млн млрд грн дол коп чол н.е",
        dated="р рр ст",
        counts="стор п пп буд кв",
    ),
    "pl": Abbreviations(
        joins="np tzw tzn tj m.in m.st ul al pl os im św bł ks bp abp kard o prof hab inż mgr lek"
        " gen płk ppłk mjr kpt por sierż st woj pow gm ur zm ok por red wyd tłum ang niem fr ros"
        " łac wł pt ds dot tel godz n.p.m",
        ends="itd itp in tys mln mld zł gr br ub bm",
        dated="r w ww n.e p.n.e",
        counts="s str art ust pkt poz lit par",
    ),
    "de": Abbreviations(
        joins="z.b d.h u.a bzw ca hr fr frl st abs vgl inkl evtl ggf sog geb gest bspw insb bes"
        " mio mrd jan feb aug sept okt nov dez dipl ing hrsg i.d.r z.t u.u o.ä tel mind max",
        ends="usw str v.chr n.chr co",
        dated="jh",
        counts="s bd art kap ziff",
    ),
    "fr": Abbreviations(
        joins="m mm pr st ste p.ex cf env av apr av.j j c.-à-d éd boul tél janv févr juil sept"
        " oct nov déc",
        ends="etc s.a j.-c",
        counts="p pp chap art fig n",
    ),
    "es": Abbreviations(
        joins="ee sr sra srta sres dra d dña ud uds lic ing gral av avda p.ej sto sta aprox tel",
        ends="ee.uu s.a cía a.c d.c",
        counts="núm pág págs art cap",
    ),
    "it": Abbreviations(
        joins="sig sigg sig.ra dott dott.ssa ing avv on sen gen p.es es ca",
        ends="ecc s.p.a a.c d.c",
        counts="pag pagg art cap n",
    ),
    "pt": Abbreviations(
        joins="sr sra srs dra eng gen av p.ex aprox tel",
        ends="s.a ltda eua a.c d.c",
        counts="pág págs art n cap",
    ),
    "nl": Abbreviations(
        joins="dhr mevr mr drs ir ing bijv d.w.z o.a m.a.w i.p.v ca resp nl",
        ends="enz n.v b.v jl",
        counts="blz art",
    ),
    "el": Abbreviations(
        joins="κ κα δρ καθ π.χ δηλ βλ λ.χ αγ", ends="κ.ά κ.λπ μ.χ π.χρ", counts="αρ σελ"
    ),
    "ar": Abbreviations(joins="د أ م أ.د", ends="إلخ الخ ق.م", dated="م هـ", counts="ص ج"),
    "fa": Abbreviations(joins="د م", ends="ق.م", counts="ص ج"),
    "hi": Abbreviations(joins="डॉ प्रो श्री पं सु कु"),
}

_ORDINAL_DOT = "tr tk pl de cs sk hu fi da no nb nn is et lv sl hr sr bs eu"
"""Languages that write "3rd" as "3."; an unknown language is taken for one of them."""

_STARTERS = {
    "en": "a an the this that these those it its he his she her they their we our i you there here"
    " in on at by for from to with as if when while after before since but and or nor so however"
    " meanwhile although also both many most some several no what who such then thus now one",
    "de": "der die das dies diese dieser dieses ein eine er sie es wir ich ihr sein seine in im am"
    " an auf aus bei mit nach seit von vor zu zum zur für und aber doch auch dabei damit danach"
    " allerdings außerdem jedoch",
    "tr": "bu bunu bunun buna bunlar bunlardan şu o onu onun ben biz onlar ancak ayrıca fakat ama"
    " çünkü böylece öte diğer ve ise daha sonra",
    "pl": "to ten ta te w we na z ze do po za od o on ona ono oni nie jak ale oraz jednak ponadto"
    " dodał dodała według przed przy dla",
    "ru": "в во на по но он она они оно это этот эта эти также однако при для из к как кроме ранее"
    " мы я об о за после до",
    "uk": "у в на по але він вона вони воно це цей ця ці також однак при для із з до як крім",
    "kk": "бұл ол олар біз мен осы сонымен алайда бірақ енді мұнда бұған сондай-ақ",
}
"""Words that begin a sentence and no name: after "3." or "U.S." they settle the doubt."""

_NAMES_FOLLOW = "en de"
"""Languages where a capital after "Inc." or "usw." tells little: only a starter does."""

_SAYING = {
    "he": "אמר אמרה אמרו ציין ציינה ציינו הוסיף הוסיפה הוסיפו הדגיש הדגישה הסביר הסבירה שאל שאלה"
    " השיב השיבה ענה ענתה טען טענה הבהיר הבהירה הצהיר הצהירה סיפר סיפרה כתב כתבה קרא קראה מסר מסרה",
    "ar": "قال قالت قالوا يقول تقول أضاف أضافت أكد أكدت صرح صرحت سأل سألت أجاب أجابت أوضح أوضحت ذكر"
    " ذكرت تابع تابعت كتب كتبت هتف صاح",
    "fa": "گفت افزود پرسید نوشت",
}
"""Verbs that report the quote before them, where no small letter shows it."""

_SAYING_CJK = re.compile(
    "[他她我你您它]?们?[^\\W\\d_]{0,8}?(?:说道|说|說|道|问|問|答|称|稱|表示|指出|强调|強調|写道|喊|と|って)"
)
"""The same right after a closing quote: a speaker of at most eight signs, then the verb."""

_STOP_OF = {"el": ";", "hy": ":"}
"""Signs that end a sentence in one language only."""

_SPACED_STOPS = ".!?…‽‼⁇⁈⁉"
"""End a sentence only before white space: 3.14, example.org, Yahoo!'s."""

_FREE_STOPS = "。！？｡．؟۔।॥։።፧፨။។៕\u037e"
"""End a sentence whatever follows; these scripts may write no space."""

_MARKS = "\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff"
"""Signs without width, most of them for right-to-left text."""

_QUOTES = "\"'”’“‘»›«‹」』״"
_CLOSERS = rf"(?:[\"'”’›」』״)\]}}）】》〉〗〕］｝*_~{_MARKS}]|[“‘»«‹](?!\w))"
"""A sign that closes after a stop; the last ones open where a word follows."""
_DASHES = "-‐‑–—―"


class _Rules:
    """The tables of one language, ready to look up."""

    def __init__(self, lang: str) -> None:
        own = _ABBREVIATIONS.get(lang or "en", Abbreviations())
        self.joins = _word_set(_EVERYWHERE.joins, own.joins)
        self.ends = _word_set(_EVERYWHERE.ends, own.ends)
        self.dated = _word_set(_EVERYWHERE.dated, own.dated)
        self.counts = _word_set(_EVERYWHERE.counts, own.counts)
        self.starters = _word_set(_STARTERS.get(lang or "en", ""))
        self.saying = _word_set(_SAYING.get(lang, ""))
        self.names_follow = not lang or lang in _word_set(_NAMES_FOLLOW)
        self.ordinal_dot = not lang or lang in _word_set(_ORDINAL_DOT)
        self.stop = _stop_pattern(_STOP_OF.get(lang, ""))


def _word_set(*tables: str) -> frozenset[str]:
    return frozenset(" ".join(tables).split())


@lru_cache(maxsize=64)
def _rules(lang: str) -> _Rules:
    """The rules of an ISO 639-1 code, with or without a region after it."""
    return _Rules(lang.partition("-")[0].lower())


def _stop_pattern(extra: str) -> re.Pattern[str]:
    """One or more stops with the quotes, brackets and note marks that close after them."""
    stops = f"(?:[{_SPACED_STOPS}{_FREE_STOPS}{extra}]+|፡፡)"
    return re.compile(
        rf"{stops}(?:{_CLOSERS}+{stops})*(?P<closers>{_CLOSERS}*(?:[ \xa0\u202f]»(?!\w))?)"
        r"(?:\[[^\]\n]{1,30}\])*"
    )


# ---- paragraphs ------------------------------------------------------------

_LINE = re.compile(r"[^\n\r\v\f\x1c-\x1e\x85\u2028\u2029]+")
_LINE_END = re.compile(r"\r\n|[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]")
_PARAGRAPH_END = re.compile(r"[\f\u2029]")
_WIDE = re.compile(
    r"[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60]"
)
_BULLET = re.compile(r"[-–—•*·◦▪‣][ \t\xa0]|\(?(?:\d{1,3}|[^\W\d_])[.)][ \t\xa0]")
_STOPPED = re.compile(rf"[{_SPACED_STOPS}{_FREE_STOPS}:;؛]{_CLOSERS}*$")

_WRAP_COLUMNS = (40, 120)
"""Hard-wrapped text is at least and at most this wide; a wide sign is two columns."""

_ROOM = 0.85
"""A line shorter than this part of the width, next word included, ended on purpose.
Below 1 as PDF lines are even in millimetres, not in letters."""


@dataclass(frozen=True, slots=True)
class _Line:
    """A line that is not blank, without the white space around it."""

    start: int
    end: int
    columns: int
    next_word: int
    """Columns of its first word: what the line before had no room for."""
    apart: bool
    """Whether a blank line or a paragraph separator stands before it."""


def _lines(text: str) -> list[_Line]:
    found: list[_Line] = []
    last = 0
    for match in _LINE.finditer(text):
        line = trim(text, match.start(), match.end())
        if line is None:
            continue
        start, end = line
        gap = text[last:start]
        apart = len(_LINE_END.findall(gap)) > 1 or bool(_PARAGRAPH_END.search(gap))
        words = text[start:end].split(None, 1)
        first = 2 if _WIDE.match(words[0]) else len(words[0])
        columns = end - start + len(_WIDE.findall(text, start, end))
        found.append(_Line(start, end, columns, first, apart or not found))
        last = end
    return found


def trim(text: str, start: int, end: int) -> Span | None:
    """The span without white space at its ends; None when nothing is left."""
    while start < end and text[start].isspace():
        start += 1
    while start < end and text[end - 1].isspace():
        end -= 1
    return (start, end) if start < end else None


def paragraphs(text: str) -> list[Span]:
    """Trimmed spans that hold all of the text but white space.

    A blank line ends a paragraph. So does each line end, unless the text is
    hard-wrapped and the line had no room for the next word.
    """
    lines = _lines(text)
    width = _wrap_width(text, lines)
    spans: list[Span] = []
    for before, line in zip([None, *lines], lines, strict=False):
        if before is not None and not line.apart and _flows(text, before, line, width):
            spans[-1] = (spans[-1][0], line.end)
        else:
            spans.append((line.start, line.end))
    return spans


def _full(before: _Line, line: _Line, width: float) -> bool:
    return before.columns + 1 + line.next_word > _ROOM * width


def _flows(text: str, before: _Line, line: _Line, width: float) -> bool:
    """Whether a sentence may run from one line into the next; a list item begins anew."""
    if not width or not _full(before, line, width):
        return False
    return not (_BULLET.match(text, line.start) and _may_precede_item(text, before))


def _may_precede_item(text: str, line: _Line) -> bool:
    shown = text[line.start : line.end]
    return bool(_STOPPED.search(shown[-8:]) or _BULLET.match(shown))


def _wrap_width(text: str, lines: list[_Line]) -> int:
    """The width the text is hard-wrapped to, 0 when each line is a paragraph.

    Wrapped text has nearly all lines full, few that end in a stop, and many
    that begin in small letters.
    """
    columns = sorted(line.columns for line in lines)
    pairs = [(a, b) for a, b in pairwise(lines) if not b.apart and not _BULLET.match(text, b.start)]
    if not pairs:
        return 0
    width = columns[-1 - len(columns) // 20]  # a long address does not set the width
    full = sum(_full(a, b, width) for a, b in pairs)
    stopped = sum(bool(_STOPPED.search(text, max(a.start, a.end - 8), a.end)) for a, _ in pairs)
    first = [text[b.start] for _, b in pairs if text[b.start].lower() != text[b.start].upper()]
    capitals = sum(map(str.isupper, first))
    least, most = _WRAP_COLUMNS
    wrapped = (
        least <= width <= most
        and full >= 0.75 * len(pairs)
        and stopped <= 0.5 * len(pairs)
        and capitals <= 0.7 * len(first)
        and (len(pairs) > 1 or bool(first))
    )
    return width if wrapped else 0


# ---- sentences ---------------------------------------------------------------


def split_sentences(text: str, lang: str) -> list[Span]:
    """Spans of the sentences, in order, apart, trimmed, holding all but white space.

    `lang` is an ISO 639-1 code or ""; it chooses the tables of abbreviations
    and ordinals. Closing quotes belong to the sentence they close, and so does
    the clause that reports a quote: `"Why?" he asked.` is one sentence.

    >>> text = "Dr. Kaya 3. katta. Gelmedi!"
    >>> [text[start:end] for start, end in split_sentences(text, "tr")]
    ['Dr. Kaya 3. katta.', 'Gelmedi!']
    """
    return [span for paragraph in paragraphs(text) for span in sentences_of(text, paragraph, lang)]


def sentences_of(text: str, paragraph: Span, lang: str) -> list[Span]:
    """The sentences of one paragraph; bare punctuation joins the sentence before it."""
    (start, end), rules = paragraph, _rules(lang)
    spans: list[Span] = []
    for cut in [*_sentence_ends(text, start, end, rules), end]:
        span = trim(text, start, cut)
        start = cut
        if span is None:
            continue
        if spans and not (has_letter(text, *span) and has_letter(text, *spans[-1])):
            span = (spans.pop()[0], span[1])
        spans.append(span)
    return spans


def has_letter(text: str, start: int, end: int) -> bool:
    """Whether the span holds a letter or a digit of any script."""
    return any(map(str.isalnum, text[start:end]))


def _sentence_ends(text: str, start: int, end: int, rules: _Rules) -> Iterator[int]:
    """Offsets inside the paragraph after which the next sentence begins."""
    capitals = text[start:end].lower() != text[start:end]
    for match in rules.stop.finditer(text, start, end):
        if match.end() < end and _ends(_Stop(text, start, end, match, capitals), rules):
            start = match.end()
            yield start


_HEAD = re.compile(r"\s*(?P<mark>(?:[^\w\s]{1,8}\s*){0,3})(?P<word>[^\W_][^\s]{0,40})?")
_SEMITIC = re.compile("[\u05d0-\u05ea\u0620-\u064a]{4}")
_CAMEL_CASE = re.compile(r"[a-zа-я]{1,2}[A-ZА-Я]")
_CONTINUES = frozenset(",;:،؛、，；：)]}")


class _Stop:
    """A run of stops with what stands around it."""

    __slots__ = (
        "before",
        "capitals",
        "closers",
        "last",
        "mark",
        "next",
        "run",
        "start",
        "text",
        "word",
    )

    def __init__(self, text: str, start: int, end: int, match: re.Match[str], capitals: bool):
        self.text = text
        self.start = start
        """Where the sentence begins."""
        self.before = match.start()
        self.last = text[max(start, self.before - 1) : self.before]
        """The sign before the stop, "" at the sentence's begin."""
        self.capitals = capitals
        """Whether the paragraph has capitals at all, so that their absence tells something."""
        self.closers = match["closers"]
        self.run = match[0]
        self.next = text[match.end()]
        head = _HEAD.match(text, match.end(), end)
        self.mark = head["mark"] if head else ""
        """Quotes, dashes and brackets before the next word."""
        self.word = (head["word"] or "") if head else ""

    @property
    def small(self) -> bool:
        """Whether the next word begins with a small letter, and means it (not "eBay")."""
        first = self.word[:1]
        return (
            self.capitals
            and first.islower()
            and first.title() != first
            and not _CAMEL_CASE.match(self.word)
        )


def _ends(stop: _Stop, rules: _Rules) -> bool:
    """Whether the sentence ends at this stop."""
    free = any(char in _FREE_STOPS for char in stop.run) or "፡፡" in stop.run
    if not (free or stop.next.isspace() or _needs_no_space(stop)):
        return False
    if stop.next in _CONTINUES or stop.mark[:1] in _CONTINUES or stop.small:
        return False
    if free and stop.next.isdigit() and stop.last.isdigit():
        return False
    if stop.last and stop.last in "([（":
        return False
    return not (_reported(stop, rules) or (_is_dot(stop) and _dot_joins(stop, rules)))


def _needs_no_space(stop: _Stop) -> bool:
    """Whether a sentence can follow at once: after "?" in Han, after a word in Hebrew or Arabic."""
    if stop.run[-1] in "!?" and _WIDE.match(stop.next):
        return True
    around = stop.text[max(stop.start, stop.before - 3) : stop.before] + stop.next
    return bool(_SEMITIC.fullmatch(around))


def _is_dot(stop: _Stop) -> bool:
    return stop.run.count(".") == 1 and not any(c in stop.run for c in "!?…‽")


def _reported(stop: _Stop, rules: _Rules) -> bool:
    """Whether a clause follows that says who said the quote that closes here."""
    if not any(char in _QUOTES for char in stop.closers):
        return False
    if stop.mark[:1] and stop.mark[0] in _DASHES:
        return True
    if stop.mark:
        return False
    if _WIDE.match(stop.word):
        return bool(_SAYING_CJK.match(stop.word))
    return stop.word.rstrip(".,:;،؛") in rules.saying


# ---- a full stop that is part of a word ----------------------------------------

_TOKEN = re.compile(r"[^\s()\[\]{}\"“”„«»…,;:!?؟،/]*$")
_SPACED_TOKEN = re.compile(r"(?<!\w)(?:[^\W\d_]{1,2}\.[ \xa0\u202f]?){1,3}[^\W\d_]{1,3}$")
_DOTTED = re.compile(r"[^\W\d_](?:\.-?[^\W\d_])+")
_ONE_LETTER_WORDS = frozenset("aeiouyаеиоуэюяєıә")
"""Small vowels are words ("o", "я") more often than they abbreviate one."""

_ONE_LETTER = re.compile(r"[^\W\d_]\.")
_ROMAN = re.compile(r"[IVXLC]+")
_NUMBER_BEFORE = re.compile(r"(?:\d|\b[IVXLC]+)[\s\xa0-]*$")
_LIST_NUMBER = re.compile(r"\d{1,3}(?:\.\d{1,3})*")

_LOOK_BACK = 48
"""Characters before a stop that can hold an abbreviation and the number before it."""

_CLAUSE_WORDS = 4
"""Fewer words than this before "2023 г." are no sentence yet."""


def _dot_joins(stop: _Stop, rules: _Rules) -> bool:
    """Whether the one full stop belongs to a number, an initial or an abbreviation."""
    window = stop.text[max(stop.start, stop.before - _LOOK_BACK) : stop.before]
    found = _TOKEN.search(window)
    token = found[0].lstrip(_DASHES + "'‘’„«") if found else ""
    if not token:
        return False
    if token[-1].isdigit() or _ROMAN.fullmatch(token):
        return _number_joins(token, stop, rules)
    spaced = _SPACED_TOKEN.search(window)
    long_form = re.sub(r"\s", "", spaced[0]) if spaced else token
    for form in (long_form, token):
        joins = _abbreviation_joins(_key(form), window, stop, rules)
        if joins is not None:
            return joins
    return _is_initial(token, stop.word) and stop.word.lower() not in rules.starters


def _key(form: str) -> str:
    return unicodedata.normalize("NFC", form).lower().replace("i\u0307", "i")


def _number_joins(token: str, stop: _Stop, rules: _Rules) -> bool:
    """Whether this is "1." before a list item or an ordinal like "3. Bölüm"."""
    lead = stop.text[stop.start : min(stop.before - len(token), stop.start + _LOOK_BACK)]
    at_start = not lead.strip("( \t" + _DASHES)
    if at_start and (_LIST_NUMBER.fullmatch(token) or len(token) < 4):
        return True
    short = len(token) <= 3 and token.isdigit()
    ordinal = short or bool(_ROMAN.fullmatch(token))
    return rules.ordinal_dot and ordinal and stop.word.lower() not in rules.starters


def _abbreviation_joins(key: str, window: str, stop: _Stop, rules: _Rules) -> bool | None:
    """Whether the tables say that the sentence goes on; None when they do not know the word."""
    if key in rules.dated:
        before = window[: len(window) - len(key)]
        return _may_end_joins(stop, rules) if _NUMBER_BEFORE.search(before) else True
    if key in rules.counts:
        return stop.word[:1].isdigit() or bool(_ROMAN.fullmatch(stop.word)) or None
    if key in rules.ends:
        return _may_end_joins(stop, rules)
    return True if key in rules.joins else None


def _may_end_joins(stop: _Stop, rules: _Rules) -> bool:
    """Whether the sentence goes on after an abbreviation that can stand last in it."""
    if stop.word[:1].isdigit():
        return True
    if rules.names_follow or stop.word.lower() in rules.starters:
        return stop.word.lower() not in rules.starters
    words = stop.text[max(stop.start, stop.before - 200) : stop.before].split()
    return len(words) < _CLAUSE_WORDS


def _is_initial(token: str, next_word: str) -> bool:
    """Whether it is one letter or dotted letters: "J", "А.С", "ג"; not "o" or "я" as a word."""
    letters = "".join(c for c in unicodedata.normalize("NFD", token) if not is_mark(c))
    if _DOTTED.fullmatch(letters):
        return True
    if len(letters) != 1 or not letters.isalpha() or _WIDE.match(letters):
        return False
    return letters not in _ONE_LETTER_WORDS or bool(_ONE_LETTER.match(next_word))


def is_mark(char: str) -> bool:
    """Whether it is a combining mark: an accent, a vowel point, a sign of niqqud or tashkeel."""
    return unicodedata.category(char)[0] == "M"
