"""The chat model: which one, how it is reached, and every failure of it as one line.

    choice.py        which model the settings mean
    chat.py          makes it
    server.py        the client of a server, with options.py: what a server refuses;
                     stream.py: what it sends; listing.py: its list of models
    llama_server.py  a file of weights, served on loopback to the same client
    hub.py           that file from the hub; weights.py: from packages; files.py: on disk
    conversation.py  calls to a model, with calls.py: one in its event loop; thoughts.py: what
                     is no reply; replies.py: those that are kept; usage.py: what they took
    errors.py        failures as one line
    tokens.py        how many tokens a text takes

It imports no other package of `rag`.
"""
