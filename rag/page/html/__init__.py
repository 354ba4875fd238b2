"""What the page's HTML is made with.

    markup.py        escaping, which every text of others passes through
    bidi.py          which way a text runs
    labels.py        what articles, places in them and filters are called
    words.py         what the page says in each of its languages: words.toml

It imports nothing else of `rag.page`.
"""
