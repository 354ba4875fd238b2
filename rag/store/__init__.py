"""Where passages are kept and the nearest are found.

    store.py             the articles of a corpus, their passages, and a search among them
    generation.py        one complete index on disk; a new one takes its place at once
    chroma.py            Chroma, in this process or on a server
    exact_index.py       exact search over all vectors
    filters.py           what a search is limited to

It may import `embedding`.
"""
