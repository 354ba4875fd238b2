"""Quote: the extractive answer, made of the stored sentences that most likely tell."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from rag.answering.abstention import explain
from rag.answering.contradiction import differ
from rag.answering.find import Findings
from rag.answering.gloss import gloss
from rag.answering.overview import central_sentences
from rag.answering.reply import Checked, Reply, ReplyText
from rag.languages.frames import Article, dated_title, frame, listed
from rag.parts import Parts
from rag.retrieval.sentence_selection import Evidence, choose_evidence, to_quote


def extractive_answer(
    found: Findings, parts: Parts, notice: str = "", chosen: Sequence[Evidence] = ()
) -> Reply:
    """The sentences that most likely answer, or that were chosen; else that none does.

    Of two articles that contradict each other both are named.
    """
    query = found.query
    evidence = list(chosen) or _to_quote(found, parts)
    if not evidence:
        return replace(abstention(found), notice=notice)
    differs = not found.of_articles and differ(evidence, parts.embedder)
    lead = frame("sources_differ", query.answer_lang) if differs else ""
    checked = quote(evidence, query.answer_lang, lead, found.of_articles or differs)
    return Reply(query, checked, "quoted", found.hits, notice)


def abstention(found: Findings) -> Reply:
    """That the articles do not say."""
    said = Checked(explain(found.query, found.hits))
    return Reply(found.query, said, "abstained", found.hits)


def quote(
    evidence: Sequence[Evidence], lang: str, lead: str = "", by_article: bool = False
) -> Checked:
    """The sentences themselves, framed in the asker's language: right whatever a model does.

    One in another language is followed by what code can say of it in the asker's. `lead` stands
    before them; with `by_article` each is led by its article.
    """
    reply = ReplyText("\n")
    if lead:
        reply.say(lead)
    for each in evidence:
        reply.add(_framed(each, lang, by_article), [each], "quoted")
    return reply.checked()


def evidence_of(
    found: Findings, parts: Parts, chosen: Callable[[Sequence[Evidence]], Sequence[Evidence]] = list
) -> list[Evidence]:
    """The sentences that may answer each part of the question, or those chosen of them, once."""
    each = [chosen(choose_evidence(query, hits, parts)) for query, hits in found.by_part]
    once = {(e.hit.source, e.sentence.start): e for evidence in each for e in evidence}
    return [replace(e, number=number) for number, e in enumerate(once.values(), 1)]


def _to_quote(found: Findings, parts: Parts) -> list[Evidence]:
    if found.of_articles:
        return central_sentences(found.by_part[0][1], parts.embedder)
    return evidence_of(found, parts, to_quote)


def _framed(evidence: Evidence, lang: str, by_article: bool) -> str:
    words, hit = " ".join(evidence.sentence.text.split()), evidence.hit
    if by_article:
        framed = f"{dated_title(Article.of(hit), lang)}: “{words}”"
    else:
        framed = frame("quote", lang, quote=words)
    names = gloss(words, hit.lang, lang) if hit.lang != lang else ()
    return f"{framed} {frame('names', lang, names=listed(names, lang))}" if names else framed
