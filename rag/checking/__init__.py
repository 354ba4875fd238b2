"""Whether what a sentence says follows from what it cites.

    audit.py             every figure, date, country and name of it, against its quotes
    relative_dates.py    dates that follow from the article's date
    opposites.py         mother for father, north for south
    claim_language.py    whether it is in another language than the one asked for

It may import `languages`.
"""
