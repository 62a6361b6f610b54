"""Print the metrics of `training.evaluation.prediction_metrics`.

The output has a table for each task, then one sentence for each guarantee. Missing metrics are left out: no row has the
label, or the bundle is older than the metric.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console

COLUMNS = {"accuracy": "accuracy", "macro-F1": "macro_f1", "log loss": "log_loss", "ECE": "ece"}


def show_metrics(metrics: Mapping[str, Any], console: Console) -> None:
    """Print tables and sentences."""
    from rich.table import Table

    for task in ("intent", "sentiment"):
        if not metrics.get(task):
            console.print(f"No row has a label for {task} that the bundle knows.", highlight=False)
            continue
        table = Table(task, *COLUMNS, box=None)
        for name, row in metrics[task].items():
            cells = [f"{row[key]:.3f}" for key in COLUMNS.values()]
            table.add_row(name, *cells, style="bold" if name == "ensemble" else "")
        console.print(table)
    if sentences := " ".join(metric_sentences(metrics)):
        console.print(sentences, highlight=False, soft_wrap=True)


def metric_sentences(metrics: Mapping[str, Any]) -> Iterator[str]:
    """Yield a sentence for each metric of scope, plausible intents, automation and borrowed sentiment."""
    if "scope" in metrics:
        yield from _intent_sentences(metrics["scope"], metrics["conformal"], metrics["automation"])
    if borrowed := metrics.get("borrowed_sentiment"):
        yield (
            f"No row of the data has a sentiment: {borrowed['rows']} messages of the starter corpus were used, "
            "so expect low quality on topics other than those of a shop."
        )


def _intent_sentences(
    scope: Mapping[str, Any], conformal: Mapping[str, Any], automation: Mapping[str, Any]
) -> Iterator[str]:
    if "log_loss_given_scope" in scope:
        yield f"Log loss of intents, given that the message is in scope: {scope['log_loss_given_scope']:.3f}."
    yield f"ECE with out-of-scope messages counted as wrong: {scope['ece_with_out_of_scope']:.3f}."
    near = f", {scope['near_recall']:.1%} of those with a withheld intent" if "near_recall" in scope else ""
    yield f"Out of scope: {scope['recall']:.1%} found{near} at {scope['false_alarm_rate']:.1%} false alarms."
    size, coverage = conformal["mean_set_size"], conformal["coverage"]
    yield f"Plausible intents: {size:.1f} on average, the right one among them in {coverage:.1%}."
    if automation["share"]:
        bound, confidence = automation.get("upper_bound"), automation.get("confidence", 0.0)
        limit = f" (at most {bound:.1%} with {confidence:.0%} confidence)" if bound is not None else ""
        yield (
            f"Over the automation threshold: {automation['share']:.1%} of messages, {automation['error']:.1%} of them "
            f"wrong{limit}."
        )
    else:
        yield "Over the automation threshold: nothing, or no threshold could be certified on the calibration rows."
