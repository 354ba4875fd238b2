"""The chat model: which one, how it is reached, and every failure of it as one line.

    choice.py            which model the settings mean
    chat.py              makes it: server.py with stream.py, options.py and listing.py; llama.py
    hub.py, weights.py   model files: from the hub, and from the packages of the install
    conversation.py      calls to it; thoughts.py, what it thinks and does not reply
    errors.py            failures as one line
    tokens.py            how many tokens a text takes

It imports no other package of `rag`.
"""
