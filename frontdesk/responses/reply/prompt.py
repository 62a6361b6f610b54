"""Render the prompts of the language model: jinja2 templates of one version, in a sandbox.

The customer's text stands between two fences with a random word, so that no message can close them. Invisible
characters and control tokens, which models read and people do not, are removed. The random word is also the canary of
the instructions: it has no meaning, so a reply that contains it leaks them. The hash of all templates is stored with
each answer. Independent of the model's protocol.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import unicodedata
from dataclasses import dataclass, field
from pathlib import Path

from jinja2 import StrictUndefined, Template
from jinja2.sandbox import ImmutableSandboxedEnvironment

from frontdesk.responses.llm.port import ChatMessage
from frontdesk.responses.policy import ReplyPolicy
from frontdesk.responses.reply.template import ReplyPlan
from frontdesk.responses.text.language_detection import LANGUAGE_NAMES

STARTER_PROMPT = Path(__file__).parent / "prompts" / "v1"

_CONTROL_TOKENS = re.compile(r"<\|[^|>\n]{0,40}\|>|</?s>|\[/?INST\]|<</?SYS>>|<(?:start|end)_of_turn>", re.IGNORECASE)
_FENCE = "=" * 5


@dataclass(frozen=True, slots=True)
class RenderedPrompt:
    """The messages of one prompt, and what the checks need: the system message without passages, and its canary."""

    messages: tuple[ChatMessage, ...]
    instructions: str = field(repr=False)
    canary: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class PromptTemplates:
    """The templates `system`, `user` and `repair`; `hash` is "VERSION:" and 16 hexadecimal digits of their hash."""

    system: Template
    user: Template
    repair: Template
    hash: str

    @classmethod
    def read(cls, folder: Path) -> PromptTemplates:
        """Read a folder of templates. Its name is the version."""
        environment = ImmutableSandboxedEnvironment(
            undefined=StrictUndefined,
            trim_blocks=False,
            autoescape=False,  # a prompt is not HTML; the customer's text is fenced instead
        )
        sources = {name: (folder / f"{name}.j2").read_text(encoding="utf-8") for name in ("system", "user", "repair")}
        digest = hashlib.sha256("\0".join(sources.values()).encode()).hexdigest()[:16]
        templates = {name: environment.from_string(source) for name, source in sources.items()}
        return cls(**templates, hash=f"{folder.name}:{digest}")

    def render(self, plan: ReplyPlan, policy: ReplyPolicy, contacts: tuple[str, ...]) -> RenderedPrompt:
        """Render the prompt for a plan with passages, with a new canary."""
        canary = secrets.token_hex(8)
        request = plan.request
        shared = {"language": LANGUAGE_NAMES[plan.customer_language], "fence": f"{_FENCE} {canary} {_FENCE}"}
        instructions = self.system.render(
            **shared,
            canary=canary,
            fewest=policy.min_words,
            most=policy.max_words // 2,
            mood=request.understanding.sentiment.label,
            tier=request.tier.value,
        )
        user_message = self.user.render(
            **shared,
            passages=[*plan.passages, *plan.related_passages],
            contacts=contacts,
            intent=request.understanding.intent.label.replace("_", " "),
            message=request.text.neutralize(remove_hidden_text(request.text.text)),
        )
        return RenderedPrompt(
            (ChatMessage("system", instructions), ChatMessage("user", user_message)), instructions, canary
        )

    def render_repair(
        self, plan: ReplyPlan, rendered: RenderedPrompt, reply: str, reasons: tuple[str, ...]
    ) -> tuple[ChatMessage, ...]:
        """Return the same prompt with the failed reply and the reasons."""
        repair_message = self.repair.render(reasons=reasons, language=LANGUAGE_NAMES[plan.customer_language])
        return (*rendered.messages, ChatMessage("assistant", reply), ChatMessage("user", repair_message))


def remove_hidden_text(text: str) -> str:
    """Remove invisible and private characters, and control tokens of models."""
    visible = "".join(
        char for char in text if char in "\n\t" or unicodedata.category(char) not in ("Cf", "Cc", "Co", "Cn")
    )
    return _CONTROL_TOKENS.sub(" ", visible)
