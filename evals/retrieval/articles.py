"""The evaluation's own questions on the articles, as a pool: is all they need found?"""

from collections.abc import Sequence

from evals.cases import load_cases
from evals.choose import searchable, spread
from evals.metrics import evidence_found
from evals.retrieval.figures import Scorer
from evals.retrieval.sets import Passage, Pool, Question
from rag.embedding.e5 import E5_BUDGET, E5Embeddings
from rag.reading.corpus import read_corpus
from rag.reading.split import split_document
from rag.records import Document
from rag.resources import evals_folder, seeds_folder

ARTICLES = "articles"
DEPTHS = (1, 5, 8)


def article_pool(embeddings: E5Embeddings, limit: int | None) -> tuple[Pool, Scorer]:
    """The passages that the product makes of the articles, and what scores a search of them.

    A score is 1.0 where the first hits hold all evidence in full.
    """
    articles = [each for each in read_corpus(seeds_folder()) if isinstance(each, Document)]
    texts = {article.source: article.text for article in articles}
    cases = searchable(load_cases(evals_folder() / "questions.jsonl", texts))
    asked = {
        Question(case.question, case.lang, case.group, case.group, ""): case
        for case in (cases if limit is None else spread(cases, limit))
    }
    slices = {
        f"{each.source}:{each.start}": each
        for article in articles
        for each in split_document(article, embeddings.count_tokens, E5_BUDGET)
    }

    def scores(question: Question, found: Sequence[str]) -> dict[str, float]:
        hits = [slices[name] for name in found]
        return {f"top {k}": evidence_found(asked[question], hits[:k]) or 0.0 for k in DEPTHS}

    passages = [Passage(name, each.lang, each.text, name) for name, each in slices.items()]
    return Pool(ARTICLES, passages, list(asked)), scores
