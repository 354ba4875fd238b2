"""The articles are the ones that the answers and the evaluation are built on."""

import datetime
import hashlib
import tomllib

import pytest

from rag.resources import seeds_folder

SHA256 = {
    "000_5df78159e1094ec1.txt": "c9fe6f49de47f001dd450fee7049c15893fff2ca13cedec554d23149f8ef152f",
    "001_b9df2e1b7dc3a547.txt": "36bceabe0fba95911e926a236fab98c4e6921f13dec8efbc97b500765fd7a413",
    "002_68dde72d0b2e9b4d.txt": "0289e766a9ae2958a9108a951487218578164132df8ff7b5ee4fec9364dbc1f4",
    "003_5c3bf428830880ba.txt": "87ada115eecb033d939fee12ac19f1c9de7eb784e8be404d54204b749de85f9c",
    "004_923ebd250bf1c84b.txt": "7bc0676804beadefff96536a2cb5853caee266264202ae9b99abe392ed80d64a",
}
LANGUAGES = ["tr", "he", "ar", "pl", "tr"]


@pytest.fixture(scope="module")
def entries() -> dict[str, dict[str, str]]:
    found = tomllib.loads((seeds_folder() / "articles.toml").read_text(encoding="utf-8"))
    return {name: entry for name, entry in found.items() if name != "examples"}


def test_articles_are_the_five_unchanged_files() -> None:
    found = {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in seeds_folder().glob("*.txt")
    }
    assert found == SHA256


def test_folder_holds_nothing_but_articles_and_their_entries() -> None:
    names = {path.name for path in seeds_folder().iterdir() if not path.name.startswith(".")}
    assert names == {*SHA256, "articles.toml"}


def test_every_article_has_language_and_title(entries: dict[str, dict[str, str]]) -> None:
    assert sorted(entries) == sorted(SHA256)
    assert [entries[name]["lang"] for name in sorted(entries)] == LANGUAGES
    assert all(entry["title"].strip() for entry in entries.values())


def test_entries_hold_known_fields_only(entries: dict[str, dict[str, str]]) -> None:
    fields = {field for entry in entries.values() for field in entry}
    assert fields <= {"lang", "title", "publisher", "date"}


def test_dates_are_given_only_where_the_text_states_them(
    entries: dict[str, dict[str, str]],
) -> None:
    dates = {name[:3]: entry["date"] for name, entry in entries.items() if "date" in entry}
    assert dates == {"001": "2024-07-05", "002": "2024-07-03"}
    assert all(datetime.date.fromisoformat(date) for date in dates.values())


@pytest.mark.parametrize(
    ("number", "stated", "publisher"),
    [
        ("001", "/PRNewswire/", "PRNewswire"),
        ("002", "(شينخوا)", "Xinhua"),
        ("004", "(AA)", "Anadolu Agency (AA)"),
    ],
)
def test_publisher_is_the_one_that_the_dateline_names(
    entries: dict[str, dict[str, str]], number: str, stated: str, publisher: str
) -> None:
    name = next(name for name in entries if name.startswith(number))
    first_line = (seeds_folder() / name).read_text(encoding="utf-8").splitlines()[0]
    assert stated in first_line
    assert entries[name]["publisher"] == publisher


def test_articles_without_agency_in_the_dateline_have_no_publisher(
    entries: dict[str, dict[str, str]],
) -> None:
    assert [n[:3] for n in sorted(entries) if "publisher" not in entries[n]] == ["000", "003"]
