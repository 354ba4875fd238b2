"""`rag ask | chat | ingest | search | eval | doctor`: parse, call one function, print.

    commands.py          the commands, and `main`, which runs one and gives its exit code
    options.py           the flags that they share
    printing.py          how results and progress look in a terminal

Exit codes: 0 answered or done, 3 the articles do not say, 2 bad input, 1 a fault.
Results go to standard output, progress and errors to standard error.
"""

from rag.cli.commands import app, main

__all__ = ["app", "main"]
