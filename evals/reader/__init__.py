"""Train and measure the reader: examples -> network -> weights -> figures.

`python -m evals.reader.train` makes the weights, `python -m evals.reader.measure`
says what they are good for on what they have not seen.
"""
