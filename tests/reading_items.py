"""Contexts in several scripts, and questions on them, to make training examples of."""

import gzip
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from training.cross_encoder.examples import Item

CONTEXTS = {
    "en": "The mill on the Lark was built in 1846. Its wheel turned until 1921, when a flood "
    "broke the weir. Dr. Ada Penn bought it for 3.5 million in 1998. Now it grinds rye again! "
    "Who would have thought? Visitors come on Sundays.",
    "tr": "Değirmen 1846 yılında yapıldı. İkinci taşı Iğdır'dan geldi. Sel 1921'de bendi yıktı!\n"
    "Bugün 3,5 ton çavdar öğütülüyor. Kapısı pazar günleri açıktır.",
    "he": "הטחנה נבנתה בשנת 1846. הגלגל הסתובב עד 1921, ואז שבר שיטפון את הסכר.\n\n"
    "כיום טוחנים בה 3.5 טונות שיפון. היא פתוחה בימי ראשון.",
    "ar": "بنيت الطاحونة عام ١٨٤٦. دارت عجلتها حتى ١٩٢١؛ ثم كسر الفيضان السد. هل تعمل اليوم؟ "
    "نعم، تطحن ٣٫٥ أطنان من الجاودار۔ وتفتح أيام الأحد.",
    "zh": "磨坊建于1846年。水轮一直转到1921年，后来洪水冲毁了堤坝！"
    "现在它每天磨三吨半黑麦；星期日开放。",
    "th": "โรงสีสร้างเมื่อปี 1846 กังหันหมุนจนถึงปี 1921 แล้วน้ำท่วมทำลายฝาย",
    "lines": "  First line of it\r\n\r\n\tSecond line, no full stop\r\nThird: 77 geese. \r\n\r\n  ",
    "one": "Nothing but one sentence without any end",
}


def item(
    question: str, context: str, answer: str | None, lang: str = "en", title: str = "",
    dataset: str = "own", twin: str = "",
) -> Item:  # fmt: skip
    span = None
    if answer is not None:
        begin = context.index(answer)
        span = begin, begin + len(answer)
    return Item(question, context, span, lang, title, dataset, twin)


def write(path: Path, rows: Sequence[dict[str, Any]]) -> None:
    with gzip.open(path, "wt", encoding="utf-8") as file:
        file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def answer_of(each: Item) -> str:
    assert each.span
    return each.context[slice(*each.span)]
