"""A file becomes documents, a document passages and sentences.

    read.py              files of a folder -> Documents
    split.py             Document -> Passages, each with its Sentences

It may import `languages`.
"""
