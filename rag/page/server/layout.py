"""The page: one for each of its languages, with the same parts and the same events."""

import gradio as gr
from markupsafe import Markup

from rag.engine import Rag
from rag.page.chat.conversation import Conversation
from rag.page.chat.queue import EngineQueue
from rag.page.html.markup import joined, markup
from rag.page.html.words import LANGUAGES, Words, words
from rag.page.server.access import uploads_allowed
from rag.page.server.endpoints import add_endpoints
from rag.page.sources.tab import SourcesTab

# Read by chat.js, which says nothing that is not among them.
_LABELS = ("title", "copied", "translating", "lost")


def page(engine: Rag) -> gr.Blocks:
    """The pages "/" (English), "/tr", "/ar" … and the API endpoints, which all share.

    Each visitor has a conversation of their own; the engine serves one after the other.
    """
    queue = EngineQueue(engine)
    first, *others = LANGUAGES
    blocks = gr.Blocks(title=words(first)("chat.title"), analytics_enabled=False)
    with blocks:
        _build(blocks, engine, queue, words(first))
        add_endpoints(engine, queue)
    for lang in others:
        with blocks.route(LANGUAGES[lang], f"/{lang}", show_in_navbar=False):
            _build(blocks, engine, queue, words(lang))
    return blocks


def _build(blocks: gr.Blocks, engine: Rag, queue: EngineQueue, say: Words) -> None:
    gr.HTML(
        str(_header(say, engine.settings.login is not None)),
        elem_id="header",
        apply_default_css=False,
        js_on_load=None,
    )
    chat = Conversation(engine, queue, say)
    sources = SourcesTab(engine, say, queue.alone, uploads_allowed(engine.settings))
    with gr.Tabs(elem_id="tabs"):
        with gr.Tab(say("chat.tab"), elem_id="tab-chat"):
            chat.build()
        with gr.Tab(say("sources.tab"), elem_id="tab-sources"):
            sources.build()
    gr.HTML(str(_panel(say)), elem_id="panel", apply_default_css=False, js_on_load=None)
    chat.connect(blocks, sources.where)
    unfiltered = chat.unfilter(sources.unfilter, sources.filter_parts)
    chat.show_filter(sources.where, [*sources.filtered, unfiltered])
    blocks.load(
        sources.refresh, None, sources.refreshed,
        queue=False, show_progress="hidden", api_visibility="private",
    )  # fmt: skip


def _header(say: Words, login: bool) -> Markup:
    """The title, what it promises, and the switches of language and light; the way out."""
    return markup(
        "<header><div><h1>{title}</h1><p>{promise}</p></div>"
        '<nav id="language" aria-label="{language}"><ul>{choices}</ul></nav>'
        '<button type="button" id="theme" aria-label="{theme}" title="{theme}"></button>'
        "{out}</header>"
        '<div id="labels" hidden {labels}></div>',
        title=say("chat.title"),
        promise=say("chat.promise"),
        language=say("chat.language"),
        choices=joined(_choice(lang, say.lang) for lang in LANGUAGES),
        theme=say("chat.theme"),
        out=markup('<a id="out" href="/logout">{out}</a>', out=say("access.sign_out"))
        if login
        else "",
        labels=joined((_label(key, say) for key in _LABELS), " "),
    )


def _choice(lang: str, present: str) -> Markup:
    return markup(
        '<li><a href="?lang={lang}" lang="{lang}" hreflang="{lang}"{current}>'
        "<bdi>{name}</bdi></a></li>",
        lang=lang,
        name=LANGUAGES[lang],
        current=Markup(' aria-current="true"') if lang == present else "",
    )


def _label(key: str, say: Words) -> Markup:
    return markup('data-{key}="{said}"', key=key, said=say(f"chat.{key}"))


def _panel(say: Words) -> Markup:
    """The foot of the page, and the empty source panel, into which chat.js puts an article."""
    return markup(
        '<aside id="source" hidden tabindex="-1" aria-label="{source}">'
        '<button type="button" class="close">{close}</button>'
        '<p class="fault" role="status"></p>'
        '<div class="inside" tabindex="0" role="region" aria-label="{source}"></div></aside>'
        '<footer><a href="./?api" hreflang="en">{api}</a></footer>',
        source=say("chat.source"),
        close=say("chat.close"),
        api=say("chat.api"),
    )
