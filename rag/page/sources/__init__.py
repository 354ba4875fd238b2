"""The tab of articles: their table, the filter, adding and removing.

    tab.py           the tab's parts, and what each of their events does
    listing.py       the articles as a table, and what a filter leaves of them
    upload_form.py   where files are dropped, and what became of them, as HTML
    sources.js       sends files, asks before removing; sources.css, how it looks

It may import `html`, and nothing else of `rag.page`.
"""
