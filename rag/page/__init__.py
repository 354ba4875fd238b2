"""The chat page, where the proof of an answer is one click away.

    server/      listens, lets people in, and puts the page together
    chat/        the tab of questions: a conversation, its answers and their proof
    sources/     the tab of articles: their table, the filter, adding and removing
    html/        escaping, direction of text, and what the page says

Imports go one way: server -> chat, sources -> html; chat and sources know nothing of each
other. Nothing here imports the evaluation.

Text of articles, questions, file names and models is escaped where it becomes HTML, so that
none of it can become markup, a link or an image.
"""

import os

# Read while Gradio is imported, which would tell its makers of every start.
os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
