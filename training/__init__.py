"""Make the trained and counted files of `rag/` from public text; nothing of it is installed.

cross_encoder/    the cross-encoder's layers; train.py and network.py need torch
token_projection.py  the projection for late interaction; needs torch
language_means.py the mean vector of each language
fit_calibration.py   what each signal of a passage says of it, and when to abstain
small_talk.py     the exemplars of greetings and orders; question_kinds.py: of kinds of questions;
                  exemplars.py: what both share
known_names.py    names known by heart; common_words.py: words that are none
"""
