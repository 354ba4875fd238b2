"""The page's HTML read back strictly, and the records that it is made from in tests."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser

from hypothesis import strategies as st

from rag.page.chat.turns import Turn
from rag.records import Answer, Citation, Hit, Statement, StatementStatus, Usage

VOID = {"br", "input"}
PHRASING = {"span", "bdi", "button", "mark", "br"}
ONLY_PHRASING = {"p", "h2", "h3", "span", "bdi", "button", "mark", "dt", "summary", "label"}
HOSTILE = [
    "<img src=x onerror=alert(1)>",
    "<script>alert(1)</script>",
    "</p></div></article><iframe src='http://example.com'>",
    "[a](javascript:alert(1))",
    "![i](http://example.com/i.png)",
    "http://example.com/bare",
    "$$\\href{javascript:alert(1)}{x}$$",
    "${alert(1)} {{value}} {0} {key} `",
    "&lt;b&gt; \"quoted\" 'too' & more",
    '" autofocus onfocus=alert(1) x="',
    "-->]]><!--<!DOCTYPE x>",
    "</bdi></mark></button></table>",
]


@dataclass(eq=False)
class Node:
    """An element: its children are elements and texts, in order."""

    tag: str
    attrs: dict[str, str | None]
    children: list["Node | str"] = field(default_factory=list)

    @property
    def text(self) -> str:
        """What a browser gives as `textContent`."""
        return "".join(each if isinstance(each, str) else each.text for each in self.children)

    def __getitem__(self, name: str) -> str:
        value = self.attrs[name]
        assert value is not None, f"{name} of <{self.tag}> has no value"
        return value

    def walk(self) -> Iterator["Node"]:
        """All elements within, in the order of the document."""
        for child in self.children:
            if isinstance(child, Node):
                yield child
                yield from child.walk()

    def all(self, what: str) -> list["Node"]:
        """Elements of a tag, or of a ".class"."""
        return [each for each in self.walk() if each.matches(what)]

    def one(self, what: str) -> "Node":
        found = self.all(what)
        assert len(found) == 1, f"{len(found)} of {what}"
        return found[0]

    def matches(self, what: str) -> bool:
        classes = (self.attrs.get("class") or "").split()
        return what[1:] in classes if what.startswith(".") else self.tag == what

    def following(self, node: "Node") -> "Node | str":
        """What comes directly after a child of this element or of one within."""
        for parent in [self, *self.walk()]:
            if node in parent.children:
                return parent.children[parent.children.index(node) + 1]
        raise AssertionError("not within")

    @property
    def skeleton(self) -> list[tuple[str, list[str]]]:
        """Every tag with the names of its attributes."""
        return [(each.tag, sorted(each.attrs)) for each in self.walk()]


class _Strict(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open = [Node("root", {})]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len({name for name, _ in attrs}) == len(attrs), f"<{tag}> repeats an attribute"
        parent = self.open[-1]
        assert parent.tag not in ONLY_PHRASING or tag in PHRASING, f"<{tag}> in <{parent.tag}>"
        if tag in ("button", "form"):
            assert all(each.tag != tag for each in self.open), f"<{tag}> in <{tag}>"
        node = Node(tag, dict(attrs))
        parent.children.append(node)
        if tag not in VOID:
            self.open.append(node)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop().tag == tag, f"</{tag}> closes another element"

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        raise AssertionError(f"<{tag}/> means nothing in HTML")

    def handle_data(self, data: str) -> None:
        self.open[-1].children.append(data)

    def handle_comment(self, data: str) -> None:
        raise AssertionError(f"a comment: {data}")

    def handle_decl(self, decl: str) -> None:
        raise AssertionError(f"a declaration: {decl}")

    def handle_pi(self, data: str) -> None:
        raise AssertionError(f"an instruction: {data}")

    def unknown_decl(self, data: str) -> None:
        raise AssertionError(f"a declaration: {data}")


def read_html(html: str) -> Node:
    """The HTML as a tree; fails unless every tag is closed in order and every id stands once.

    WaitingLine breaks are made alike first, and NUL is refused, as the HTML standard has it.
    """
    assert "\x00" not in html
    html.encode()  # fails for half of a surrogate pair
    parser = _Strict()
    parser.feed(html.replace("\r\n", "\n").replace("\r", "\n"))
    parser.close()
    assert [each.tag for each in parser.open] == ["root"], "an element is not closed"
    root = parser.open[0]
    ids = [each["id"] for each in root.walk() if "id" in each.attrs]
    assert len(ids) == len(set(ids)), "an id stands twice"
    for each in root.walk():
        refused = {n for n in each.attrs if n.startswith("on") or n in ("style", "href", "src")}
        assert not refused, refused
    return root


# --- records

QUOTE = "הסירה עלתה 3 שקלים,\r\nו-17 דייגים (2024) חתמו עם Rossi."
CITATION = Citation(
    1, "port.txt", 40, 40 + len(QUOTE), QUOTE, title="הנמל נפתח", lang="he", date="2024-07-01"
)
HIT = Hit(
    "port.txt",
    30,
    30 + len(QUOTE) + 20,
    QUOTE,
    score=0.913,
    lang="he",
    title="הנמל נפתח",
    date="2024-07-01",
)
OTHER = Hit("bread.txt", 0, 13, "Bread is dear", score=0.2, lang="en", title="Bread")


def statement(
    text: str, marks: tuple[int, ...], status: StatementStatus, start: int = 0
) -> Statement:
    return Statement(text, marks, status, start, start + len(text))


def answered(said: str = "The boat cost 3 shekels.", /, **changes: object) -> Answer:
    """A checked sentence with one mark; changes are fields of the Answer."""
    fields: dict[str, object] = {
        "text": f"{said} [1]",
        "citations": (CITATION,),
        "abstained": False,
        "language": "en",
        "hits": (HIT, OTHER),
        "usage": Usage(1, 900, 40, 0),
        "seconds": 3.21,
        "mode": "generated",
        "query": "What did the boat cost?",
        "model": "some-model",
        "statements": (statement(said, (1,), "checked"),),
        **changes,
    }
    return Answer(**fields)  # type: ignore[arg-type]


def abstained(**changes: object) -> Answer:
    text = "The articles do not say. Nearest in the articles: “\u2068הנמל נפתח\u2069”."
    return answered(
        **{
            "text": text, "citations": (), "abstained": True, "mode": "abstained",
            "usage": Usage(), "statements": (), **changes,
        }
    )  # fmt: skip


def whole(answer: Answer, **changes: object) -> Turn:
    """A turn that has its answer."""
    fields: dict[str, object] = {
        "question": "What did the boat cost?", "key": "k1", "state": "whole",
        "text": answer.text, "answer": answer, **changes,
    }  # fmt: skip
    return Turn(**fields)  # type: ignore[arg-type]


def hostile_answer(text: str, mode: str) -> Answer:
    """Other people's words wherever an answer has any."""
    citation = Citation(1, text, 0, 9, text, title=text, lang=text, page=3, date=text)
    quoted = mode == "quoted"
    refused = Statement(text, (), "refused", reason=text)
    return Answer(
        text=f"{text} [1]",
        citations=(citation,),
        abstained=mode in ("abstained", "small_talk"),
        language=text,
        hits=(Hit(text, 0, 9, text, score=0.5, lang=text, title=text, date=text, publisher=text),),
        usage=Usage(1, 2, 3, 4, 0.005),
        seconds=1.0,
        mode=mode,  # type: ignore[arg-type]
        query=f"{text} {text}",
        model=text,
        statements=(statement(text, (1,), "quoted" if quoted else "checked"), refused),
    )


def hostile_turn(text: str, state: str, mode: str | None, doing: str = "reading") -> Turn:
    """Other people's words wherever a turn has any."""
    answer = hostile_answer(text, mode) if mode else None
    return Turn(
        question=text,
        key=text,
        where={"source": text, "lang": [text], "date": {"gte": text, text: text}, text: text},
        state=state,  # type: ignore[arg-type]
        doing=doing,  # type: ignore[arg-type]
        text=answer.text if answer else text,
        hits=() if answer else (Hit(text, 0, 9, text, score=0.5, lang=text, title=text),),
        answer=answer,
        fault=text,
    )


LETTERS = "aZİış éąбשאלִם׳״عربيةّ٣٤12۳,.:/-−+%$€()[]\"'“”«»\r\n\t\u2068\u2069\u202e\u200d中"
MIXED = st.text(st.sampled_from(LETTERS)) | st.text()


def shown(text: str) -> str:
    """The text as HTML can hold it: of the same length in code points."""
    return "".join("\ufffd" if c == "\x00" or "\ud800" <= c <= "\udfff" else c for c in text)
