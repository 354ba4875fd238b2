"""The tab of questions: a conversation, its answers and their proof.

    conversation.py  the tab's parts, and what each of their events does
    queue.py         one visitor after the other, and Stop
    turns.py         a conversation as it is shown, and as a browser keeps it
    transcript.py    it as HTML: marks.py, an answer's citation marks and their cards; proof.py,
                     how it was checked
    article.py       an article as HTML, its quotes marked by offset
    feedback.py      what readers thought of answers
    chat.js          cards, the source panel, copying; chat.css, how all of it looks

It may import `html`, and nothing else of `rag.page`.
"""
