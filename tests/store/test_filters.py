"""A filter that means nothing is refused with what may be written."""

import pytest

from rag.errors import InputError
from rag.store.filters import parse_filter


@pytest.mark.parametrize(
    ("where", "message"),
    [
        ({"autor": "x"}, "'autor'; use one of lang, date, source, publisher, title"),
        ({"lang": []}, r"cannot filter lang by \[\]"),
        ({"lang": {"gte": "a"}}, "cannot filter lang by"),
        ({"date": {"since": "2024-01-01"}}, "'since'; use gte, gt, lte, lt"),
        ({"date": {"gte": "July 2024"}}, "'July 2024' is not a date; write it as 2024-01-31"),
        ({"date": "yesterday"}, "'yesterday' is not a date"),
    ],
)
def test_refuses_a_filter_that_means_nothing(where: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        parse_filter(where)
