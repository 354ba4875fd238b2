"""How the page is served: who may come in, and what every reply carries.

    serve.py         listens, and serves the page until Ctrl-C
    access.py        who may come in, and what is refused without a login
    guard.py         around every request: access.py, request_body.py (what it may bring along),
                     the content security policy, the page's language
    layout.py        the page: its head, its tabs, the source panel; layout.css
    endpoints.py     what programs may call

It may import `chat`, `sources` and `html`.
"""
