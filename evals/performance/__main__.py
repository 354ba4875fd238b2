"""`python -m evals.performance`."""

from evals.performance.command import main

main()
