"""Is the right passage found, whatever language it and the question are in?

sets.py      a folder of question sets -> Pools: what is stored, what is asked
articles.py  the evaluation's own questions on the articles -> one more Pool
systems.py   the rows of the table: systems that index a Pool and search it
figures.py   Pool + what was found -> Figures, all pure functions
report.py    Figures -> tables -> terminal, Markdown
run.py       `rag eval retrieval`: Pools x systems -> report
"""
