"""Render the explanation of one decision for the terminal. The input is the output of `explain --json`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Group
from rich.panel import Panel
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

BAR_WIDTH = 20
_EPISTEMIC = "epistemic: the models are unsure; more examples of this kind would help"
_ALEATORIC = "aleatoric: the message itself is ambiguous"


def explanation_panel(explanation: Mapping[str, Any]) -> Panel:
    """Render each step from the masked message to the decision, with the thresholds that applied."""
    sections = (
        ("The message, as the models see it", Text(explanation["read_as"])),
        ("Prediction of each base model", _base_models(explanation["members"])),
        ("Prediction of the ensemble, calibrated", _intent(explanation)),
        ("Uncertainty", _uncertainty(explanation["uncertainty"])),
        ("Priority", _priority(explanation["priority"])),
        ("Automation", _automation(explanation["automation"])),
        ("Decision", _decision(explanation["decision"])),
    )
    parts = [part for title, body in sections for part in (Rule(title, align="left", style="dim"), body, Text())]
    return Panel(Group(*parts[:-1]), subtitle=explanation["model_version"], subtitle_align="right", border_style="blue")


def _bar(share: float) -> Text:
    filled = round(share * BAR_WIDTH)
    return Text.assemble(("█" * filled, "blue"), ("░" * (BAR_WIDTH - filled), "dim"), f" {share:6.1%}")


def _column_grid(right: int = 0) -> Table:
    table = Table.grid(padding=(0, 2))
    for _ in range(right):
        table.add_column(justify="right", no_wrap=True)
    return table


def _base_models(members: list[Mapping[str, Any]]) -> Table:
    table = _column_grid()
    for member in members:
        table.add_row(Text(member["name"], style="dim"), Text(member["intent"]), _bar(member["confidence"]))
    return table


def _intent(explanation: Mapping[str, Any]) -> Group:
    intent, scope, plausible = explanation["intent"], explanation["out_of_scope"], explanation["plausible"]
    plausible_labels = {candidate["label"] for candidate in plausible["intents"]}
    table = _column_grid()
    for candidate in intent["candidates"]:
        best = candidate["label"] == intent["label"]
        note = "plausible" if candidate["label"] in plausible_labels else ""
        table.add_row(Text(candidate["label"], style="bold" if best else ""), _bar(candidate["probability"]), note)
    side = "within" if intent["in_scope"] else "above"
    table.add_row(Text("out of scope", style="dim"), _bar(scope["probability"]), f"{side} {scope['threshold']:.1%}")
    limits = (
        f"{len(plausible_labels)} plausible: every intent from {plausible['threshold']:.1%}. Such sets contain the "
        f"right intent in {plausible['coverage']:.0%} of messages. The out-of-scope threshold has a false alarm rate "
        f"of at most {scope['false_alarm_rate']:.0%}."
    )
    sentiment = explanation["sentiment"]
    shares = ", ".join(f"{label} {share:.0%}" for label, share in sentiment["scores"].items())
    return Group(table, Text(limits, style="dim"), Text(f"sentiment {sentiment['label']} ({shares})"))


def _uncertainty(uncertainty: Mapping[str, Any]) -> Table:
    table = _column_grid(right=1)
    table.add_row(f"{uncertainty['epistemic']:.2f}", _EPISTEMIC)
    table.add_row(f"{uncertainty['aleatoric']:.2f}", _ALEATORIC)
    method = uncertainty["method"].replace("_", " ")
    table.add_row(Text(f"{uncertainty['score']:.2f}", style="bold"), Text(f"of 1 in total, by {method}", style="bold"))
    return table


def _priority(priority: Mapping[str, Any]) -> Group:
    table = _column_grid(right=1)
    for part in priority["parts"]:
        table.add_row(f"{part['points']:+.1f}", part["because"], Text(part["name"], style="dim"))
    table.add_row(Text(f"{priority['score']:.1f}", style="bold"), Text(f"of 100: {priority['level']}", style="bold"))
    levels = ", ".join(f"{level} from {least:g}" for level, least in priority["levels"].items())
    return Group(table, Text(levels, style="dim"))


def _automation(automation: Mapping[str, Any]) -> Text:
    if automation["threshold"] is None:
        return Text("There were too few calibration rows to certify a threshold for this intent.")
    enough = automation["confidence"] >= automation["threshold"]
    return Text(
        f"{'Confident enough' if enough else 'Not confident enough'}: {automation['confidence']:.1%} against a "
        f"threshold of {automation['threshold']:.1%}, certified to keep errors under {automation['max_error']:.0%} "
        f"({automation['certificate_confidence']:.0%} confidence)."
    )


def _decision(decision: Mapping[str, Any]) -> Text:
    text = Text(decision["action"], style="bold")
    for rule in decision["rules"]:
        if rule["applies"]:
            text.append(f"\n· {rule['because']}", style="not bold")
    if decision["question"]:
        text.append(f"\nask: {decision['question']}", style="not bold")
    if decision["suggested_actions"]:
        text.append(f"\nnext: {', '.join(decision['suggested_actions'])}", style="dim not bold")
    for change in decision["would_change"]:
        text.append(f"\n{change['action']} instead, if {change['condition']}", style="dim not bold")
    if not decision["would_change"]:
        text.append("\nno single change would have led to another action", style="dim not bold")
    return text
