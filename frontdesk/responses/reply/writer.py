"""Write the reply to a decision, with or without a language model.

    plan -> (cache -> prompt -> model -> checks -> one repair) -> reply
              otherwise the template replies; if the checks failed, the reply becomes a draft

All texts are masked: the pipeline restores a placeholder such as [ORDER_1] after the reply is stored. Both writers
yield the sentences of a reply as each is released, then the `WrittenReply`. Released sentences have passed every check;
the stored reply can still be another one, if a later sentence fails.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import aclosing
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime

from frontdesk.deadline import Deadline
from frontdesk.decision.rules import require_review
from frontdesk.responses.checks.placeholders import is_allowed_placeholder
from frontdesk.responses.checks.run import run_checks
from frontdesk.responses.checks.types import Draft
from frontdesk.responses.knowledge_base.retrieval import PassageIndex
from frontdesk.responses.llm.port import ChatMessage, LanguageModel, LanguageModelUnavailable
from frontdesk.responses.policy import ReplyPolicy
from frontdesk.responses.reply.clarifying_questions import ClarifyingQuestions
from frontdesk.responses.reply.prompt import PromptTemplates, RenderedPrompt
from frontdesk.responses.reply.reply_cache import CachedReplies
from frontdesk.responses.reply.template import ReplyPlan, ReplyTemplates, citations, closing, greeting
from frontdesk.responses.text.language_detection import LANGUAGES
from frontdesk.responses.text.normalization import split_sentences
from frontdesk.types import Action, CheckResult, Reason, Reply, ReplyRequest, Sentence, WrittenReply

SOURCE = "language_model"
CHECKS_FAILED = "checks_failed"
RESERVE_S = 0.25
"""Part of the deadline that is reserved for the template and the record."""

_MAX_SENTENCE_END = 64
"""Most dots, quotation marks and blanks that can end a sentence of a stream; a longer run does not end one."""

ReplyPart = Sentence | WrittenReply


def _today() -> date:
    return datetime.now(UTC).date()


class TemplateWriter:
    """The `ReplyWriter` of `frontdesk/pipeline.py` that needs only the passages; `today` is UTC by default."""

    def __init__(
        self, retrieval: PassageIndex, questions: ClarifyingQuestions, today: Callable[[], date] = _today
    ) -> None:
        self.templates = ReplyTemplates(retrieval, questions, today)

    async def write(
        self,
        request: ReplyRequest,
        deadline: Deadline,  # noqa: ARG002 - part of the port; a template needs no time
    ) -> AsyncGenerator[ReplyPart, None]:
        plan = self.templates.plan(request)
        for part in split_reply(WrittenReply(self.templates.reply(plan), plan.decision)):
            yield part


@dataclass(frozen=True, slots=True)
class _ReplyAttempt:
    """A model's text, and the results of its checks."""

    body: str
    checks: tuple[CheckResult, ...]

    @property
    def passed(self) -> bool:
        return all(result.passed for result in self.checks)

    @property
    def reasons(self) -> tuple[str, ...]:
        return tuple(finding for result in self.checks for finding in result.findings)


@dataclass(frozen=True, slots=True)
class LanguageModelWriter:
    """The `ReplyWriter` that uses a language model wherever the template would answer from passages."""

    templates: ReplyTemplates
    model: LanguageModel
    provider: str
    prompt: PromptTemplates
    policy: ReplyPolicy
    cached: CachedReplies

    async def write(self, request: ReplyRequest, deadline: Deadline) -> AsyncGenerator[ReplyPart, None]:
        plan = self.templates.plan(request, related_passages=True)
        if not plan.passages or plan.customer_language not in LANGUAGES:
            for part in split_reply(WrittenReply(self.templates.reply(plan), plan.decision)):
                yield part
            return
        if (cached_reply := await self.cached.find(plan, self._allowed_placeholders(plan))) is not None:
            for part in split_reply(cached_reply):
                yield part
            return
        async with aclosing(self._write_with_model(plan, Deadline(deadline.at - RESERVE_S))) as parts:
            async for part in parts:
                if isinstance(part, WrittenReply) and part.reply.fallback is None:
                    await self.cached.store(plan, self._allowed_placeholders(plan), part, deadline.started_at)
                yield part

    async def _write_with_model(self, plan: ReplyPlan, deadline: Deadline) -> AsyncGenerator[ReplyPart, None]:
        """Yield sentences as they pass the checks, then the reply: the model's, the repaired one, or the template's."""
        rendered = self.prompt.render(plan, self.policy, plan.request.contacts)
        body = ""
        results: tuple[CheckResult, ...] = ()
        try:
            async with aclosing(_stream_sentences(self.model.complete(rendered.messages, deadline))) as sentences:
                async for sentence in sentences:
                    results = self._run_checks(plan, rendered, body + sentence, is_complete=False)
                    if not all(result.passed for result in results):
                        body += sentence
                        break
                    yield Sentence(sentence if body else f"{greeting(plan, plan.customer_language)}\n\n{sentence}")
                    body += sentence
                else:
                    results = self._run_checks(plan, rendered, body, is_complete=True)
            attempt = _ReplyAttempt(body, results)
            if attempt.passed:
                yield Sentence(f"\n\n{closing(plan, plan.customer_language)}")
            else:
                attempt = await self._repair(plan, rendered, attempt, deadline)
        except LanguageModelUnavailable as error:
            yield WrittenReply(
                self._template_reply(plan, results, error.reason.value), plan.decision, skipped=(SOURCE,)
            )
            return
        if attempt.passed:
            yield WrittenReply(self._model_reply(plan, attempt), plan.decision)
        else:
            yield WrittenReply(
                self._template_reply(plan, attempt.checks, CHECKS_FAILED),
                require_review(plan.decision, Reason.REPLY_REFUSED),
            )

    async def _repair(
        self, plan: ReplyPlan, rendered: RenderedPrompt, failed: _ReplyAttempt, deadline: Deadline
    ) -> _ReplyAttempt:
        """The model's second and last attempt, with the reasons why the first one failed."""
        messages = self.prompt.render_repair(plan, rendered, failed.body, failed.reasons)
        body = "".join([text async for text in self._complete(messages, deadline)]).strip()
        return _ReplyAttempt(body, self._run_checks(plan, rendered, body, is_complete=True))

    def _complete(self, messages: tuple[ChatMessage, ...], deadline: Deadline) -> AsyncGenerator[str, None]:
        return self.model.complete(messages, deadline)

    def _run_checks(
        self, plan: ReplyPlan, rendered: RenderedPrompt, body: str, *, is_complete: bool
    ) -> tuple[CheckResult, ...]:
        return run_checks(
            Draft(
                text=body,
                message=plan.request.text,
                passages=(*plan.passages, *plan.related_passages),
                language=plan.customer_language,
                policy=self.policy,
                unattended=plan.decision.action is Action.AUTOMATE,
                instructions=rendered.instructions,
                canary=rendered.canary,
                is_complete=is_complete,
            )
        )

    def _model_reply(self, plan: ReplyPlan, attempt: _ReplyAttempt) -> Reply:
        text = "\n\n".join(
            (greeting(plan, plan.customer_language), attempt.body, closing(plan, plan.customer_language))
        )
        return Reply(
            text,
            SOURCE,
            citations((*plan.passages, *plan.related_passages)),
            attempt.checks,
            self.provider,
            self.prompt.hash,
        )

    def _template_reply(self, plan: ReplyPlan, checks: tuple[CheckResult, ...], fallback: str) -> Reply:
        return replace(
            self.templates.reply(plan),
            checks=checks,
            provider=self.provider,
            prompt_hash=self.prompt.hash,
            fallback=fallback,
        )

    def _allowed_placeholders(self, plan: ReplyPlan) -> tuple[str, ...]:
        """Allowed placeholders of the message. Messages with the same masked text may differ in them."""
        message = plan.request.text
        return tuple(name for name in message.originals if is_allowed_placeholder(name, message, self.policy))


def split_reply(written_reply: WrittenReply) -> Iterator[ReplyPart]:
    """Yield the sentences of a finished reply, then the reply."""
    for sentence in split_sentences(written_reply.reply.text):
        yield Sentence(sentence)
    yield written_reply


async def _stream_sentences(texts: AsyncGenerator[str, None]) -> AsyncGenerator[str, None]:
    """Yield text in whole sentences, without the blanks before the first and after the last.

    A sentence ends when the next one begins: until then "4." may become "4.90". Text is searched once, except for what
    may be the beginning of a sentence end: a text without sentence ends would otherwise cost quadratic time.
    """
    buffer, searched = "", 0
    async with aclosing(texts):
        async for text in texts:
            buffer = buffer + text if buffer else text.lstrip()
            *finished, buffer = split_sentences(buffer, searched) or [""]
            searched = max(0, len(buffer) - _MAX_SENTENCE_END)
            for sentence in finished:
                yield sentence
    if buffer.strip():
        yield buffer.rstrip()
