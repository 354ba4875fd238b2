"""Replies are kept in a file, across processes, and a whole one is never lost."""

from pathlib import Path

import pytest

from evals.replies import Replies
from rag.errors import InputError
from rag.models.replies import Reply
from rag.records import Usage

USAGE = Usage(calls=1, prompt_tokens=900, completion_tokens=12, cached_tokens=800, cost=None)


@pytest.mark.parametrize("text", ["{}", "", "مرحبا\r\nשָׁלוֹם İı e\u0301\0"])
def test_a_reply_is_there_again_after_the_file_was_closed(tmp_path: Path, text: str) -> None:
    path, reply = tmp_path / "new" / "replies.sqlite", Reply(text, True, USAGE, 1.5)
    replies = Replies(path)
    assert replies.get("key") is None
    replies.put("key", reply)
    replies.close()
    assert Replies(path).get("key") == reply
    assert Replies(path).get("other") is None


def test_a_whole_reply_does_not_give_way_to_one_that_was_begun(tmp_path: Path) -> None:
    replies = Replies(tmp_path / "replies.sqlite")
    begun, longer = Reply("Par", False, USAGE, 1.0), Reply("Pari", False, USAGE, 1.0)
    whole = Reply("Paris", True, USAGE, 2.0)
    for kept, expected in ((begun, begun), (longer, longer), (whole, whole), (begun, whole)):
        replies.put("key", kept)
        assert replies.get("key") == expected


def test_half_a_surrogate_pair_can_be_kept(tmp_path: Path) -> None:
    replies = Replies(tmp_path / "replies.sqlite")
    replies.put("key", Reply("a\ud83d", True, USAGE, 1.0))
    kept = replies.get("key")
    assert kept is not None
    assert kept.text == "a?"


def test_a_file_of_something_else_is_named_with_its_mend(tmp_path: Path) -> None:
    path = tmp_path / "replies.sqlite"
    path.write_text("not a database, and long enough to be read as one " * 40, encoding="utf-8")
    with pytest.raises(InputError, match=r"replies\.sqlite: replies cannot be kept .*--no-cache"):
        Replies(path).get("key")
