"""What is known of languages and scripts, and what a text says of figures, dates and names.

    facts.py             all that is read of a text, once: what other packages ask
    detect.py            which language a text is in, by main_script.py among others
    cldr.py              what Babel has of CLDR; locales.py, the languages that the program speaks
    frames.py            what it says in them around quotes
    sentences.py         where sentences end, by stops.py and full_stops.py; paragraphs.py
    folding.py           digits and forms of letters made alike, with a map back
    affixes.py           what is written together with a word; scripts.py, tables.py
    figures.py           figures with their places: numerals.py, and numbers in words:
                         number_words.py, number_forms.py, han_numerals.py; fractions.py
    figure_sums.py       a number with its magnitude and its half; lists.py, how many are listed
    written_figures.py   a figure as a language writes it; units.py, what one counts
    dates.py             months, weekdays and dates, by calendar_names.py
    countries.py         which countries a text names; hinted_countries.py, or may mean
    names.py             names by their capital letter; common_words.py, words that are none
    known_names.py       names by heart, from known_forms.py
    text_words.py        words that a name is compared with across scripts: transliteration.py
    titles.py            titles of articles as they may be shown

It imports no other package of `rag`.
"""
