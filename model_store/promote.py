"""Promote a bundle: decide, sign, move the pointer, and record the promotion in the audit log and in MLflow.

    measure -> verdict (promotion_gate.py) -> signature (signature.py) -> pointer (promotion.py) -> audit log -> alias

The pointer on this machine is authoritative; an unavailable registry is reported in the result. The caller injects how
bundles are measured and how audit entries are written.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from frontdesk.config import Settings
from frontdesk.errors import BundleError
from model_store import promotion
from model_store.bundle import Bundle
from model_store.promotion_gate import BundleMetrics, PromotionVerdict, decide_promotion
from model_store.registry import RegistryUnavailable, set_bundle_alias
from model_store.signature import load_signer, open_signed

Role = Literal["champion", "challenger"]

WriteAuditEntry = Callable[[Settings, str, str], None]
"""Writes an audit entry: settings, action and version."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GateEvaluator:
    """Comparison of two bundles on this machine.

    Attributes:
        check_loadable: raises `BundleError` if this code cannot run a bundle.
        measure: measures champion (None if only the floor counts) and challenger on the same held-out messages.
        report: receives the verdict before anything changes, and why there is no champion to compare with, or "".
    """

    check_loadable: Callable[[Bundle], object]
    measure: Callable[[Bundle | None, Bundle], tuple[BundleMetrics | None, BundleMetrics]]
    report: Callable[[PromotionVerdict, str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class PromotionResult:
    """Result of a promotion.

    Attributes:
        role: the role of the bundle, or the requested role if the gate refused it.
        failed_verdict: the gate's verdict if it refuses the bundle; nothing was changed.
        registry_version: number of the MLflow version that now has the alias of the role.
        registry_error: why no MLflow version has the alias.
    """

    version: str
    role: Role
    failed_verdict: PromotionVerdict | None = None
    registry_version: str = ""
    registry_error: str = ""


def promote_bundle(
    settings: Settings,
    bundle: Bundle,
    evaluator: GateEvaluator,
    write_audit_entry: WriteAuditEntry,
    *,
    origin: str = "",
    force_reason: str = "",
) -> PromotionResult:
    """Make a verified bundle the champion if it passes the gate.

    Args:
        origin: how the bundle was created; the beginning of the reason in the history.
        force_reason: a reason to promote it without the gate.

    Raises:
        BundleError: a bundle cannot be measured.
        ConfigurationError: the key for signatures is damaged or readable by others.
    """
    if force_reason:
        reason = f"forced: {force_reason}"
    else:
        verdict = _evaluate(settings, bundle, evaluator)
        if not verdict.passed:
            return PromotionResult(version=bundle.version, role="champion", failed_verdict=verdict)
        reason = f"{origin}passed the gate against {verdict.champion or 'the floor'}"
    load_signer(settings.keys).sign(bundle.path, bundle.manifest)
    promotion.promote(settings.bundles, bundle.version, reason)
    write_audit_entry(settings, "bundle.promote", bundle.version)
    return _set_alias(settings, "champion", bundle.version)


def promote_to_challenger(settings: Settings, bundle: Bundle, evaluator: GateEvaluator) -> PromotionResult:
    """Make a verified bundle the challenger if it passes the gate. The champion stays.

    Raises:
        BundleError: a bundle cannot be measured.
    """
    verdict = _evaluate(settings, bundle, evaluator)
    if not verdict.passed:
        return PromotionResult(version=bundle.version, role="challenger", failed_verdict=verdict)
    return _set_alias(settings, "challenger", bundle.version)


def roll_back(settings: Settings, reason: str, write_audit_entry: WriteAuditEntry) -> PromotionResult:
    """Make the previous champion the champion again, after verifying it and its signature.

    Raises:
        BundleError: there is no previous champion, or it cannot be served.
    """
    if (previous_champion := promotion.previous_champion(settings.bundles)) is not None:
        try:
            open_signed(settings.bundles / previous_champion, settings.keys, settings.security.bundle_keys)
        except BundleError as error:
            hint = "Choose another: frontdesk models, then frontdesk promote VERSION"
            raise BundleError(f"Cannot roll back: {error.message}", field=error.field, hint=hint) from None
    version = promotion.rollback(settings.bundles, reason)
    write_audit_entry(settings, "bundle.rollback", version)
    return _set_alias(settings, "champion", version)


def _evaluate(settings: Settings, challenger: Bundle, evaluator: GateEvaluator) -> PromotionVerdict:
    """Compare with the champion, or with the floor if no champion can run, because it could not be served either."""
    champion, floor_reason = None, ""
    try:
        signed = open_signed(promotion.champion_path(settings.bundles), settings.keys, settings.security.bundle_keys)
        evaluator.check_loadable(signed)
        champion = signed
    except BundleError as error:
        floor_reason = error.message
    verdict = decide_promotion(*evaluator.measure(champion, challenger), settings.promotion)
    evaluator.report(verdict, floor_reason)
    return verdict


def _set_alias(settings: Settings, role: Role, version: str) -> PromotionResult:
    """Give the bundle its alias in MLflow."""
    experiment = settings.training.experiment
    try:
        number = set_bundle_alias(role, version, tracking_uri=settings.tracking_uri, experiment=experiment)
    except RegistryUnavailable as error:
        return PromotionResult(version=version, role=role, registry_error=str(error))
    return PromotionResult(version=version, role=role, registry_version=number)
