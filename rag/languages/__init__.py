"""What is known of languages, scripts and the names and figures in a text.

    detect.py            which language a text is in; what languages are called
    sentences.py         where paragraphs and sentences end
    folding.py           digits and forms of letters made alike, with a map back
    figures.py           what a figure is worth, in any script; number_words.py, fractions.py
    dates.py, units.py   months, weekdays and dates; what a figure counts
    countries.py         which countries a text names
    names.py             names across scripts, by transliteration.py
    known_names.py       names known by heart; common_words.py, words that are none

It imports no other package of `rag`.
"""
