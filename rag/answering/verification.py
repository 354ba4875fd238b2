"""Have a model compare claims with their quotes, for what no particular tells."""

import json
import re
from collections.abc import Mapping
from typing import Any

from langchain_core.messages import BaseMessage, HumanMessage
from langchain_core.utils.json import parse_partial_json

from rag.answering.context import Context
from rag.answering.reply import Checked
from rag.prompts import fill, object_schema
from rag.records import Statement

VERDICTS = object_schema(
    verdicts={
        "type": "array",
        "items": object_schema(claim={"type": "integer"}, supported={"type": "boolean"}),
    }
)
DOUBTED = "on a second look the model does not find it in its quotes"


def verify_messages(checked: Checked, context: Context) -> list[BaseMessage]:
    """The claims that are shown, numbered from 1, each with its quotes and what stands around."""
    claims = "\n\n".join(
        _claim_text(number, each, checked, context)
        for number, each in enumerate(_shown(checked), 1)
    )
    return [HumanMessage(fill("verify", claims=claims))]


def doubted_claims(reply: str, checked: Checked) -> Mapping[str, str]:
    """The shown claims, by their words, that the reply does not find supported, each with why.

    A reply that cannot be read doubts nothing.
    """
    shown = _shown(checked)
    unsupported = {
        _number(each.get("claim"))
        for each in _verdicts(reply)
        if isinstance(each, dict) and each.get("supported") in (False, "false", "False")
    }
    return {each.text: DOUBTED for number, each in enumerate(shown, 1) if number in unsupported}


def _shown(checked: Checked) -> list[Statement]:
    return [each for each in checked.statements if each.status != "refused"]


def _claim_text(number: int, statement: Statement, checked: Checked, context: Context) -> str:
    quotes = [each for each in checked.citations if each.number in statement.marks]
    passages = {
        " ".join(e.hit.text.split()): None
        for e in context.evidence.values()
        for quote in quotes
        if (e.hit.source, e.sentence.start) == (quote.source, quote.start)
    }
    lines = [f"Claim {number}: {json.dumps(statement.text, ensure_ascii=False)}"]
    lines += [f"- sentence: {json.dumps(each.quote, ensure_ascii=False)}" for each in quotes]
    lines += [f"- around it: {json.dumps(text, ensure_ascii=False)}" for text in passages]
    return "\n".join(lines)


def _number(found: object) -> int:
    """The number of a claim; 0, which none has, where it cannot be read."""
    number = re.fullmatch(r"([0-9]{1,4})(?:\.0)?", str(found))
    return int(number[1]) if number else 0


def _verdicts(reply: str) -> list[Any]:
    start = reply.find("{")
    try:
        found = parse_partial_json(reply[start:]) if start >= 0 else None
    except (ValueError, RecursionError):
        return []
    verdicts = found.get("verdicts") if isinstance(found, dict) else None
    return verdicts if isinstance(verdicts, list) else []
