"""Write: the model drafts claims, code checks each, and the model mends what was refused."""

import threading
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from functools import partial
from typing import TYPE_CHECKING, Literal

from langchain_core.messages import AIMessage, BaseMessage

from rag.answering.cite import cite, settled_text
from rag.answering.context import Context
from rag.answering.draft import SCHEMA, Draft, read_draft
from rag.answering.messages import answer_messages, form_message, retry_message
from rag.answering.reply import Checked
from rag.answering.verification import VERDICTS, doubted_claims, verify_messages
from rag.errors import ModelError
from rag.models.errors import NO_FORM
from rag.records import CallEvent, Query, StageEvent, TextEvent

if TYPE_CHECKING:
    from rag.models.conversation import Conversation

Steps = Generator[StageEvent | TextEvent | CallEvent, None, None]


class Writing:
    """One answer in the making: what the model has drafted so far, and what of it is shown.

    Setting `stop` ends it within a second. A model that fails leaves what was checked before.
    """

    def __init__(
        self, query: Query, context: Context, model: "Conversation", stop: threading.Event
    ) -> None:
        self.draft = Draft(())
        """All claims, those that were refused included."""
        self.checked = Checked("")
        self.silent = False
        """Whether the model found that the articles do not tell."""
        self.fault = ""
        """Why the model failed, in one line; "" when it did not."""
        self._query = query
        self._context = context
        self._model = model
        self._stop = stop
        self._shown = ""

    def write(self, verify: bool) -> Steps:
        """Draft, once more what was refused, and, with `verify`, doubt what nothing proves."""
        messages = answer_messages(self._query, self._context)
        yield from self._attempt("reading", messages, lambda draft: draft)
        problem = None if self._is_over() else self._problem()
        if problem is not None:
            again = [*messages, AIMessage(self._model.reply), problem]
            yield from self._attempt("rewriting", again, partial(mended, self.draft, self.checked))
        if verify and self.checked.text and not self._is_over():
            yield from self._verify()

    def _is_over(self) -> bool:
        return self.silent or bool(self.fault) or self._stop.is_set()

    def _problem(self) -> BaseMessage | None:
        """What the model is told of its draft; None when nothing is wrong with it."""
        if not any(claim.closed for claim in self.draft.claims):
            return form_message(self._query)
        refused = self.checked.refused
        return retry_message(refused, self._query) if refused else None

    def _attempt(
        self,
        stage: Literal["reading", "rewriting"],
        messages: Sequence[BaseMessage],
        whole: Callable[[Draft], Draft],
    ) -> Steps:
        """One reply, shown as far as it is settled; `whole` puts it to what was kept before."""
        yield StageEvent(stage, len(self._context.evidence))
        try:
            with closing(self._model.stream(list(messages), SCHEMA, self._stop)) as replies:
                for reply in replies:
                    begun = whole(read_draft(reply) or Draft(()))
                    yield from self._show(settled_text(begun, self._context, self._query))
        except ModelError as error:
            self.fault = str(error)
        if self._stop.is_set():
            return
        yield StageEvent("checking", len(self._context.evidence))
        refused = self._check(read_draft(self._model.reply), whole)
        yield from self._show(self.checked.text)
        if self._model.reply:
            yield self._call(messages, refused)

    def _check(self, draft: Draft | None, whole: Callable[[Draft], Draft]) -> str:
        """Check a reply; what is wrong with it, in one line, or ""."""
        if draft is None:
            return NO_FORM
        first = not self.draft.claims
        before = {each.text for each in self.checked.refused}
        self.draft = whole(draft)
        self.checked = cite(self.draft, self._context, self._query)
        self.silent = first and not draft.claims and not self.fault
        reasons = [each.reason for each in self.checked.refused if each.text not in before]
        return "; ".join(dict.fromkeys(reasons))

    def _verify(self) -> Steps:
        """Have the model compare its claims with their quotes; where it fails the claims stay."""
        yield StageEvent("verifying", len(self._context.evidence))
        messages = verify_messages(self.checked, self._context)
        try:
            with closing(self._model.stream(messages, VERDICTS, self._stop)) as replies:
                for _ in replies:
                    pass
        except ModelError as error:
            self.fault = f"the claims were not compared with their quotes: {error}"
        if self._is_over():
            return
        doubted = doubted_claims(self._model.reply, self.checked)
        if doubted:
            self.checked = cite(self.draft, self._context, self._query, doubted)
        yield from self._show(self.checked.text)
        yield self._call(messages, "; ".join(dict.fromkeys(doubted.values())))

    def _call(self, messages: Sequence[BaseMessage], refused: str) -> CallEvent:
        prompt = tuple((each.type, str(each.text)) for each in messages)
        return CallEvent(prompt, self._model.reply, refused, self._model.cached)

    def _show(self, text: str) -> Generator[TextEvent, None, None]:
        """Send what is new of the text that can be shown now."""
        if text == self._shown:
            return
        begins = text.startswith(self._shown)
        yield TextEvent(text[len(self._shown) :] if begins else text, replaces=not begins)
        self._shown = text


def mended(first: Draft, checked: Checked, second: Draft) -> Draft:
    """The first draft with the claims of the second at the place of those that were refused.

    One that rests on just what a kept claim rests on says that again, and is left out.
    """
    refused = {each.text for each in checked.refused}
    places = [i for i, claim in enumerate(first.claims) if claim.text in refused]
    at = places[0] + 1 if places else len(first.claims)
    wanted = {first.claims[i].ids for i in places}
    kept = {claim.ids for claim in first.claims if claim.text not in refused} - wanted
    new = (claim for claim in second.claims if claim.ids not in kept)
    return Draft((*first.claims[:at], *new, *first.claims[at:]))
