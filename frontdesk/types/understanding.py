"""The output of the models for a message."""

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
    """Uncertainty of the ensemble; every value is between 0 and 1.

    `score` is the entropy of a mean distribution, divided by the logarithm of the number of intents. `epistemic` is the
    part that comes from disagreement between the averaged distributions. `aleatoric` is the rest: the ambiguity of the
    message itself. The averaged distributions depend on `method`: with `head_dropout` they are those of the encoders
    under dropout masks, with `member_disagreement` those of all base models.
    """

    score: float
    epistemic: float
    aleatoric: float
    method: str


@dataclass(frozen=True, slots=True)
class MemberOpinion:
    """The prediction of one base model."""

    name: str
    intent: str
    confidence: float


@dataclass(frozen=True, slots=True)
class Understanding:
    """The result of the models for one message, before any policy is applied.

    `plausible`: the conformal set, most probable first, at the coverage of the bundle.
    `automation_threshold`: the certified confidence for this intent; None if none could be certified.
    """

    intent: Intent
    sentiment: Sentiment
    uncertainty: Uncertainty
    members: tuple[MemberOpinion, ...]
    plausible: tuple[Candidate, ...]
    automation_threshold: float | None
    skipped: tuple[str, ...] = ()
