"""What the models say about a message."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Candidate:
    """An intent that the message may have, with its calibrated probability."""

    label: str
    probability: float


@dataclass(frozen=True, slots=True)
class Intent:
    """What the customer wants. `confidence` is the calibrated probability that `label` is right."""

    label: str
    confidence: float
    candidates: tuple[Candidate, ...]
    in_scope: bool
    out_of_scope_probability: float


@dataclass(frozen=True, slots=True)
class Sentiment:
    """How the customer feels: negative, neutral or positive, with the probability of each."""

    label: str
    confidence: float
    scores: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Uncertainty:
    """How unsure the ensemble is, each figure between 0 and 1.

    `score` is the entropy of a mean distribution over the logarithm of the number of intents; `epistemic` is the part
    that comes from disagreement between the distributions that were averaged, `aleatoric` the rest: what the message
    itself leaves open. By the `method` `head_dropout` they are those of the encoders under dropout masks, by
    `member_disagreement` those of all members.
    """

    score: float
    epistemic: float
    aleatoric: float
    method: str


@dataclass(frozen=True, slots=True)
class MemberOpinion:
    """What one base model alone would have said."""

    name: str
    intent: str
    confidence: float


@dataclass(frozen=True, slots=True)
class Understanding:
    """What a champion makes of one message, before any policy is applied.

    `plausible` is the conformal set, the most probable first: the intents that cannot be ruled out at the coverage of
    the bundle.
    `automation_threshold` is the certified confidence for this intent; None where nothing could be certified.
    """

    intent: Intent
    sentiment: Sentiment
    uncertainty: Uncertainty
    members: tuple[MemberOpinion, ...]
    plausible: tuple[Candidate, ...]
    automation_threshold: float | None
    skipped: tuple[str, ...] = ()
