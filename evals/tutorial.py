"""The chatbot that tutorials build, on the same articles and models, as a row to compare with.

Texts are cut to chunks of 1,000 characters by LangChain's RecursiveCharacterTextSplitter,
kept in Chroma with the plain vectors of the embedding model, and the four nearest are
stuffed into one prompt. The reply is the answer as it comes; its citations are the chunks
whose numbers it wrote. It counts as abstaining when its first sentence says so, in words
that the evaluation's languages use for it (`_SILENT`).
"""

import re
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Self

from rag.engine import Rag
from rag.errors import InputError
from rag.records import (
    Answer,
    AnswerEvent,
    CallEvent,
    Citation,
    Document,
    Event,
    Hit,
    HitsEvent,
    Usage,
)
from rag.settings import Settings

if TYPE_CHECKING:
    from langchain_core.messages import BaseMessage

PROMPT = """Answer the question using only the context below. Cite the parts of the context \
that you use by their numbers, such as [1]. If the context does not hold the answer, say that \
you don't know. Answer in the language of the question.

Context:
"""
CHUNK, OVERLAP, NEAREST = 1000, 200, 4
_BATCH = 32

# Beginnings of words, because languages inflect at the end.
_SILENT = re.compile(
    r"(?:do not|don['’]t|cannot|can['’]t|unable to) (?:know|say|answer|determine|find)"
    r"|no (?:information|mention)|(?:is|are|was|were|does|do) ?n(?:o|['’])t\b.{0,30}"
    r"(?:provide|mention|contain|state|specif|include|information|answer|say)"
    r"|bilmiyorum|bilgi (?:yok|bulunm|yer alm|veril?m)|belirtilme|bahsedilme|bilinmiyor"
    r"|(?:לא|אינני|איני|אינו) (?:יודע|מוזכר|צוין|נמסר|מצוין|מופיע|ידוע)|אין (?:לי )?מידע"
    r"|لا (?:أعرف|أعلم|يذكر|تذكر|يوجد|توجد|يحتوي)|لم (?:يذكر|يُذكر|يتم ذكر|يرد)|ليس لدي|غير مذكور"
    r"|nie wiem|nie (?:poda|wspomina|wspomnia|zawiera|ma informacji|określ)|brak informacji"
    r"|не (?:знаю|указан|упомина|содерж|сообща|сказано|вказан|згаду|міст|відомо|знайд)"
    r"|нет (?:информации|данных|сведений)|немає (?:інформації|даних)"
    r"|білмеймін|айтылма|көрсетілме|(?:ақпарат|мәлімет|дерек)\w* (?:жоқ|берілме)"
    r"|不知道|不清楚|没有(?:提到|提及|说明|提供|相关|给出)|未(?:提及|提到|说明|提供)|无法(?:回答|确定|得知)"
    r"|weiß (?:es |das |ich )*nicht|nicht (?:erwähnt|angegeben|genannt|enthalten|bekannt)"
    r"|keine (?:information|angabe|antwort)|geht .{0,40}nicht hervor"
    r"|(?:ne|n['’]en) sa(?:is|it) (?:pas|rien)|pas (?:mentionn|indiqu|précis|d['’]information)"
    r"|ne (?:mentionne|précise|contient|donne|dit)|aucune (?:information|mention)"
    r"|no (?:lo )?sé\b|no se (?:menciona|indica|especifica)|no (?:menciona|contiene|proporciona)"
    r"|no hay información|non (?:lo )?so\b|nessuna informazione"
    r"|non (?:è|viene|sono) .{0,20}(?:menzionat|indicat|specificat)"
    r"|分かりません|わかりません|記載(?:が|は)?(?:ありません|されていません)"
    r"|情報(?:が|は)(?:ありません|含まれていません)|言及されていません"
    r"|नहीं (?:जानत|पता|बताया|दिया|मिल|है जानकारी)|जानकारी नहीं|पता नहीं|उल्लेख नहीं"
    r"|نمی[\u200c ]?دانم|(?:ذکر|اشاره|بیان) نشده|اطلاعاتی .{0,30}(?:نیست|ندارد|وجود ندارد)",
    re.IGNORECASE,
)
_MARK = re.compile(r"\[(\d+)\]")
_SENTENCE_END = re.compile(r"[.!?。！？؟।](?:\s|$)|[。！？]|\n")


class Tutorial:
    """An engine over the articles and models that a product was opened with.

    Use it as a context; entering embeds the articles. Raises InputError without a chat
    model or without the packages that it is made of.
    """

    def __init__(self, product: Rag) -> None:
        self.settings: Settings = product.settings
        self._product = product
        self._model = product.parts.chat_model
        if self._model is None:
            raise InputError(
                "the system tutorial needs a chat model and RAG_MODEL is none; "
                "choose another model with --model"
            )
        self._stack = ExitStack()
        self._store: Any = None

    def __enter__(self) -> Self:
        """Cut, embed and store the articles."""
        self._store = _filled_store(self._product, self._stack)
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.close()

    def documents(self) -> dict[str, Document]:
        """The articles by name."""
        return self._product.documents()

    def search(self, question: str, k: int = NEAREST) -> list[Hit]:
        """The k chunks whose vectors are nearest, best first."""
        found = self._store.similarity_search_with_score(question, k)
        articles = self.documents()
        return [_hit(chunk, 1.0 - distance, articles) for chunk, distance in found]

    def stream(self, question: str, history: Sequence[tuple[str, str]] = ()) -> Iterator[Event]:
        """The chunks, the one call of the chat model, and what it wrote as an answer."""
        from rag.languages.detect import detect
        from rag.models.choice import model_label
        from rag.models.conversation import Conversation

        assert self._model is not None
        hits = tuple(self.search(question))
        yield HitsEvent(hits, question)
        talk = Conversation(self._model, self.settings, self._product.parts.replies)
        messages = prompt(question, history, hits)
        text = talk.ask(messages).strip()
        said = tuple((each.type, str(each.text)) for each in messages)
        yield CallEvent(said, talk.reply, "", talk.cached)
        label = model_label(self.settings)
        yield AnswerEvent(answer(text, hits, detect(text).lang, talk.usage, question, label))


def prompt(
    question: str, history: Sequence[tuple[str, str]], hits: Sequence[Hit]
) -> "list[BaseMessage]":
    """The chunks with their numbers, earlier turns, and the question."""
    from langchain_core.messages import AIMessage, HumanMessage, SystemMessage

    chunks = "\n\n".join(f"[{number}] {hit.text}" for number, hit in enumerate(hits, 1))
    messages: list[BaseMessage] = [SystemMessage(PROMPT + chunks)]
    for asked, answered in history:
        messages += [HumanMessage(asked), AIMessage(answered)]
    return [*messages, HumanMessage(question)]


def answer(
    text: str, hits: Sequence[Hit], language: str, usage: Usage, query: str = "", model: str = ""
) -> Answer:
    """The reply as an answer; a number that no chunk has is no citation."""
    abstained = says_nothing(text)
    numbers = dict.fromkeys(int(digits) for digits in _MARK.findall(text))
    cited = [number for number in numbers if 1 <= number <= len(hits) and not abstained]
    return Answer(
        text=text,
        citations=tuple(_citation(number, hits[number - 1]) for number in cited),
        abstained=abstained,
        language=language,
        hits=tuple(hits),
        usage=usage,
        mode="abstained" if abstained else "generated",
        query=query,
        model=model,
    )


def says_nothing(text: str) -> bool:
    """Whether the first sentence says that the answer is not known, or there are no words.

    >>> says_nothing("I don't know. The context is about jets."), says_nothing("Six jets [1].")
    (True, False)
    >>> says_nothing("Six jets flew. Their names are not mentioned.")
    False
    """
    first = _SENTENCE_END.split(text.strip(), maxsplit=1)[0]
    return not first.strip() or _SILENT.search(first) is not None


def _citation(number: int, hit: Hit) -> Citation:
    return Citation(number, hit.source, hit.start, hit.end, hit.text, "exact", hit.title, hit.lang)


def _hit(chunk: Any, score: float, articles: dict[str, Document]) -> Hit:
    source, start = str(chunk.metadata["source"]), int(chunk.metadata["start_index"])
    text, article = str(chunk.page_content), articles[source]
    return Hit(
        source, start, start + len(text), text, score=score, lang=article.lang, title=article.title
    )


def _filled_store(product: Rag, stack: ExitStack) -> Any:
    """A Chroma in memory that holds the chunks until the stack is closed."""
    try:
        from langchain_chroma import Chroma
        from langchain_text_splitters import RecursiveCharacterTextSplitter
    except ImportError as error:
        raise InputError(
            f"the system tutorial needs {error.name}; "
            "pip install langchain-chroma langchain-text-splitters"
        ) from error
    import chromadb  # noqa: TID251 - a client of langchain-chroma's own is never closed
    from chromadb.config import Settings as ChromaSettings  # noqa: TID251

    client: Any = chromadb.EphemeralClient(ChromaSettings(anonymized_telemetry=False))
    stack.callback(client.close)
    store = Chroma(
        client=client,
        collection_name="tutorial",
        embedding_function=product.parts.embedder.embeddings,
        collection_configuration={"hnsw": {"space": "cosine"}},
    )
    stack.callback(store.delete_collection)
    splitter = RecursiveCharacterTextSplitter(
        chunk_size=CHUNK, chunk_overlap=OVERLAP, add_start_index=True
    )
    articles = product.documents()
    chunks = splitter.create_documents(
        [each.text for each in articles.values()], [{"source": name} for name in articles]
    )
    for first in range(0, len(chunks), _BATCH):
        store.add_documents(chunks[first : first + _BATCH])
    return store
