"""`frontdesk explain`: show how the champion understands one message, and each step of the decision.

Runs in this process with the bundle of the champion. Stores nothing and does not log the text. The text is shown
masked, as the models see it.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from frontdesk.features.customer_history import EMPTY_HISTORY
from frontdesk.types import CustomerTier

if TYPE_CHECKING:
    from frontdesk.config import Settings
    from frontdesk.decision.counterfactuals import DecisionInputs
    from frontdesk.decision.priority import PriorityPolicy
    from frontdesk.features.customer_history import CustomerHistory
    from frontdesk.masking.masker import Masker
    from frontdesk.types import Decision, Query
    from runners.ensemble.ensemble import Ensemble
    from runners.models.calibration import Calibration


def explain(
    message: Annotated[str | None, typer.Argument(help="The customer's message. Default: standard input.")] = None,
    tier: Annotated[CustomerTier, typer.Option(help="The tier of the customer.")] = CustomerTier.STANDARD,
    waiting_since: Annotated[
        str | None, typer.Option(help="Time since which the customer waits, such as 2026-01-31T09:30:00Z.")
    ] = None,
    customer: Annotated[
        str | None, typer.Option(help="Customer id. The stored history of this customer is taken into account.")
    ] = None,
    tenant: Annotated[str, typer.Option(help="Tenant of the customer.")] = "default",
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """Show base models, candidates, uncertainty, priority and rules of one message, and what would change the decision.

    Exit code 1 if the message is refused or there is no champion.
    """
    from rich.console import Console

    from cli.explanation_panel import explanation_panel
    from frontdesk.config import load_settings
    from frontdesk.masking.masker import load_masker

    query = _parse_query(message if message is not None else sys.stdin.read().strip(), tier, waiting_since)
    settings = load_settings()
    with Console(stderr=True).status("loading the champion"):
        ensemble = _load_champion(settings)
    history = _load_history(settings, tenant, customer)
    explanation = explain_query(
        query,
        ensemble,
        _priority_policy(settings),
        settings.policy.max_plausible_to_clarify,
        history,
        masker=load_masker(settings.masking.name_tagger),
    )
    if as_json:
        typer.echo(json.dumps(explanation, indent=2, ensure_ascii=False))
    else:
        Console().print(explanation_panel(explanation))


def explain_query(
    query: Query,
    ensemble: Ensemble,
    priorities: PriorityPolicy,
    max_plausible_to_clarify: int,
    history: CustomerHistory = EMPTY_HISTORY,
    *,
    masker: Masker | None = None,
) -> dict[str, Any]:
    """Return the whole explanation as plain data. Probabilities are between 0 and 1."""
    from datetime import UTC, datetime

    from frontdesk.decision.acts import select_policy_inputs
    from frontdesk.decision.counterfactuals import DecisionInputs
    from frontdesk.decision.rules import decide
    from frontdesk.masking.masked_message import mask_message
    from frontdesk.messages.limits import parse_message
    from frontdesk.types import PriorityLevel

    message = parse_message(query.incoming())
    text = (masker.mask(message) if masker else mask_message(message)).own
    (understanding,) = ensemble.understand([text.text])
    urgency = ensemble.taxonomy.policy(understanding.intent.label).urgency
    inputs = select_policy_inputs(message.act, understanding, text, urgency)
    understanding = inputs.understanding
    priority = priorities.score(query, inputs.text, understanding, inputs.urgency, datetime.now(UTC), history)
    decision = decide(understanding, ensemble.taxonomy, priority, max_plausible_to_clarify, message.act)
    calibration = ensemble.calibration
    case = DecisionInputs(
        understanding,
        ensemble.taxonomy,
        priority,
        max_plausible_to_clarify,
        calibration.out_of_scope_threshold,
        priorities.levels[PriorityLevel.URGENT],
    )
    return {
        "model_version": ensemble.version,
        "act": message.act,
        "message": asdict(message.summarize()),
        "read_as": text.text,
        "members": [asdict(opinion) for opinion in understanding.members],
        **_explain_model_outputs(case, calibration),
        "history": asdict(history),
        "priority": {**asdict(priority), "levels": dict(priorities.levels)},
        "decision": _explain_decision(decision, case),
        "skipped": list(understanding.skipped),
    }


def _explain_model_outputs(case: DecisionInputs, calibration: Calibration) -> dict[str, Any]:
    understanding = case.understanding
    return {
        "intent": asdict(understanding.intent),
        "out_of_scope": {
            "probability": understanding.intent.out_of_scope_probability,
            "threshold": calibration.out_of_scope_threshold,
            "false_alarm_rate": calibration.false_alarm_rate,
        },
        "plausible": {
            "intents": [asdict(candidate) for candidate in understanding.plausible],
            "threshold": calibration.conformal_threshold,
            "coverage": calibration.conformal_coverage,
        },
        "sentiment": asdict(understanding.sentiment),
        "uncertainty": asdict(understanding.uncertainty),
        "automation": {
            "confidence": understanding.intent.confidence,
            "threshold": understanding.automation_threshold,
            "max_error": calibration.max_error,
            "certificate_confidence": calibration.certificate_confidence,
        },
    }


def _explain_decision(decision: Decision, case: DecisionInputs) -> dict[str, Any]:
    """Return the decision with its rules: those that applied, the deciding one first, then all others."""
    from frontdesk.decision.rules import REASON_TEXTS

    others = [reason for reason in REASON_TEXTS if reason not in decision.reasons]
    return {
        "action": decision.action,
        "question": decision.question,
        "suggested_actions": list(decision.suggested_actions),
        "rules": [
            {"reason": reason, "applies": reason in decision.reasons, "because": REASON_TEXTS[reason]}
            for reason in (*decision.reasons, *others)
        ],
        "would_change": [asdict(alternative) for alternative in case.find_counterfactuals()],
    }


def _parse_query(text: str, tier: CustomerTier, waiting_since: str | None) -> Query:
    """Validate the input as the API does. Raises InvalidQuery, which names the field."""
    from bentos.schemas.queries import QueryIn, parse

    body = {"text": text, "customer_tier": tier, "waiting_since": waiting_since, "store": False}
    return parse(QueryIn, json.dumps(body).encode()).query()


def _load_champion(settings: Settings) -> Ensemble:
    """Load the champion in the precision in which this machine serves it."""
    from bentos.wiring.model import open_trusted_bundle
    from runners.ensemble.warm_up import load_warm_ensemble
    from runners.models.onnx_session import find_execution_provider

    model = settings.model
    provider = find_execution_provider(model.provider, settings.engines)
    return load_warm_ensemble(
        open_trusted_bundle(settings), model.onnx_threads, provider=provider, precision=model.precision
    )


def _load_history(settings: Settings, tenant: str, customer: str | None) -> CustomerHistory:
    """Return the stored history of a customer; an empty history without a customer or if nothing is stored."""
    from datetime import UTC, datetime

    from frontdesk.storage.database import begin_reading, migrate, open_database
    from frontdesk.storage.sql.contacts_and_ratings import history_as_of

    if customer is None:
        return EMPTY_HISTORY
    migrate(settings.database_url)
    engine = open_database(settings.database_url)
    with begin_reading(engine) as connection:
        return history_as_of(connection, tenant, customer, datetime.now(UTC))


def _priority_policy(settings: Settings) -> PriorityPolicy:
    from frontdesk.decision.priority import STARTER_POLICY, PriorityPolicy

    return PriorityPolicy.read(settings.policy.priority or STARTER_POLICY)
