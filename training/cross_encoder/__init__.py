"""Train and measure the reader: examples -> network -> weights -> figures.

`python -m training.cross_encoder.train` makes the weights,
`python -m training.cross_encoder.measure` says what they are good for on what they have not seen.
"""
