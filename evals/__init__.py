"""The evaluation: questions with known answers, and the figures they give.

Questions
    cases.py      questions.jsonl -> Cases, checked against the articles
    choose.py     which of them are asked
    answer_sets.py  public sets -> Cases; news.py: the set on news
    candidates.py   what users disliked, as questions to be completed
Figures
    matching.py   does an answer hold this name or figure?
    metrics.py    Case + Answer -> Scores -> Figures, all pure functions
    supported.py  does an answer state what its quotes do not hold?
    judge.py      a chat model's verdict on an answer
    summary.py    Results -> summary; report.py, table.py: as tables; markdown.py: in Markdown
A run
    run.py        `rag eval run`: tasks.py (what is asked, of whom) -> measure.py -> report
    run_folder.py a run as a folder; about.py: what it was; runs.py: reads it
    page.py       `rag eval report`: a run as one HTML file; run_list.py: a folder of them
    pages/        how these pages are made
    compare.py    `rag eval compare`: what differs between two runs, and is it chance?
    gate.py       `rag eval gate`: is a run worse than the one that was accepted?
    replies.py    replies of the chat model, kept
    recorded.py   a chat model that is not connected; recording.py: its prompts and replies
    tutorial.py   the chatbot of tutorials, to compare with
    retrieval/    `rag eval retrieval`: are the right passages found, in any language?
By themselves, each with `python -m evals.NAME`
    audit.py      true translations and planted faults (audit_faults.py): what does the audit say?
    claims.py     claims known to be true or false: which are shown?
    verifying.py  and which does a model doubt?
    follow_ups.py what is found for a follow-up?
    translations.py  which translations are shown? translation_cosines.py: how near they are
    performance/  how fast is all of it? encoder_speed.py, search_speed.py: parts of it
    browsing.py   the chat page in a browser: page_speed.py, screenshots.py
Files: rows.py reads JSON Lines, files.py writes whole files.
"""
