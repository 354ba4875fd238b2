"""Where passages are kept and the nearest are found.

    store.py             the articles of a corpus, their passages, and a search among them
    generation.py        one complete index of a corpus, and what it was made with
    folders.py           generations as folders, and which one is current
    server.py            generations as collections on a Chroma server
    chroma.py            Chroma's clients and collections; rows.py, what a row holds
    exact_index.py       exact search over all vectors
    filters.py           what a search is limited to

It may import `embedding`.
"""
