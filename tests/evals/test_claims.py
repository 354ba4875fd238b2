"""Claims that are known to be true or false are put to what ships."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from evals.claims import main, read_claims, refusal
from rag.errors import InputError

QUOTE = "W zeszłym roku Anna Wendel otworzyła 12 mostów w Bostonie."


def _row(**changes: Any) -> dict[str, Any]:
    row = {
        "id": "one", "doc": "d", "quote_lang": "pl", "quotes": [QUOTE], "passage": QUOTE,
        "claim_lang": "en", "claim": "Anna Wendel opened 12 bridges.", "true": True,
        "kind": "whole",
    }  # fmt: skip
    return row | changes


def _write(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_bytes(gzip.compress("\n".join(map(json.dumps, rows)).encode()))
    return path


def test_shares_are_printed_by_kind_fault_and_language(tmp_path: Path) -> None:
    rows = [
        _row(),
        _row(id="two", claim="In 2020 she opened 12 bridges.", kind="relative date"),
        _row(id="three", claim="She opened 13.", true=False, kind=None, fault="other figure"),
    ]
    file = _write(tmp_path / "claims.jsonl.gz", rows)
    result = CliRunner().invoke(main, [str(file), "--show", "5"])
    assert result.exit_code == 0, result.output
    assert "true refused 0.500 (2)" in result.output.splitlines()
    assert "false caught 1.000 (1)" in result.output.splitlines()
    assert "true refused, kind relative date 1.000 (1)" in result.output
    assert "false caught, fault other figure 1.000 (1)" in result.output
    assert "two relative date pl>en: figure 2020" in result.output


def test_the_date_of_the_article_is_used_where_it_is_given(tmp_path: Path) -> None:
    row = _row(claim="In 2020 she opened 12 bridges.", date="2021-03-10")
    (claim,) = read_claims(_write(tmp_path / "claims.jsonl.gz", [row]))
    assert refusal(claim) == ""


def test_another_language_is_refused(tmp_path: Path) -> None:
    row = _row(claim_lang="kk", claim="There were 12 bridges that she opened for all of them.")
    (claim,) = read_claims(_write(tmp_path / "claims.jsonl.gz", [row]))
    assert refusal(claim) == "another language than kk"


@pytest.mark.parametrize(
    "content", [b"", b"no gzip", gzip.compress(b'{"id": 1}')], ids=["empty", "no gzip", "no claim"]
)
def test_a_file_without_claims_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "claims.jsonl.gz"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"claims\.jsonl\.gz holds no claims"):
        read_claims(path)
