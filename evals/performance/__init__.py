"""How fast ingest, search, answers and start-up are on this machine, as a page of tables.

    python -m evals.performance [--out docs/performance.md] [--skip-model]

All is measured on the project's own articles and questions, in a temporary folder, so that
no store and no cache is warm that is not said to be. Settings of the environment do not
count. What each figure is, the page says beside it.

command.py    measure everything -> page
machine.py    what the figures depend on; timing.py: what is measured with
ingest.py, questions.py, phrased.py, startup.py: a table each
page.py       tables -> page
"""
