"""Texts become vectors, and question and passage are read together.

    embedder.py          passages, sentences and questions as vectors, from a cache: cache.py
    e5.py                the built-in embedding model; server.py, one behind OpenAI's protocol
    encoder.py           runs the built-in one: tokenizer.py, e5_weights.py, e5_onnx.py
    language_means.py    vectors without the mean of their language
    corpus_mean.py       vectors without what all passages of a corpus share
    late_interaction.py  question and passage compared token by token (MaxSim)
    cross_encoder.py     question and passage in one input: does it answer, and where

It may import `models` (failures of servers, tokens) and `languages`.
"""
