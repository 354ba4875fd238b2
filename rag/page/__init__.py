"""The chat page, where the proof of an answer is one click away.

    server.py      listens, and serves the page until Ctrl-C
    access.py      who may come in, and what is refused without a login
    guard.py       what every reply of the server carries: content security policy, language
    layout.py      the page: its parts, and what each event calls; the API endpoints
    desk.py        lets the model answer one visitor after the other, and stops
    turns.py       a conversation as it is shown, and as a browser keeps it
    transcript.py  a conversation as HTML; proof.py, the panel under an answer
    article.py     an article as HTML, its quotes marked by offset
    bidi.py        which way a text runs
    sources.py     the tab of articles: filter, upload, removal
    runs.py        the tab of evaluation runs
    words.py       what the page says, in words.toml
    page.js        cards, the source panel, copying: what needs no server
    page.css       how it looks

Text of articles, questions, file names and models is escaped where it becomes HTML, so that
none of it can become markup, a link or an image.
"""
