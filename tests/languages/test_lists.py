"""The things of a list are counted."""

from decimal import Decimal

from rag.languages.lists import counts_of_lists


def test_a_count_of_a_list_is_supported() -> None:
    assert Decimal(3) in counts_of_lists("Norwegia, Szwecja i Dania")
    assert Decimal(3) not in counts_of_lists("Norwegia")
