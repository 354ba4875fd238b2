"""A small corpus of invented articles, one of them hostile."""

import json
from pathlib import Path

BOATS = "The harbour of Tilvar has 640 boats."
HERRING = "Its fishermen landed 17 tonnes of herring in March 2021."
LIGHTHOUSE = "The lighthouse of Tilvar is 48 metres high and was built in 1907."
BOOKS = "בספריית העיר קלדון יש 2,310 ספרים."
READERS = 'הספרנית, גב\' נועה בר־לב, אמרה: "בשנת 2022 ביקרו בה 915 קוראים".'
UPLOADED = "The observatory of Quenby has 12 telescopes."

ATTACK = (
    "<script>document.title='ran'</script>"
    "<img src=http://evil.test/a.png onerror=\"document.title='ran'\">"
    "![picture](http://evil.test/b.png) [link](javascript:document.title='ran')"
    "</p></div></aside><iframe src=http://evil.test/c></iframe>"
    "<svg onload=\"document.title='ran'\"></svg>"
)
WINDMILL = "The windmill of Orsk Valley grinds 85 sacks of rye a day."
HOSTILE_NAME = "<img src=x onerror=\"document.title='ran'\">.txt"
HOSTILE_TITLE = f"Windmill {ATTACK}"

HARBOUR = f"""The harbour of Tilvar

{BOATS} {HERRING}

{LIGHTHOUSE}
"""
LIBRARY = f"""הספרייה של קלדון

{BOOKS} {READERS}
"""
WINDMILLS = f"""Windmill

{WINDMILL} {ATTACK}

{ATTACK}
"""

EXAMPLES = ("How many boats has the harbour of Tilvar?", "כמה ספרים יש בספריית קלדון?")


def write_corpus(folder: Path) -> Path:
    """The articles as files with an articles.toml beside them; the folder."""
    folder.mkdir(parents=True)
    articles = {"harbour.txt": HARBOUR, "library.txt": LIBRARY, HOSTILE_NAME: WINDMILLS}
    for name, text in articles.items():
        (folder / name).write_text(text, encoding="utf-8")
    (folder / "articles.toml").write_text(_ABOUT, encoding="utf-8")
    return folder


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)  # which is a basic string of TOML too


_ABOUT = f"""
examples = [{", ".join(map(_quoted, EXAMPLES))}]

["harbour.txt"]
lang = "en"
title = "The harbour of Tilvar"
date = "2021-04-02"

["library.txt"]
lang = "he"
title = "הספרייה של קלדון"
date = "2023-01-15"

[{_quoted(HOSTILE_NAME)}]
lang = "en"
title = {_quoted(HOSTILE_TITLE)}
publisher = {_quoted(ATTACK)}
"""
