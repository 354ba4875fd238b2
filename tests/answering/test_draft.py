"""Replies are read leniently, and no reply of another form passes for "no answer"."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.answering.draft import MAX_CLAIMS, Claim, Draft, read_draft

ONE = Draft((Claim((1,), "a"),))
BEGUN = Draft((Claim((1,), "a", closed=False),))


@pytest.mark.parametrize(
    ("reply", "draft"),
    [
        ('{"claims": []}', Draft(())),
        ('```json\n{"claims": []}\n```', Draft(())),
        ('Here: {"claims": [{"ids": [1, 1], "text": "a"}]}', ONE),
        ('{"claims": [{"ids": [1], "text": "a"}]}\nIt rests on ```[1]``` of {these}.', ONE),
        ('{"claims": [{"ids": [1], "text": "a\nb"}]}', Draft((Claim((1,), "a\nb"),))),
        ('{"claims": [{"ids": [1], "text": "a"},]}', ONE),
        ('{"reply": {"claims": [{"ids": [1], "text": "a"}]}}', ONE),
    ],
)
def test_reads_the_form_that_is_asked_for(reply: str, draft: Draft) -> None:
    assert read_draft(reply) == draft


@pytest.mark.parametrize(
    ("ids", "read"),
    [
        ("[1, 2]", (1, 2)),
        ("1", (1,)),
        ('"1"', (1,)),
        ("[1.0, 2.5]", (1,)),
        ('["3", true, null]', (3,)),
        ('["[1]", "[2], [4]"]', (1, 2, 4)),
        ('"1; 2"', (1, 2)),
        ('"the first"', ()),
        ("[[1, 2]]", (1, 2)),
    ],
)
def test_reads_numbers_however_they_are_written(ids: str, read: tuple[int, ...]) -> None:
    for name in ("ids", "id"):
        reply = f'{{"claims": [{{"{name}": {ids}, "text": "a"}}]}}'
        assert read_draft(reply) == Draft((Claim(read, "a"),))


@pytest.mark.parametrize(
    "reply",
    [
        '{"ids": [1], "text": "a"}',
        '{"id": 1, "text": "a"}',
        '[{"ids": [1], "text": "a"}]',
        '{"claims": {"ids": [1], "text": "a"}}',
        '{"claims": ["a [1]"]}',
        '{"claims": "a [1]"}',
        '{"claims": [{"text": "a [1]"}]}',
        '["a [1]"]',
        '{"claims": [{"ids": 1, "text": "a"}, 7, null]}',
    ],
)
def test_reads_claims_of_another_form_where_they_are_plain(reply: str) -> None:
    assert read_draft(reply) == ONE


@pytest.mark.parametrize(
    "reply",
    [
        "", "no", "[]", "{", "7", "[1]", "{}", '{"x": []}', '{"claims": 1}', '{"claims": null}',
        '{"claims": [7]}', '{"claims": ["a"]}', '{"claims": [{"text": "a"}]}', '{"claims": [',
        '{"claims": [{"ids": [1', '{"claims": [{"ids": [1]}]}', '{"claims": [[]]}',
        '{"claims": {}}',
        '{"claims": []', '{"text": "a"}', '{"claims": []} or {"claims": [{"note": 1}]}',
        "[" * 5000, '{"a":' * 5000, '{"claims": [{"ids": ' + "[" * 5000,
        '{"claims": [' + "[" * 900 + "]" * 900 + "]}",
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_never_an_empty_draft(reply: str) -> None:
    assert read_draft(reply) is None


@pytest.mark.parametrize(
    "reply",
    [
        'If none tells: {"claims": []}. But one does: {"claims": [{"ids": [1], "text": "a"}]}',
        '{"claims": [{"ids": [2], "text": "b"}]} No: {"claims": [{"ids": [1], "text": "a"}]}',
        '{"claims": [{"ids": [1], "text": "a"}]} {"claims": [{"ids": [2], "te',
        '{"claims": [{"ids": [1], "text": "a"}]} {"claims": [{"ids": [2], "text": "b"}, {"i',
        '{"claims": [{"ids": [1], "text": "a"}]} Else I reply {"claims": []}',
    ],
)
def test_the_last_whole_draft_with_claims_counts(reply: str) -> None:
    assert read_draft(reply) == ONE


@pytest.mark.parametrize(
    ("reply", "draft"),
    [
        ('{"claims": [{"ids": [1], "text": "a', BEGUN),
        ('{"claims": [{"ids": [1], "text": "a"', BEGUN),
        ('[{"ids": [1], "text": "a', BEGUN),
        ('{"ids": [1], "text": "a', BEGUN),
        ('{"wrapped": {"claims": [{"ids": [1], "text": "a', BEGUN),
        ('{"claims": [{"ids": [1], "text": "a"}', ONE),
        ('{"claims": [{"ids": [1], "text": "a"}, {"ids": [2', ONE),
        ('{"claims": [{"ids": [1], "text": "a"}, {"ids": [2], "text": "b',
         Draft((Claim((1,), "a"), Claim((2,), "b", closed=False)))),
    ],
)  # fmt: skip
def test_a_claim_that_was_cut_off_is_told_apart(reply: str, draft: Draft) -> None:
    assert read_draft(reply) == draft


CLAIMS = st.lists(
    st.tuples(st.integers(1, 99), st.text(min_size=1)), min_size=1, max_size=MAX_CLAIMS
)


@given(CLAIMS, st.data())
def test_no_cut_anywhere_makes_a_whole_claim_of_a_part(
    claims: list[tuple[int, str]], data: st.DataObject
) -> None:
    written = [{"ids": [number], "text": text} for number, text in claims]
    reply = json.dumps({"claims": written}, ensure_ascii=False)
    whole = Draft(tuple(Claim((number,), text) for number, text in claims))
    assert read_draft(reply) == whole
    cut = read_draft(reply[: data.draw(st.integers(0, len(reply) - 1))])
    closed = [claim for claim in cut.claims if claim.closed] if cut else []
    assert closed == list(whole.claims[: len(closed)])
    assert cut is None or len(cut.claims) in (len(closed), len(closed) + 1)


def test_claims_beyond_the_most_are_left_out() -> None:
    reply = '{"claims": [' + ",".join(['{"ids": [1], "text": "a"}'] * 20) + "]}"
    draft = read_draft(reply)
    assert draft is not None
    assert len(draft.claims) == MAX_CLAIMS
