"""A text is read once, however many ask what it says."""

from rag.languages.facts import facts_of

TEXT = "W maju 2021 r. Anna Wendel kupiła w Norwegii 57 łodzi."


def test_facts_are_kept_for_the_next_who_asks() -> None:
    facts = facts_of(TEXT, "pl")
    assert facts_of(TEXT, "pl") is facts
    assert facts.figures is facts.figures
    assert facts_of(TEXT, "en") is not facts


def test_each_kind_of_fact_stands_where_it_was_written() -> None:
    facts = facts_of(TEXT, "pl")
    assert [sorted(map(int, each.values)) for each in facts.figures] == [[2021], [57]]
    assert [(each.kind, each.number) for each in facts.dates.named] == [("month", 5)]
    assert facts.countries == frozenset({"NO"})
    assert [TEXT[each.start : each.end] for each in facts.country_mentions] == ["Norwegii"]
    assert [each.text for each in facts.names] == ["Wendel", "Norwegii"]


def test_facts_of_a_very_long_text_are_not_kept() -> None:
    assert facts_of(TEXT * 1000, "pl") is not facts_of(TEXT * 1000, "pl")


def test_a_language_without_names_of_countries_has_none_at_all() -> None:
    assert facts_of("Norway", "xx").countries is None
