"""What calls to a chat model took: tokens, and what they cost."""

from dataclasses import replace
from typing import TYPE_CHECKING

from rag.records import Usage

if TYPE_CHECKING:
    from langchain_core.messages import AIMessage, BaseMessage


def usage_of(message: "AIMessage", price: str = "", free: bool = False) -> Usage:
    """What one reply took; `price` is `settings.price`, US$ per million tokens.

    The cost is 0.0 for a model on this machine, which is `free`, and None where no price
    is set or the server does not count.
    """
    counted = message.usage_metadata
    if counted is None:
        return Usage(calls=1, cost=0.0 if free else None)
    prompt, completion = counted["input_tokens"], counted["output_tokens"]
    cached = counted.get("input_token_details", {}).get("cache_read") or 0
    return Usage(1, prompt, completion, cached, 0.0 if free else _cost(prompt, completion, price))


def with_estimate(usage: Usage, messages: "list[BaseMessage]", reply: "AIMessage") -> Usage:
    """The usage with tokens by estimate, for a call that its server has not counted yet."""
    from rag.models.tokens import estimate_tokens

    prompt = sum(estimate_tokens(str(message.text)) for message in messages)
    return replace(usage, prompt_tokens=prompt, completion_tokens=estimate_tokens(str(reply.text)))


def total_usage(one: Usage, other: Usage) -> Usage:
    """The sum of both; its cost is known where both costs are.

    >>> total_usage(Usage(calls=1, cost=0.5), Usage(calls=1, cost=None)).cost is None
    True
    """
    unknown = one.cost is None or other.cost is None
    return Usage(
        calls=one.calls + other.calls,
        prompt_tokens=one.prompt_tokens + other.prompt_tokens,
        completion_tokens=one.completion_tokens + other.completion_tokens,
        cached_tokens=one.cached_tokens + other.cached_tokens,
        cost=None if unknown else (one.cost or 0.0) + (other.cost or 0.0),
    )


def _cost(prompt: int, completion: int, price: str) -> float | None:
    if not price:
        return None
    per_prompt, per_completion = (float(part) for part in price.split(","))
    return (prompt * per_prompt + completion * per_completion) / 1_000_000
