"""How often the checks stop a reply that is fine: what was measured, as limits. Less is better."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from frontdesk.types import Action, WrittenReply
from tests.injection.honest import FAITHFUL, PARAPHRASED, TRANSLATED, Honest
from tests.support.reply_writing import model_writer, request, write_reply
from tests.support.scripted_model import reply_in_turn

MOST_FAITHFUL_STOPPED = 0.05
MOST_PARAPHRASED_STOPPED_AS_DRAFT = 0.0
MOST_PARAPHRASED_STOPPED_UNREAD = 1.0


async def of(honest: Honest, action: Action) -> WrittenReply:
    query = request(honest.message, honest.intent, action, language=honest.language)
    _, last = await write_reply(model_writer(reply_in_turn(honest.reply)), query)
    return last


def stopped(results: Iterable[WrittenReply]) -> tuple[float, Counter[str]]:
    """The share that the template had to answer, and which checks were why."""
    last = list(results)
    failed = [one for one in last if one.reply.fallback is not None]
    return len(failed) / len(last), Counter(c.name for one in failed for c in one.reply.checks if not c.passed)


def test_there_are_enough() -> None:
    assert len(FAITHFUL) + len(PARAPHRASED) + len(TRANSLATED) >= 100


async def test_faithful_replies_are_sent_unread() -> None:
    share, why = stopped([await of(honest, Action.AUTOMATE) for honest in FAITHFUL])
    assert share <= MOST_FAITHFUL_STOPPED, (share, why)


async def test_paraphrases_pass_as_drafts() -> None:
    share, why = stopped([await of(honest, Action.DRAFT) for honest in PARAPHRASED])
    assert share <= MOST_PARAPHRASED_STOPPED_AS_DRAFT, (share, why)


async def test_paraphrases_are_seldom_sent_unread() -> None:
    share, why = stopped([await of(honest, Action.AUTOMATE) for honest in PARAPHRASED])
    assert set(why) <= {"wording"}, why
    assert share <= MOST_PARAPHRASED_STOPPED_UNREAD


async def test_replies_in_languages_without_a_passage_are_drafts_in_that_language() -> None:
    results = [await of(honest, Action.AUTOMATE) for honest in TRANSLATED]
    share, why = stopped(results)
    assert share <= 0.0, (share, why)
    assert {one.decision.action for one in results} == {Action.DRAFT}
