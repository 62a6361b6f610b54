"""Promotion as a use case: judge a verified bundle, sign it, move the pointer, and record that in audit log and MLflow.

    measured -> verdict (gate.py) -> signature (signature.py) -> pointer (promotion.py) -> audit log -> registry alias

The pointer on this machine is what counts; a registry that cannot be told is part of the result. How bundles are run
and measured, and where audit entries go, is injected.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from frontdesk.config import Settings
from frontdesk.errors import BundleError
from model_store import promotion
from model_store.bundle import Bundle
from model_store.gate import Candidate, Verdict, judge
from model_store.registry import RegistryNotTold, mark_bundle
from model_store.signature import open_signed, signer

Role = Literal["champion", "challenger"]

Note = Callable[[Settings, str, str], None]
"""Writes an audit entry: where to, an action, and a version."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """How two bundles are compared on this machine.

    Attributes:
        check_runs: raises `BundleError` if this code cannot run a bundle.
        measure: runs champion (None where only the floor counts) and challenger on the same held-out messages.
        report: gets the verdict before anything is changed, and why there is no champion to compare with, or "".
    """

    check_runs: Callable[[Bundle], object]
    measure: Callable[[Bundle | None, Bundle], tuple[Candidate | None, Candidate]]
    report: Callable[[Verdict, str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class PromotionResult:
    """What has become of a bundle.

    Attributes:
        role: the role that the bundle has now, or would have got had the gate not refused it.
        refused: the gate's verdict, if it refuses the bundle; nothing was changed then.
        registered: the version number in MLflow that has the alias of the role now.
        not_registered: why none has it.
    """

    version: str
    role: Role
    refused: Verdict | None = None
    registered: str = ""
    not_registered: str = ""


def promote_bundle(
    settings: Settings, bundle: Bundle, evaluation: Evaluation, note: Note, *, origin: str = "", forced: str = ""
) -> PromotionResult:
    """Make a verified bundle the champion, if the gate lets it pass.

    Args:
        origin: how the bundle came about; starts the reason in the history.
        forced: a reason to promote it without asking the gate.

    Raises:
        BundleError: a bundle cannot be measured.
        ConfigurationError: the key for signatures is damaged or open to others.
    """
    if forced:
        reason = f"forced: {forced}"
    else:
        verdict = _verdict(settings, bundle, evaluation)
        if not verdict.passed:
            return PromotionResult(version=bundle.version, role="champion", refused=verdict)
        reason = f"{origin}passed the gate against {verdict.champion or 'the floor'}"
    signer(settings.keys).sign(bundle.path, bundle.manifest)
    promotion.promote(settings.bundles, bundle.version, reason)
    note(settings, "bundle.promote", bundle.version)
    return _registered(settings, "champion", bundle.version)


def challenge(settings: Settings, bundle: Bundle, evaluation: Evaluation) -> PromotionResult:
    """Make a verified bundle the challenger, if the gate lets it pass. The champion stays.

    Raises:
        BundleError: a bundle cannot be measured.
    """
    verdict = _verdict(settings, bundle, evaluation)
    if not verdict.passed:
        return PromotionResult(version=bundle.version, role="challenger", refused=verdict)
    return _registered(settings, "challenger", bundle.version)


def roll_back(settings: Settings, reason: str, note: Note) -> PromotionResult:
    """Make the champion before this one the champion again, after verifying it and its signature.

    Raises:
        BundleError: there is none, or it would not be served.
    """
    if (target := promotion.previous(settings.bundles)) is not None:
        try:
            open_signed(settings.bundles / target, settings.keys, settings.security.bundle_keys)
        except BundleError as error:
            hint = "Choose another: frontdesk models, then frontdesk promote VERSION"
            raise BundleError(f"Cannot roll back: {error.message}", field=error.field, hint=hint) from None
    version = promotion.rollback(settings.bundles, reason)
    note(settings, "bundle.rollback", version)
    return _registered(settings, "champion", version)


def _verdict(settings: Settings, challenger: Bundle, evaluation: Evaluation) -> Verdict:
    """Compare with the champion, or with the floor where no champion can run: it could not be served either."""
    champion, why_floor = None, ""
    try:
        signed = open_signed(promotion.champion_path(settings.bundles), settings.keys, settings.security.bundle_keys)
        evaluation.check_runs(signed)
        champion = signed
    except BundleError as error:
        why_floor = error.message
    verdict = judge(*evaluation.measure(champion, challenger), settings.promotion)
    evaluation.report(verdict, why_floor)
    return verdict


def _registered(settings: Settings, role: Role, version: str) -> PromotionResult:
    """Give the bundle its alias in MLflow."""
    experiment = settings.training.experiment
    try:
        number = mark_bundle(role, version, tracking_uri=settings.tracking_uri, experiment=experiment)
    except RegistryNotTold as error:
        return PromotionResult(version=version, role=role, not_registered=str(error))
    return PromotionResult(version=version, role=role, registered=number)
