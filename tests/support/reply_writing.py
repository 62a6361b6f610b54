"""A reply writer with the starter passages, policy and prompt, and requests for it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

from frontdesk.deadline import Deadline
from frontdesk.masking import mask
from frontdesk.responses.knowledge_base.articles import STARTER_KNOWLEDGE, Knowledge
from frontdesk.responses.knowledge_base.retrieval import PassageIndex
from frontdesk.responses.llm.port import LanguageModel
from frontdesk.responses.policy import STARTER_REPLIES, ReplyPolicy
from frontdesk.responses.reply.clarifying_questions import STARTER_QUESTIONS, ClarifyingQuestions
from frontdesk.responses.reply.prompt import STARTER_PROMPT, PromptTemplates
from frontdesk.responses.reply.reply_cache import CachedReplies, ReplyCacheStorage
from frontdesk.responses.reply.template import ReplyTemplates
from frontdesk.responses.reply.writer import LanguageModelWriter
from frontdesk.types import Action, Decision, Reason, ReplyRequest, Sentiment, WrittenReply
from tests.support.fakes import NoEmbedding, understanding

DAY = date(2026, 6, 1)
KNOWLEDGE = Knowledge.read(STARTER_KNOWLEDGE)
POLICY = ReplyPolicy.read(STARTER_REPLIES)
QUESTIONS = ClarifyingQuestions.read(STARTER_QUESTIONS)
PROMPT = PromptTemplates.read(STARTER_PROMPT)
TEMPLATES = ReplyTemplates(PassageIndex.build(KNOWLEDGE, NoEmbedding()), QUESTIONS, lambda: DAY)


def model_writer(model: LanguageModel, cache: ReplyCacheStorage | None = None) -> LanguageModelWriter:
    return LanguageModelWriter(TEMPLATES, model, "openai", PROMPT, POLICY, CachedReplies(cache, ("v1",)))


def request(
    text: str,
    label: str = "cancel_order",
    action: Action = Action.AUTOMATE,
    *,
    mood: str = "neutral",
    **more: Any,
) -> ReplyRequest:
    understood = replace(understanding(label), sentiment=Sentiment(mood, 0.9, {mood: 0.9}))
    reason = Reason.CONFIDENT if action is Action.AUTOMATE else Reason.POLICY_FORBIDS
    return ReplyRequest("acme", mask(text), understood, Decision(action, (reason,), ()), **more)


async def write_reply(
    writer: LanguageModelWriter, reply_request: ReplyRequest, seconds: float = 5.0
) -> tuple[str, WrittenReply]:
    """Write a reply. Returns the released sentences as one text, and the final result."""
    *released, last = [piece async for piece in writer.write(reply_request, Deadline.after(seconds))]
    assert isinstance(last, WrittenReply)
    return "".join(sentence.text for sentence in released), last
