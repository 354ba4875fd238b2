"""Whether what a sentence says follows from what it cites.

    audit.py             every particular of it against its quotes; grounds.py, what counts as such
    figure_check.py      figures and what they count; date_check.py, months, weekdays and dates
    name_check.py        countries and names; name_support.py, which text has which name
    opposites.py         mother for father, north for south
    relative_dates.py    dates that follow from the article's date, by relative_words.py
    claim_language.py    whether it is in another language than the one asked for

It may import `languages`.
"""
