"""Which passages, and which of their sentences, most likely answer.

    retrieve.py          Query -> Hits: vectors choose candidates, signals rank them
    found.py             candidates and hits with their vectors, which are fetched once
    rerank.py            a closer look at the best, by the cross-encoder
    calibration.py       one probability from all that is known of a passage or a sentence
    sentence_selection.py  the sentences that most likely answer
    particulars.py       whether a text names the figures and countries that are asked for

It may import `store`, `embedding` and `languages`.
"""
