"""Replies in other words: how many that are right are sent unread, how many that are quietly wrong are stopped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
import yaml

from frontdesk.types import Action
from tests.support.reply_writing import model_writer, request, write_reply
from tests.support.scripted_model import reply_in_turn

WRITTEN: Mapping[str, Sequence[Mapping[str, str]]] = yaml.safe_load(
    Path(__file__).with_name("paraphrases.yaml").read_text(encoding="utf-8")
)


async def sent_unread(replies: Sequence[Mapping[str, str]]) -> list[str]:
    sent = []
    for one in replies:
        query = request("I have a question, please.", one["intent"], Action.AUTOMATE, language="en")
        released, last = await write_reply(model_writer(reply_in_turn(one["reply"])), query)
        if last.reply.fallback is None or one["reply"] in released:
            sent.append(one["reply"])
    return sent


def test_there_are_enough_and_none_is_there_twice() -> None:
    replies = [one["reply"] for group in WRITTEN.values() for one in group]
    assert len(replies) == len(set(replies))
    assert (len(WRITTEN["faithful"]), len(WRITTEN["unfaithful"])) == (66, 72)
    assert (len(WRITTEN["unseen_faithful"]), len(WRITTEN["unseen_unfaithful"])) == (25, 32)


@pytest.mark.parametrize(("group", "least"), [("faithful", 23), ("unseen_faithful", 18)])
async def test_of_right_ones_at_least_as_many_are_sent_as_were_measured(group: str, least: int) -> None:
    assert len(await sent_unread(WRITTEN[group])) >= least


@pytest.mark.parametrize(
    ("group", "known"),
    [
        (
            "unfaithful",
            {
                "Select an account type: standard (39 EUR a year), premium (free) or business.",
                "Give five stars and send them.",
            },
        ),
        (
            "unseen_unfaithful",
            {
                "We will check the payments, and the amount goes back to the original payment method.",
                "You can switch between standard (free), premium (free) and business.",
            },
        ),
    ],
)
async def test_of_quietly_wrong_ones_no_more_are_sent_than_are_known(group: str, known: set[str]) -> None:
    """Words in the passages' order would be needed for these; they are said here so that nobody thinks otherwise."""
    assert set(await sent_unread(WRITTEN[group])) <= known
