"""Run all checks of a reply: sources of facts first, then forbidden content, form, wording, language, length, tone."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType

from frontdesk.responses.checks.faithfulness import wording
from frontdesk.responses.checks.forbidden_commitments import promises
from frontdesk.responses.checks.grounding import grounding
from frontdesk.responses.checks.language import language
from frontdesk.responses.checks.length import is_far_too_long, length
from frontdesk.responses.checks.links import links
from frontdesk.responses.checks.placeholders import placeholders
from frontdesk.responses.checks.plain_text import form
from frontdesk.responses.checks.prompt_injection import obedience
from frontdesk.responses.checks.prompt_leak import leaks
from frontdesk.responses.checks.tone import tone
from frontdesk.responses.checks.types import Draft, ReplyDefect
from frontdesk.types import CheckResult

CHECKS: Mapping[str, Callable[[Draft], Iterator[ReplyDefect]]] = MappingProxyType(
    {
        run_checks.__name__: run_checks
        for run_checks in (
            grounding,
            links,
            placeholders,
            promises,
            leaks,
            obedience,
            form,
            wording,
            language,
            length,
            tone,
        )
    }
)


def run_checks(draft: Draft) -> tuple[CheckResult, ...]:
    """Return the result of each check of a draft, in the order of `CHECKS`.

    A check that does not apply counts as passed.
    For a draft that is far too long only the length is checked: patterns can take quadratic time (a second for 20,000
    characters).
    """
    results = []
    for name, check in CHECKS.items() if not is_far_too_long(draft) else ((length.__name__, length),):
        reasons = tuple(dict.fromkeys(finding.reason for finding in check(draft)))
        results.append(CheckResult(name, not reasons, reasons))
    return tuple(results)
