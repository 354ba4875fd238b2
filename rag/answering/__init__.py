"""Story 2: from a question to an answer of which every sentence is proven.

    ask.py               the stages in their order, as events
    context.py           what the model reads; messages.py, what it is asked
    write.py             its draft, checked and mended: draft.py, verification.py
    cite.py              claims and quotes -> an answer with citations
    gloss.py             what a quote names, said in the asker's language
    contradiction.py     whether two articles say different things of one thing
    abstention.py        what is told where the articles do not say
    overview.py          summaries of articles; corpus_answer.py, what is asked of the corpus itself
    translate.py         a quote in the asker's language, by the chat model and checked

It may import `understanding`, `retrieval`, `checking`, `models` and what they import.
"""
