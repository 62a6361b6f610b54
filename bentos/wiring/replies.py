"""Create the reply writer: templates only, or a language model whose replies are checked."""

from __future__ import annotations

import frontdesk
from bentos.wiring.local_llm import local_llm_settings
from frontdesk.config import LlmSettings, Settings
from frontdesk.observability.llm_metrics import LanguageModelMetrics
from frontdesk.pipeline import ReplyWriter
from frontdesk.responses.knowledge_base.articles import STARTER_KNOWLEDGE, Knowledge
from frontdesk.responses.knowledge_base.retrieval import Embedder, PassageIndex
from frontdesk.responses.llm import factory
from frontdesk.responses.llm.client import OpenAiClient
from frontdesk.responses.policy import STARTER_REPLIES, ReplyPolicy
from frontdesk.responses.reply.clarifying_questions import STARTER_QUESTIONS, ClarifyingQuestions
from frontdesk.responses.reply.prompt import STARTER_PROMPT, PromptTemplates
from frontdesk.responses.reply.reply_cache import CachedReplies, ReplyCacheStorage
from frontdesk.responses.reply.writer import LanguageModelWriter, TemplateWriter
from frontdesk.storage.redis.cache import LruCache, RedisCache
from frontdesk.storage.redis.optional_redis import OptionalRedis


def llm_settings(settings: Settings) -> LlmSettings | None:
    """Settings of the language model; None if replies do not use one."""
    if settings.responses.provider == "template":
        return None
    return local_llm_settings(settings) if settings.responses.provider == "local" else settings.llm


def open_language_model(settings: Settings) -> OpenAiClient | None:
    """Create the client of the language model; None if replies do not use one."""
    llm = llm_settings(settings)
    if llm is None:
        return None
    _, model = factory.require_endpoint(llm)
    return factory.build_openai_client(llm, LanguageModelMetrics(model))


def cached_replies(writer: ReplyWriter) -> CachedReplies | None:
    """The cached replies of the writer; None if it has no cache."""
    return writer.cached if isinstance(writer, LanguageModelWriter) and writer.cached.cache is not None else None


def open_writer(
    settings: Settings, embedder: Embedder, language_model: OpenAiClient | None, cache: ReplyCacheStorage | None
) -> ReplyWriter:
    """The template writer if there is no language model, else the writer that uses both."""
    writer = TemplateWriter(PassageIndex.build(read_knowledge(settings), embedder), read_questions(settings))
    llm = llm_settings(settings)
    if language_model is None or llm is None:
        return writer
    _, model = factory.require_endpoint(llm)
    prompt, policy, provider = (
        PromptTemplates.read(STARTER_PROMPT),
        _reply_policy(settings),
        settings.responses.provider,
    )
    versions = (
        frontdesk.__version__,
        prompt.hash,
        policy.digest,
        writer.templates.retrieval.knowledge.digest,
        provider,
        model,
    )
    return LanguageModelWriter(
        writer.templates, language_model, provider, prompt, policy, CachedReplies(cache, versions)
    )


def open_reply_cache(settings: Settings, redis: OptionalRedis | None) -> ReplyCacheStorage | None:
    """A cache in Redis, which all workers share, or else in this process. None if replies are not cached."""
    entries = settings.responses.cached_replies
    if entries == 0:
        return None
    return RedisCache(redis) if redis else LruCache(entries)


def _reply_policy(settings: Settings) -> ReplyPolicy:
    return ReplyPolicy.read(settings.policy.replies or STARTER_REPLIES)


def read_questions(settings: Settings) -> ClarifyingQuestions:
    """Read the clarifying questions in all languages."""
    return ClarifyingQuestions.read(settings.policy.questions or STARTER_QUESTIONS)


def read_knowledge(settings: Settings) -> Knowledge:
    """Read the configured knowledge base, or the one that comes with Frontdesk."""
    return Knowledge.read(settings.responses.knowledge or STARTER_KNOWLEDGE)
