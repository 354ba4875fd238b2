"""The evaluation: questions with known answers, and the figures they give.

cases.py     questions.jsonl -> Cases, checked against the articles
matching.py  does an answer hold this name or figure?
metrics.py   Case + Answer -> Scores -> Figures, all pure functions
choose.py    which of the questions are asked
measure.py   ask each question -> Results
report.py    Results -> summary -> tables
run.py       `rag eval run`: choose -> measure -> report
retrieval/   `rag eval retrieval`: are the right passages found, in any language?
"""
