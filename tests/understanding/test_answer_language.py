"""An order on the answer's language is taken off; a question about a language is left alone."""

import pytest

from rag.languages.detect import detect
from rag.languages.locales import framed_languages
from rag.understanding.answer_language import asked_language, names_language
from training.exemplars import own_rows


@pytest.mark.parametrize(
    ("question", "bare", "code"),
    [
        ("Answer in Russian: who built it?", "who built it?", "ru"),
        ("Answer in Russian, please: who built it?", "who built it?", "ru"),
        ("Please reply in Kazakh. Who built it?", "Who built it?", "kk"),
        ("Answer the question in Farsi: who built it?", "who built it?", "fa"),
        ("Answer in Deutsch: who built it?", "who built it?", "de"),
        ("Who built it? Answer in French.", "Who built it?", "fr"),
        ("Who built it (in French please)?", "Who built it?", "fr"),
        ("Who built it? (in French)", "Who built it?", "fr"),
        ("Türkçe yanıtla: who built it?", "who built it?", "tr"),
        ("Köprüyü kim yaptı? Rusça cevap ver.", "Köprüyü kim yaptı?", "ru"),
        ("ענה בערבית: מי בנה אותו?", "מי בנה אותו?", "ar"),
        ("أجب بالعبرية: من بناه؟", "من بناه؟", "he"),
        ("Odpowiedz po kazachsku: kto go zbudował?", "kto go zbudował?", "kk"),
        ("Ответь по-английски: кто его построил?", "кто его построил?", "en"),
        ("Кто его построил? Ответь на иврите.", "Кто его построил?", "he"),
        ("Відповідай англійською: хто його збудував?", "хто його збудував?", "en"),
        ("Орысша жауап бер: оны кім салды?", "оны кім салды?", "ru"),
        ("请用俄语回答：谁建了它？", "谁建了它？", "ru"),
        ("谁建了它？请用英文回答。", "谁建了它？", "en"),
        ("ロシア語で答えてください：誰が建てましたか？", "誰が建てましたか？", "ru"),
        ("Antworte auf Russisch: Wer hat sie gebaut?", "Wer hat sie gebaut?", "ru"),
        ("Qui l'a construit ? En turc, s'il vous plaît.", "Qui l'a construit ?", "tr"),
        ("¿Quién lo construyó? Contesta en polaco.", "¿Quién lo construyó?", "pl"),
        ("Rispondi in tedesco: chi lo ha costruito?", "chi lo ha costruito?", "de"),
        ("Responda em inglês: quem o construiu?", "quem o construiu?", "en"),
        ("به روسی پاسخ بده: آن را چه کسی ساخت؟", "آن را چه کسی ساخت؟", "ru"),
        ("रूसी में जवाब दो: इसे किसने बनाया?", "इसे किसने बनाया?", "ru"),
    ],
)
def test_an_order_is_taken_off(question: str, bare: str, code: str) -> None:
    assert asked_language(question, detect(question).lang or "en") == (bare, code)


@pytest.mark.parametrize(
    "question",
    [
        "Which language do they speak in Kazakhstan?",
        "What is said in Russian?",
        "In Russian, what is the word for bridge?",
        "Who answered in Russian: the minister or the mayor?",
        "What did the minister reply in French, and why?",
        "Which songs were sung (in French)?",
        "How many articles are in German?",
        "Please, who speaks Turkish?",
        "The Russian answer: what was it?",
        "Did they answer in Polish, Russian or Turkish?",
        "Answer in Russian.",
        "Сколько человек говорят по-русски?",
        "Кто ответил по-английски: министр или мэр?",
        "Hangi ülkede Türkçe konuşuluyor?",
        "谁用俄语回答？",
        "מי ענה בערבית?",
        "Answer in one word: who built it?",
    ],
)
def test_a_question_about_a_language_is_left_alone(question: str) -> None:
    assert asked_language(question, detect(question).lang or "en") == (question, "")


def test_no_question_of_the_project_loses_a_word() -> None:
    for name in ("questions", "question_kinds"):
        for row in own_rows(name):
            text = row.get("question") or row["text"]
            assert asked_language(text, row["lang"]) == (text, "")


def test_every_language_of_the_frames_has_words_of_ordering() -> None:
    from rag.understanding.answer_language import _tables

    assert sorted(_tables()) == sorted(framed_languages())


def test_a_language_is_named_in_the_askers_language_in_english_or_its_own() -> None:
    assert names_language("Теперь по-турецки, пожалуйста", "tr", "ru")
    assert names_language("Şimdi Russian lütfen", "ru", "tr")
    assert names_language("und jetzt auf қазақ тілі", "kk", "de")
    assert not names_language("Who built the bridge?", "tr", "en")
