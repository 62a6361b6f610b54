"""The priority score: parts with reasons that add up to it, and strict parsing of the policy file."""

from __future__ import annotations

import copy
import math
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from frontdesk.decision.priority import STARTER_POLICY, PriorityPolicy
from frontdesk.errors import ConfigurationError
from frontdesk.taxonomy import URGENCIES
from frontdesk.types import (
    Candidate,
    CustomerTier,
    Intent,
    MaskedText,
    Priority,
    PriorityLevel,
    Query,
    Sentiment,
    Uncertainty,
    Understanding,
)

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
STARTER = PriorityPolicy.read(STARTER_POLICY)
POLICY: dict[str, Any] = {
    "base": {"low": 10, "medium": 25, "high": 40},
    "sentiment": {"negative": 20, "neutral": 0, "positive": -5},
    "tier": {"free": 0, "standard": 0, "premium": 8, "enterprise": 15},
    "waiting": {"points_per_hour": 1.5, "at_most": 20},
    "shouting": {"points": 5},
    "history": {
        "repeated": {"points_each": 6, "at_most": 15},
        "contacts": {"points": 4, "from": 5},
        "escalated": {"points": 6},
        "dissatisfied": {"points": 6, "below": 2.5},
    },
    "levels": {"low": 0, "medium": 25, "high": 45, "urgent": 70},
    "cues": {"legal": {"points": 25, "because": "mentions legal steps", "phrases": ["lawyer", "can't wait", "sue*"]}},
}


def read(data: Any, folder: Path) -> PriorityPolicy:
    path = folder / "priority.yaml"
    path.write_text(yaml.safe_dump(data), encoding="utf-8")
    return PriorityPolicy.read(path)


def with_sentiment(negative: float = 0.0, positive: float = 0.0) -> Understanding:
    scores = {"negative": negative, "neutral": 1 - negative - positive, "positive": positive}
    label = max(scores, key=lambda name: scores[name])
    return Understanding(
        Intent("track_order", 0.9, (), in_scope=True, out_of_scope_probability=0.0),
        Sentiment(label, scores[label], scores),
        Uncertainty(0.1, 0.05, 0.05, "ensemble"),
        members=(),
        plausible=(Candidate("track_order", 0.9),),
        automation_threshold=0.8,
    )


def score(
    text: str = "Where is it?",
    *,
    policy: PriorityPolicy = STARTER,
    mood: Understanding | None = None,
    urgency: str = "low",
    tier: CustomerTier = CustomerTier.STANDARD,
    since: datetime | None = None,
) -> Priority:
    query = Query(text, customer_tier=tier, waiting_since=since)
    return policy.score(query, MaskedText(text), mood or with_sentiment(), urgency, NOW)


def points(priority: Priority) -> dict[str, float]:
    return {part.name: part.points for part in priority.parts}


def test_every_part_says_in_words_where_its_points_come_from() -> None:
    priority = score(
        "MY LAWYER WILL HEAR OF THIS",
        mood=with_sentiment(negative=0.91),
        urgency="high",
        tier=CustomerTier.PREMIUM,
        since=NOW - timedelta(hours=5.2),
    )

    assert [(part.name, part.points, part.because) for part in priority.parts] == [
        ("base.high", 40.0, "intent urgency is high"),
        ("sentiment.negative", 18.2, "negative with probability 0.91"),
        ("tier.premium", 8.0, "customer is premium"),
        ("waiting", 7.8, "waiting for 5.2 hours"),
        ("shouting", 5.0, "written in capitals or with many exclamation marks"),
        ("cues.legal", 25.0, "mentions legal steps or a chargeback"),
        ("limit", -4.0, "the score is kept at 100"),
    ]
    assert (priority.score, priority.level) == (100.0, PriorityLevel.URGENT)


def test_a_plain_question_has_only_the_urgency_of_its_intent() -> None:
    assert points(score()) == {"base.low": 10.0}


def test_positive_sentiment_lowers_the_score() -> None:
    assert points(score(mood=with_sentiment(positive=0.9))) == {"base.low": 10.0, "sentiment.positive": -4.5}


def test_a_part_raises_a_negative_score_to_zero(tmp_path: Path) -> None:
    generous = read({**POLICY, "sentiment": {"negative": 0, "neutral": 0, "positive": -60}}, tmp_path)

    priority = score(policy=generous, mood=with_sentiment(positive=1.0))

    assert (priority.score, priority.parts[-1].points) == (0.0, 50.0)


@pytest.mark.parametrize(
    ("base", "level"),
    [(0, "low"), (24.9, "low"), (25, "medium"), (44.9, "medium"), (45, "high"), (70, "urgent"), (500, "urgent")],
)
def test_a_level_begins_exactly_at_its_threshold(base: float, level: str, tmp_path: Path) -> None:
    policy = read({**POLICY, "base": {"low": base, "medium": 0, "high": 0}}, tmp_path)

    assert score(policy=policy).level == level


moments = st.datetimes(datetime(2025, 1, 1), datetime(2027, 1, 1))
words = st.sampled_from(
    ["lawyer", "TODAY", "hacked!!!", "my baby", "still waiting", "never again", "thanks", "[ORDER_1]"]
)


@given(
    text=st.lists(words, max_size=12).map(" ".join),
    shares=st.tuples(st.floats(0, 1), st.floats(0, 1)).filter(lambda pair: sum(pair) <= 1),
    urgency=st.sampled_from(URGENCIES),
    tier=st.sampled_from(CustomerTier),
    since=st.none() | moments | moments.map(lambda moment: moment.replace(tzinfo=UTC)),
)
def test_the_parts_always_add_up_to_the_score(
    text: str, shares: tuple[float, float], urgency: str, tier: CustomerTier, since: datetime | None
) -> None:
    priority = score(text, mood=with_sentiment(*shares), urgency=urgency, tier=tier, since=since)

    assert round(math.fsum(part.points for part in priority.parts), 1) == priority.score
    assert 0 <= priority.score <= 100
    assert all(part.points == round(part.points, 1) != 0 and part.because for part in priority.parts)


def test_waiting_points_stop_at_their_limit() -> None:
    assert points(score(since=NOW - timedelta(days=9)))["waiting"] == 20.0


def test_a_moment_without_time_zone_is_taken_as_utc() -> None:
    naive = datetime(2026, 3, 2, 10)
    elsewhere = datetime(2026, 3, 2, 12, tzinfo=timezone(timedelta(hours=2)))

    assert points(score(since=naive))["waiting"] == points(score(since=elsewhere))["waiting"] == 3.0


@pytest.mark.parametrize("since", [datetime(1, 1, 1, tzinfo=UTC), datetime(1970, 1, 1), NOW - timedelta(days=4000)])
def test_the_waiting_time_is_at_most_ten_years(since: datetime) -> None:
    (waiting,) = [part for part in score(since=since).parts if part.name == "waiting"]
    assert waiting.because == "waiting for 87672.0 hours"


def test_waiting_since_a_moment_in_the_future_counts_as_not_waiting() -> None:
    assert "waiting" not in points(score(since=NOW + timedelta(hours=3)))


@pytest.mark.parametrize("text", ["Where! Is! It!", "WHERE IS MY PARCEL", "where is it?!?!?!", "ICH WARTE ÜBERALL"])
def test_capitals_and_exclamation_marks_are_shouting(text: str) -> None:
    assert points(score(text))["shouting"] == 5.0


@pytest.mark.parametrize(
    "text",
    ["Hi! Thank you!", "DHL?", "The TV and the PC arrived", "it is [ORDER_1] [EMAIL_ADDRESS_12]", "订单在哪里", ""],
)
def test_a_calm_text_is_not_shouting_nor_is_a_placeholder(text: str) -> None:
    assert "shouting" not in points(score(text))


def test_a_cue_counts_once_however_often_it_occurs() -> None:
    assert points(score("lawyer, solicitor, court, and my lawyer again")) == {"base.low": 10.0, "cues.legal": 25.0}


@pytest.mark.parametrize("text", ["I can't wait", "I CAN’T WAIT", "i canʼt\n  wait", "can`t wait."])
def test_case_white_space_and_the_form_of_an_apostrophe_do_not_matter(text: str, tmp_path: Path) -> None:
    assert "cues.legal" in points(score(text, policy=read(POLICY, tmp_path)))


def test_a_phrase_with_a_curly_apostrophe_finds_a_straight_one(tmp_path: Path) -> None:
    data = copy.deepcopy(POLICY)
    data["cues"]["legal"]["phrases"] = ["wasn’t me"]

    assert "cues.legal" in points(score("that wasn't me", policy=read(data, tmp_path)))


def test_no_phrase_matches_across_or_within_a_placeholder(tmp_path: Path) -> None:
    data = copy.deepcopy(POLICY)
    data["cues"]["legal"]["phrases"] = ["called you", "order*"]

    assert "cues.legal" not in points(score("I called [PHONE_1] you know, for [ORDER_1]", policy=read(data, tmp_path)))


def test_the_text_of_a_calming_cue_is_not_matched_by_other_cues(tmp_path: Path) -> None:
    data = copy.deepcopy(POLICY)
    data["cues"]["haste"] = {"points": 20, "because": "is urgent", "phrases": ["urgent"]}
    data["cues"]["patience"] = {"points": -8, "because": "can wait", "phrases": ["not urgent"]}
    policy = read(data, tmp_path)

    assert points(score("it is not urgent", policy=policy)) == {"base.low": 10.0, "cues.patience": -8.0}
    assert points(score("an urgent one, and one not urgent", policy=policy)) == {
        "base.low": 10.0,
        "cues.patience": -8.0,
        "cues.haste": 20.0,
    }


def test_a_cue_with_zero_points_removes_its_text_and_is_not_a_part(tmp_path: Path) -> None:
    data = copy.deepcopy(POLICY)
    data["cues"]["courtesy"] = {"points": 0, "because": "is a formula", "phrases": ["court dance"]}
    data["cues"]["legal"]["phrases"] = ["court"]

    assert points(score("a court dance", policy=read(data, tmp_path))) == {"base.low": 10.0}


@pytest.mark.parametrize(
    ("text", "cue"),
    [
        ("This is urgent, please help.", "urgent"),
        ("I need this fixed right away", "urgent"),
        ("It is an emergency", "urgent"),
        ("I can’t wait!", "urgent"),
        ("I need it by Thursday", "deadline"),
        ("The event is tomorrow", "deadline"),
        ("please reply asap", "soon"),
        ("The kettle stopped working", "problem"),
        ("Your website is down for everyone", "outage"),
        ("There has been no electricity since noon", "outage"),
        ("The charger caught fire", "safety"),
        ("It gave me an electric shock", "safety"),
        ("There is a burning smell", "safety"),
        ("my card was stolen", "security"),
        ("No rush at all!", "patience"),
        ("there's no great hurry", "patience"),
        ("It isn't urgent", "patience"),
        ("this is not a high-priority emergency", "patience"),
        ("whenever you have time", "patience"),
        ("I'd like to know more about your plans", "enquiry"),
        ("Just wondering about the colours", "enquiry"),
    ],
)
def test_the_starter_policy_recognizes_haste_harm_and_patience(text: str, cue: str) -> None:
    (part,) = points(score(text)).keys() - {"base.low"}
    assert part == f"cues.{cue}"


@pytest.mark.parametrize(
    "text",
    [
        "I hope this message finds you well.",
        "Sorry for any inconvenience, please reply at your earliest convenience.",
        "I am reaching out today to say hello.",
        "I can't wait to wear it",
        "Where is my order?",
        "It came out of order 4470",
        "I burnt my toast",
        "a talk for the public on fire engines",
        "my brother is a police officer",
        "an insurgent in a novel",
    ],
)
def test_the_starter_policy_ignores_formulas_and_everyday_words(text: str) -> None:
    assert points(score(text)) == {"base.low": 10.0}


def test_an_urgent_matter_stays_urgent_when_another_is_not() -> None:
    assert {"cues.urgent", "cues.patience"} <= points(score("The invoice is not urgent. The leak is urgent.")).keys()


def test_everyday_questions_are_not_urgent_and_a_stolen_card_is() -> None:
    assert score("where is my order", urgency="medium").level in ("low", "medium")
    assert score("my card was stolen!!", mood=with_sentiment(negative=0.8), urgency="medium").level in (
        "high",
        "urgent",
    )


def test_three_exclamation_marks_in_a_long_friendly_letter_are_not_shouting() -> None:
    letter = "Hello! " + "The new chairs are lovely and the table fits. " * 20 + "Thanks! Until soon!"

    assert "shouting" not in points(score(letter))


def test_a_letter_gets_no_points_for_saying_the_same_thing_thirty_times() -> None:
    once = "The heating failed and it is urgent. "

    assert points(score(once * 30)) == points(score(once))


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"bonus": {}}, "bonus is unknown"),
        ({"cues": None}, "cues must be a mapping"),
        ({"base": {"low": 1, "medium": 2}}, "base.high is missing"),
        ({"base": {"low": 1, "medium": 2, "high": 3, "huge": 4}}, "base.huge is unknown"),
        ({"base": 7}, "base must be a mapping"),
        ({"tier": {**POLICY["tier"], "premium": "8"}}, "tier.premium must be a number"),
        ({"shouting": {"points": True}}, "shouting.points must be a number"),
        ({"history": {"repeated": {"points_each": 1, "at_most": 2}}}, "history.contacts is missing"),
        ({"history": {**POLICY["history"], "escalated": {}}}, "history.escalated.points is missing"),
        ({"waiting": {"points_per_hour": float("nan"), "at_most": 20}}, "waiting.points_per_hour must be a number"),
        ({"levels": {"low": 0, "medium": 25, "high": 45}}, "levels.urgent is missing"),
        ({"levels": {"low": 0, "medium": 50, "high": 45, "urgent": 70}}, "levels.high must be greater"),
        ({"levels": {"low": 0, "medium": 50, "high": 50, "urgent": 70}}, "levels.high must be greater"),
        ({"levels": {"low": 5, "medium": 25, "high": 45, "urgent": 70}}, "levels.low must be 0"),
        ({"cues": {"odd": {"points": 1, "because": "x"}}}, "cues.odd.phrases is missing"),
        ({"cues": {"odd": {"points": 1, "because": "x", "phrases": []}}}, "cues.odd.phrases must be a list"),
        ({"cues": {"odd": {"points": 1, "because": "x", "phrases": [False]}}}, "cues.odd.phrases holds False"),
        ({"cues": {"odd": {"points": 1, "because": "x", "phrases": [" "]}}}, "cues.odd.phrases holds ' '"),
        ({"cues": {"odd": {"points": 1, "because": "", "phrases": ["x"]}}}, "cues.odd.because must say"),
        ({"cues": {"odd": {"points": None, "because": "x", "phrases": ["x"]}}}, "cues.odd.points must be a number"),
    ],
)
def test_a_wrong_policy_is_refused_naming_file_and_key(change: dict[str, Any], key: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as refusal:
        read({**POLICY, **change}, tmp_path)

    assert f"priority.yaml: {key}" in refusal.value.message


def test_a_missing_section_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"waiting is missing"):
        read({name: body for name, body in POLICY.items() if name != "waiting"}, tmp_path)


def test_a_missing_or_broken_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"no priority policy at"):
        PriorityPolicy.read(tmp_path / "none.yaml")
    (tmp_path / "broken.yaml").write_text("base: [")
    with pytest.raises(ConfigurationError, match=r"not valid YAML"):
        PriorityPolicy.read(tmp_path / "broken.yaml")
    with pytest.raises(ConfigurationError, match=r"the file must be a mapping"):
        read(["base"], tmp_path)
