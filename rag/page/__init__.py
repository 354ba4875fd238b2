"""The chat page, where the proof of an answer is one click away.

    server.py      listens, and serves the page until Ctrl-C
    access.py      who may come in, and what is refused without a login
    bodies.py      what a request may bring along
    guard.py       what every reply of the server carries: content security policy, language
    layout.py      the page: its head, its tabs, the source panel
    desk.py        lets the model answer one visitor after the other, and stops
    turns.py       a conversation as it is shown, and as a browser keeps it
    conversation.py  the tab of questions: what each of its events does
    transcript.py  a conversation as HTML: marks.py, with its cards; proof.py, how it was checked
    article.py     an article as HTML, its quotes marked by offset
    places.py      what articles and filters are called
    markup.py      escaping, which every text of others passes through; bidi.py, which way it runs
    endpoints.py   what programs may call
    sources.py     the tab of articles: listing.py, their table and filter; adding.py, uploads
    runs.py        the tab of evaluation runs: run_folders.py, those on disk; run_views.py and
                   run_changes.py, as HTML; html_table.py, tables and their cells
    words.py       what the page says, in words.toml
    page.js        cards, the source panel, copying; sources.js, dropping and removing files
    page.css       how it looks

Text of articles, questions, file names and models is escaped where it becomes HTML, so that
none of it can become markup, a link or an image.
"""

import os

# Read while Gradio is imported, which would tell its makers of every start.
os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
