"""A file becomes documents, a document passages and sentences.

    corpus.py            files of a folder -> Documents, by html.py, pdf.py, docx.py, json_lines.py
    metadata.py          what is stated about an article; files.py: its bytes and text
    split.py             Document -> Passages, each with its Sentences

It may import `languages`.
"""
