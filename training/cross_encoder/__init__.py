"""Train and measure the cross-encoder: examples -> network -> weights -> figures.

examples.py       questions and windows of their contexts
code_switching.py English questions in the words of another language
cloze.py          parallel sentences with a gap as questions
negatives.py      the same passages and questions so that they do not answer
network.py        the network in PyTorch, and its weights as a file
train.py          `python -m training.cross_encoder.train`: examples -> weights
measure.py        `python -m training.cross_encoder.measure`: on what it has not seen
articles.py       `python -m training.cross_encoder.articles`: on the project's own articles
"""
