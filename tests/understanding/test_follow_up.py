"""A follow-up is searched with what it leans on; a change of subject alone."""

from collections.abc import Callable, Iterator

import numpy as np
import pytest
from filled_store import filled_store

from rag.embedding.embedder import Embedder
from rag.embedding.encoder import Vectors
from rag.engine import Rag
from rag.languages.frames import frame
from rag.languages.locales import framed_languages
from rag.retrieval.calibration import SUBJECT, odds
from rag.retrieval.retrieve import retrieve
from rag.retrieval.sentence_selection import REPEATED_ODDS, rank_sentences
from rag.understanding.follow_up import EARLIER_QUESTIONS, resolve
from rag.understanding.question import to_query

pytestmark = pytest.mark.slow

CASTLE = "When was Malbork Castle finished?"


Resolve = Callable[..., str]


@pytest.fixture(scope="module")
def searched(embedder: Embedder) -> Resolve:
    """What is searched for the last of some questions."""

    def text(*asked: str) -> str:
        history = [(question, "An answer.") for question in asked[:-1]]
        return resolve(to_query(asked[-1], history), embedder).text

    return text


@pytest.mark.parametrize(
    ("before", "asked"),
    [
        (CASTLE, "And who built it?"),
        ("Kaç kişi Ankara'da yaşıyor?", "Ya bir yıl önce?"),
        ("Сколько стоит билет в Эрмитаж?", "А для детей?"),
        ("באיזו שנה נחנך נמל אשדוד?", "ומי תכנן אותו?"),
        ("متى تأسست جامعة دمشق؟", "ومن أسسها؟"),
        ("泰山有多高？", "它在哪里？"),
        ("Балқаш көлінің ауданы қанша?", "Ол қайда орналасқан?"),
        (CASTLE, "Kim dedi?"),
    ],
)
def test_a_follow_up_is_led_by_the_question_before_it(
    searched: Resolve, before: str, asked: str
) -> None:
    assert searched(before, asked) == f"{before} {asked}"


@pytest.mark.parametrize(
    ("before", "asked"),
    [
        (CASTLE, "What is the boiling point of ethanol?"),
        ("Kaç kişi Ankara'da yaşıyor?", "Beşiktaş ligi en son hangi yıl kazandı?"),
        ("Сколько стоит билет в Эрмитаж?", "Кто изобрёл радио?"),
        ("באיזו שנה נחנך נמל אשדוד?", "מי כתב את הספר מיכאל שלי?"),
        ("泰山有多高？", "谁发明了造纸术？"),
        (CASTLE, "谁发明了造纸术？"),
    ],
)
def test_a_change_of_subject_drops_what_went_before(
    searched: Resolve, before: str, asked: str
) -> None:
    assert searched(before, asked) == asked


def test_a_chain_of_follow_ups_leans_on_the_question_that_began_it(searched: Resolve) -> None:
    first = "How many visitors did Malbork Castle have in 2020?"
    assert searched(first, "And in 2021?", "And in 2022?") == f"{first} And in 2022?"


def test_a_follow_up_leans_on_the_new_subject(searched: Resolve) -> None:
    new = "What is the boiling point of ethanol?"
    assert searched(CASTLE, "And who built it?", new, "Why?") == f"{new} Why?"


def test_answers_do_not_matter(embedder: Embedder) -> None:
    texts = {
        resolve(to_query("And who built it?", [(CASTLE, answer)]), embedder).text
        for answer in ("", "In 1406.", "Ethanol boils at 78 degrees. " * 500)
    }
    assert texts == {f"{CASTLE} And who built it?"}


class Counting:
    """Embeds nothing, and counts what it is asked to."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def question(self, text: str, lang: str) -> Vectors:
        """One and the same vector."""
        self.texts.append(text)
        return np.array([1.0, 0.0], np.float32)


@pytest.mark.parametrize("history", [[], [("", "an answer")], [(" \n", "an answer")]])
def test_nothing_is_embedded_without_an_earlier_question(history: list[tuple[str, str]]) -> None:
    counting = Counting()
    assert resolve(to_query("And then?", history), counting).text == "And then?"
    assert counting.texts == []


def test_a_long_history_costs_no_more_than_a_short_one() -> None:
    counting = Counting()
    resolve(to_query("Why?", [(f"Question {n}?", "") for n in range(100)]), counting)
    assert len(set(counting.texts)) <= 2 * EARLIER_QUESTIONS + 1


def test_the_same_question_again_is_searched_alone(searched: Resolve) -> None:
    assert searched(CASTLE, CASTLE) == CASTLE


def test_what_is_taken_over_is_known_apart_from_what_is_asked(embedder: Embedder) -> None:
    follow_up = resolve(to_query("And who built it?", [(CASTLE, "In 1406.")]), embedder)
    assert (follow_up.lead, follow_up.asked) == (CASTLE, "And who built it?")
    alone = resolve(to_query("Who built Malbork Castle?"), embedder)
    assert (alone.lead, alone.asked) == ("", alone.text)


@pytest.mark.parametrize("lang", framed_languages())
def test_a_question_that_was_refused_leads_none(embedder: Embedder, lang: str) -> None:
    refused = (CASTLE, f"{frame('abstain', lang)} Malbork")
    assert resolve(to_query("And who built it?", [refused]), embedder).lead == ""
    bridge = ("When was the Orlen bridge opened?", "In 1987.")
    history = [bridge, refused]
    assert resolve(to_query("And who built it?", history), embedder).lead == bridge[0]


TEXTS = {
    "dam.txt": "Tama w Zabrodziu powstała w 1966 roku. Ma 41 metrów wysokości. "
    "Budowę prowadził inżynier Oskar Lenda. Kosztowała 88 milionów złotych.",
    "zoo.txt": "The Ravenhill zoo was founded in 1931. It keeps 2,400 animals. "
    "Its director is Petra Holm. A ticket costs 14 pounds.",
    "choir.txt": "Karadere Korosu 1977 yılında kuruldu. Koroda 52 kişi şarkı söylüyor. "
    "Şefi Nermin Soylu'dur. Yılda 20 konser veriyor.",
    "rink.txt": "משטח ההחלקה של מעלה ארז נפתח בשנת 2012. הקמתו עלתה 17 מיליון שקל. "
    "מנהל אותו גיל ברקת. בשנה שעברה באו אליו 63 אלף איש.",
}
CONVERSATIONS = [
    ("When was the Ravenhill zoo founded?", "And how many animals does it keep?", "2,400"),
    ("Who directs the Ravenhill zoo?", "And when was it founded?", "1931"),
    ("How many animals live in the Ravenhill zoo?", "What does a ticket cost?", "14 pounds"),
    ("Kiedy powstała tama w Zabrodziu?", "A ile kosztowała?", "88 milionów"),
    ("Ile kosztowała tama w Zabrodziu?", "Kto prowadził jej budowę?", "Lenda"),
    ("When was the dam in Zabrodzie built?", "And how tall is it?", "41 metrów"),
    ("Karadere Korosu ne zaman kuruldu?", "Koroda kaç kişi var?", "52"),
    ("Когда основан хор Карадере?", "Сколько концертов он даёт в год?", "20"),
    ("متى تأسس كورال كاراديري؟", "وكم حفلا يقدم في السنة؟", "20"),
    ("מתי נפתח משטח ההחלקה במעלה ארז?", "וכמה עלתה הקמתו?", "17 מיליון"),
]


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rag]:
    with Rag(filled_store(tmp_path_factory.mktemp("turns"), TEXTS)) as engine:
        yield engine


@pytest.mark.parametrize(("before", "asked", "told"), CONVERSATIONS)
def test_the_new_question_is_answered_on_the_subject_of_the_one_before(
    engine: Rag, before: str, asked: str, told: str
) -> None:
    history = [(before, engine.ask(before).text)]
    answer = engine.ask(asked, history=history)
    assert told in answer.citations[0].quote


def test_a_subject_says_which_articles_count_more(engine: Rag) -> None:
    history = [("When was the Ravenhill zoo founded?", "In 1931.")]
    query = resolve(to_query("Who leads it?", history), engine.parts.embedder)
    hits = retrieve(query, engine.parts, 40)
    support = {hit.source: hit.signals[SUBJECT] for hit in hits}
    assert max(support, key=lambda source: support[source]) == "zoo.txt"
    assert hits[0].source == "zoo.txt"
    assert len(hits) == len(TEXTS)
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)


def test_a_follow_up_is_searched_within_the_filter(engine: Rag) -> None:
    history = [("When was the Ravenhill zoo founded?", "In 1931.")]
    query = resolve(to_query("Who leads it?", history), engine.parts.embedder)
    hits = retrieve(query, engine.parts, 5, {"lang": ["he", "tr"]})
    assert {hit.source for hit in hits} == {"choir.txt", "rink.txt"}
    assert retrieve(query, engine.parts, 5, {"lang": "fi"}) == []


def test_what_the_answer_before_quoted_counts_less(engine: Rag) -> None:
    before, sentence = "Who directs the Ravenhill zoo?", "Its director is Petra Holm."
    scores = []
    for answer in ("Petra.", f"The article says: “{sentence}” [1]"):
        query = resolve(to_query("Who leads it?", [(before, answer)]), engine.parts.embedder)
        ranked = rank_sentences(query, retrieve(query, engine.parts), engine.parts)
        scores += [each.score for each in ranked if each.sentence.text == sentence]
    assert odds(scores[1]) == pytest.approx(REPEATED_ODDS * odds(scores[0]))
