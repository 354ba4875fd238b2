"""Texts become vectors, and question and passage are read together.

    embedder.py          passages and questions as vectors, less what they owe to their language
    encoder.py           runs the network: tokenizer.py, e5_weights.py, e5_onnx.py
    server.py            servers of embedding models
    cache.py             vectors that were made before
    late_interaction.py  question and passage compared token by token (MaxSim)
    cross_encoder.py     question and passage in one input: does it answer, and where

It may import `models` (failures of servers, tokens) and `languages`.
"""
