"""Render one answer for the terminal. The input is the JSON of the API, so local and remote answers look the same."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from frontdesk.decision.rules import REASON_TEXTS
from frontdesk.types import Reason

BAR_WIDTH = 24
_ACTION_STYLE = {"automate": "bold green", "draft": "bold cyan", "clarify": "bold yellow", "escalate": "bold red"}
_LEVEL_STYLE = {"low": "green", "medium": "cyan", "high": "yellow", "urgent": "bold red"}
_SENTIMENT_STYLE = {"negative": "red", "neutral": "white", "positive": "green"}


def answer_panel(answer: Mapping[str, Any]) -> Panel:
    """Render reply, decision, intent, sentiment, priority, uncertainty and the predictions of the base models."""
    sections: list[RenderableType] = []
    if reply := answer.get("reply"):
        cited = ", ".join(citation["title"] for citation in reply["citations"])
        body = Text(reply["text"])
        if cited:
            body.append(f"\n\nfrom: {cited}", style="dim")
        if author := _describe_author(reply):
            body.append(f"\n{author}", style="dim")
        sections += [Panel(body, title="reply", title_align="left", border_style="dim"), Text()]
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", no_wrap=True)
    table.add_column()
    table.add_row("decision", _decision(answer["decision"]))
    if summary := answer.get("hand_off"):
        table.add_row("handoff", _handoff_summary(summary))
    if left_out := _describe_left_out_parts(answer.get("message")):
        table.add_row("read", left_out)
    table.add_row("intent", _intent(answer["intent"]))
    table.add_row("sentiment", _sentiment(answer["sentiment"]))
    table.add_row("priority", _priority(answer["priority"]))
    table.add_row("uncertainty", _uncertainty(answer["uncertainty"]))
    table.add_row("base models", Text(_base_models(answer["members"])))
    sections.append(table)
    total_ms = answer["timings_ms"].get("total", 0.0)
    footer = f"{answer['model_version']}  {total_ms:.1f} ms  {answer['query_id']}"
    return Panel(Group(*sections), subtitle=footer, subtitle_align="right", border_style="blue")


def _describe_left_out_parts(message: Mapping[str, Any] | None) -> str:
    """Describe which parts of the message were not evaluated; '' if all of it was."""
    parts = [] if message is None else [part for part in message["parts"] if part["kind"] not in ("own", "subject")]
    if message is None or not parts:
        return ""
    kinds = ", ".join(dict.fromkeys(part["kind"].replace("_", " ") for part in parts))
    characters = sum(part["characters"] for part in parts)
    return f"{message['own_characters']} characters; not evaluated: {characters} ({kinds})"


def _bar(share: float, style: str) -> Text:
    filled = round(share * BAR_WIDTH)
    return Text.assemble(("█" * filled, style), ("░" * (BAR_WIDTH - filled), "dim"), f" {share:6.1%}")


def _decision(decision: Mapping[str, Any]) -> Text:
    text = Text(decision["action"], style=_ACTION_STYLE[decision["action"]])
    for reason in decision["reasons"]:
        text.append(f"\n· {REASON_TEXTS[Reason(reason)]}", style="default not bold")
    if question := decision.get("question"):
        text.append(f"\nask: {question}", style="default not bold")
    if decision["suggested_actions"]:
        text.append(f"\nnext: {', '.join(_next_actions(decision))}", style="dim not bold")
    return text


def _next_actions(decision: Mapping[str, Any]) -> list[str]:
    """Describe each suggested action with the slots that were filled from the message."""
    slots = {entry["action"]: entry["slots"] for entry in decision.get("actions", ())}
    descriptions = []
    for action in decision["suggested_actions"]:
        filled = ", ".join(f"{slot} {value}" for slot, value in slots.get(action, {}).items())
        descriptions.append(f"{action} ({filled})" if filled else action)
    return descriptions


def _describe_author(reply: Mapping[str, Any]) -> str:
    """Describe provider, source and checks of a reply that a language model wrote; '' for other replies."""
    if not reply.get("prompt_hash"):
        return ""
    failed = [check for check in reply["checks"] if not check["passed"]]
    checks = "; ".join(f"{check['name']}: {', '.join(check['findings'])}" for check in failed)
    result = f"checks: {len(reply['checks']) - len(failed)} of {len(reply['checks'])} passed"
    reason = f" because of {reply['fallback']}" if reply.get("fallback") else ""
    author = f"written by {reply['source']}{reason} ({reply['provider']}, {reply['prompt_hash']})"
    return f"{author}; {result}{checks and ': '}{checks}"


def _handoff_summary(summary: Mapping[str, Any]) -> Text:
    text = Text(f"{summary['what']}\n{summary['mood']}")
    for line in summary["tried"]:
        text.append(f"\n{line}", style="dim")
    for line in summary["needed"]:
        text.append(f"\n· {line}")
    return text


def _intent(intent: Mapping[str, Any]) -> RenderableType:
    table = Table.grid(padding=(0, 2))
    for candidate in intent["candidates"]:
        best = candidate["label"] == intent["label"]
        table.add_row(Text(candidate["label"], style="bold" if best else ""), _bar(candidate["probability"], "blue"))
    scope = Text("out of scope", style="bold red" if not intent["in_scope"] else "dim")
    table.add_row(scope, _bar(intent["out_of_scope_probability"], "red"))
    return table


def _sentiment(sentiment: Mapping[str, Any]) -> Text:
    text = Text.assemble(
        (sentiment["label"], _SENTIMENT_STYLE[sentiment["label"]]), f" {sentiment['confidence']:.0%}   "
    )
    others = [f"{label} {share:.0%}" for label, share in sentiment["scores"].items() if label != sentiment["label"]]
    return text.append(", ".join(others), style="dim")


def _priority(priority: Mapping[str, Any]) -> Text:
    text = Text.assemble((priority["level"], _LEVEL_STYLE[priority["level"]]), f" {priority['score']:.0f} of 100")
    for part in priority["parts"]:
        text.append(f"\n{part['points']:+6.1f}  {part['because']}", style="default not bold")
    return text


def _uncertainty(uncertainty: Mapping[str, Any]) -> str:
    return (
        f"{uncertainty['score']:.2f}  (models disagree {uncertainty['epistemic']:.2f}, "
        f"message is unclear {uncertainty['aleatoric']:.2f})"
    )


def _base_models(members: list[Mapping[str, Any]]) -> str:
    return "\n".join(f"{member['name']}: {member['intent']} {member['confidence']:.0%}" for member in members)
