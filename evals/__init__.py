"""The evaluation: questions with known answers, and the figures they give.

cases.py     questions.jsonl -> Cases, checked against the articles
matching.py  does an answer hold this name or figure?
metrics.py   Case + Answer -> Scores -> Figures, all pure functions
choose.py    which of the questions are asked
supported.py does an answer state what its quotes do not hold?
claims.py    claims known to be true or false: which are shown?
verifying.py  and which does a model doubt?
judge.py     a chat model's verdict on an answer
measure.py   ask each question -> Results
replies.py   replies of the chat model, kept
recorded.py  a chat model that is not connected; recording.py: its prompts and replies as files
summary.py   Results -> summary; report.py, table.py: as tables
about.py     what a run was; run_folder.py: a run as a folder; runs.py: reads it
page.py      `rag eval report`: a run as one HTML file
compare.py   `rag eval compare`: what differs between two runs, and is it chance?
audit.py     true translations and planted faults (audit_faults.py): what does the audit say?
gate.py      `rag eval gate`: is a run worse than the one that was accepted?
tutorial.py  the chatbot of tutorials; answer_sets.py, news.py: public sets
candidates.py  what readers disliked, as questions to be completed
tasks.py     what a command line chooses: questions, articles, system
browsing.py  the chat page in a browser: page_speed.py, screenshots.py; translations.py
run.py       `rag eval run`: choose -> measure -> report
retrieval/   `rag eval retrieval`: are the right passages found, in any language?
"""
