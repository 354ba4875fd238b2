"""Story 2: from a question to an answer of which every sentence is proven.

    ask.py               the stages in their order, as events
    find.py              the passages to answer from; overview.py, whole articles to summarise
    context.py           what the model reads; messages.py, what it is asked
    write.py             its draft, checked and mended: draft.py, verification.py
    cite.py              the claims of a draft that may be shown, with their quotes
    quote.py             the extractive answer: the likeliest sentences themselves
    gloss.py             what a quote names, said in the asker's language
    contradiction.py     whether two articles say different things of one thing
    abstention.py        what is told where the articles do not say
    corpus_answer.py     what is told of the corpus itself
    reply.py             what an answer says, as it is put together
    translate.py         a quote in the asker's language: translation_drafts.py, by the chat model,
                         and translation_faults.py, checked

It may import `understanding`, `retrieval`, `checking`, `reading`, `models` and what they import.
"""
