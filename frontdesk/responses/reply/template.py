"""Plan replies, and write those that need no language model, from passages and phrases.

A plan contains the kind of reply that the decision requires, its language, and its passages. Without a passage in the
customer's language, a reply is never sent without human review: the plan's decision is then `draft`. Clarifying
questions are written in advance in each language (`clarifying_questions.py`). Pure; the date is a parameter. All texts
are masked.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from frontdesk.decision.rules import require_review
from frontdesk.decision.slot_filling import orders_to_name, slots_with_values
from frontdesk.responses.knowledge_base.articles import Passage
from frontdesk.responses.knowledge_base.retrieval import PassageIndex
from frontdesk.responses.reply.clarifying_questions import ClarifyingQuestions
from frontdesk.responses.text.language_detection import detect_language, language_of_tag
from frontdesk.types import Action, Citation, Decision, Reason, Reply, ReplyRequest
from frontdesk.yaml_files import read_yaml

SOURCE = "template"
DEFAULT_LANGUAGE = "en"
PHRASES: Mapping[str, Mapping[str, str]] = read_yaml(Path(__file__).parent / "phrases.yaml", "file of phrases")

_ORDER_TOPICS = ("order", "refund", "invoice", "delivery", "payment")


@dataclass(frozen=True, slots=True)
class ReplyPlan:
    """The planned reply. Without `passages` it is `question`, or a note that a person takes over.

    `language` is that of the passages, or of the customer if there are none; `customer_language` is the customer's, as
    far as it is known.
    """

    request: ReplyRequest
    decision: Decision
    passages: tuple[Passage, ...]
    related_passages: tuple[Passage, ...]
    language: str
    customer_language: str
    question: str | None = None

    @property
    def orders(self) -> tuple[str, ...]:
        """The placeholders of the orders that the reply names: all that the message asks about, or none."""
        request = self.request
        if not any(topic in request.understanding.intent.label for topic in _ORDER_TOPICS):
            return ()
        return orders_to_name(request.text.neutralize(request.text.text))


@dataclass(frozen=True, slots=True)
class ReplyTemplates:
    """Plans and writes replies from one knowledge base; `today` decides which passages are valid."""

    retrieval: PassageIndex
    questions: ClarifyingQuestions
    today: Callable[[], date]

    def plan(self, request: ReplyRequest, *, related_passages: bool = False) -> ReplyPlan:
        """Plan the reply. `related_passages`: whether to add a passage of another intent, which only a model uses."""
        understanding, decision = request.understanding, request.decision
        text = request.text.text
        customer_language = _primary_language(request.language) or detect_language(text) or DEFAULT_LANGUAGE
        if decision.question is not None:
            question = self.questions.ask(decision.asks_about, customer_language)
            language = DEFAULT_LANGUAGE if question is None else customer_language
            return ReplyPlan(request, decision, (), (), language, customer_language, question or decision.question)
        needs_person = decision.action is Action.ESCALATE or not understanding.intent.in_scope
        day, tier = self.today(), request.tier
        passages = (
            () if needs_person else self.retrieval.find(understanding.intent.label, text, day, tier, customer_language)
        )
        if not passages:
            return ReplyPlan(request, decision, (), (), customer_language, customer_language)
        if passages[0].language != customer_language:
            decision = require_review(decision, Reason.LANGUAGE_NOT_COVERED)
        others = self.retrieval.related_passages(passages, text, day, tier) if related_passages else ()
        has_order = any("order" in action.slots for action in decision.actions)  # maybe from the subject
        if has_order or slots_with_values(("order",), request.text.neutralize(text)):
            passages = tuple(passage.for_message_with_order() for passage in passages)
            others = tuple(passage.for_message_with_order() for passage in others)
        return ReplyPlan(request, decision, passages, others, passages[0].language, customer_language)

    def reply(self, plan: ReplyPlan) -> Reply:
        """Return the question, a note that a person takes over, or the text of the passages."""
        if plan.question is not None:
            body = f"{get_phrase(plan, 'before_a_question')} {plan.question}"
            return Reply(_join(greeting(plan), body, get_phrase(plan, "signature")), SOURCE, ())
        if not plan.passages:
            return Reply(
                _join(greeting(plan), get_phrase(plan, "hand_over"), get_phrase(plan, "signature")), SOURCE, ()
            )
        body = "\n\n".join(passage.text for passage in plan.passages)
        if orders := plan.orders:
            body = f"{_about_orders(plan, orders)} {body}"
        return Reply(_join(greeting(plan), body, closing(plan)), SOURCE, citations(plan.passages))


def greeting(plan: ReplyPlan, language: str | None = None) -> str:
    return get_phrase(plan, plan.request.understanding.sentiment.label, language)


def closing(plan: ReplyPlan, language: str | None = None) -> str:
    return _join(get_phrase(plan, "closing", language), get_phrase(plan, "signature", language))


def get_phrase(plan: ReplyPlan, phrase: str, language: str | None = None) -> str:
    """A phrase in `language`, by default the plan's language; in English if there is no translation."""
    phrases = PHRASES.get(language or plan.language, {})
    return phrases.get(phrase) or PHRASES[DEFAULT_LANGUAGE][phrase]


def _about_orders(plan: ReplyPlan, orders: tuple[str, ...]) -> str:
    *others, last = orders
    if not others:
        return get_phrase(plan, "about_order").format(order=last)
    listed = f"{', '.join(others)} {get_phrase(plan, 'and')} {last}"
    return get_phrase(plan, "about_orders").format(orders=listed)


def citations(passages: tuple[Passage, ...]) -> tuple[Citation, ...]:
    return tuple(Citation(passage.id, passage.title) for passage in passages)


def _primary_language(tag: str | None) -> str | None:
    """The language of a tag. One without phrases counts too: it is then not covered."""
    return language_of_tag(tag) or (tag.partition("-")[0].lower() if tag else None)


def _join(*pieces: str) -> str:
    return "\n\n".join(pieces)
