"""Pages of the evaluation: one HTML file each, which any browser opens without a server.

    render.py              template + values -> HTML, escaped, under a content security policy
    case.py                what pages tell of one question
    base.html.jinja        what all pages have; parts.html.jinja, what several have
    report.html.jinja      one run, with report.js, its filters
    comparison.html.jinja  two runs; runs.html.jinja, a folder of them
    page.css               how they look

It may import `runs.py`, `metrics.py` and `table.py`.
"""
