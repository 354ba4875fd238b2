"""What is asked.

    question.py          text, history and language -> Query: history.py, answer_language.py
    small_talk.py        greetings and orders, which ask nothing of the articles
    understand.py        what kind of question it is, and what to search: by code, or by the model
    follow_up.py         the subject that a question takes over from an earlier one
    exemplars.py         which of some example texts a text is nearest to

It may import `embedding`, `models` and `languages`.
"""
