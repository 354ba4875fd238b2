"""What is asked.

    question.py          text, history and language -> Query: history.py, answer_language.py
    small_talk.py        greetings and orders, which ask nothing of the articles
    understand.py        what is wanted and what is searched, before anything is searched
    question_kinds.py    what kind of question it is, by examples: exemplars.py
    follow_up.py         the subject that a question takes over from an earlier one
    by_model.py          the same as a served chat model understands it

It may import `models`, `parts` and `languages`.
"""
