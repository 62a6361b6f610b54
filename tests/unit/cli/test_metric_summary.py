from __future__ import annotations

from typing import Any

from rich.console import Console

from cli.metric_summary import metric_sentences, show_metrics

ROW = {"accuracy": 0.9, "macro_f1": 0.8, "log_loss": 0.3, "ece": 0.01}
OLD: dict[str, Any] = {
    "rows": 10,
    "intent": {"ensemble": ROW},
    "sentiment": {"ensemble": ROW},
    "scope": {"ece_with_out_of_scope": 0.02, "recall": 0.7, "false_alarm_rate": 0.05},
    "conformal": {"coverage": 0.95, "mean_set_size": 1.2},
    "automation": {"share": 0.4, "error": 0.01},
}


def render_metrics(figures: dict[str, Any]) -> str:
    console = Console(width=200)
    with console.capture() as captured:
        show_metrics(figures, console)
    return captured.get()


def test_metrics_of_an_older_bundle_are_shown() -> None:
    output = render_metrics(OLD)
    assert output.count("0.900") == 2
    assert "Out of scope: 70.0% found at 5.0% false alarms." in output
    assert "40.0% of messages, 1.0% of them wrong." in output


def test_a_task_without_metrics_is_left_out() -> None:
    without = {name: figures for name, figures in OLD.items() if name != "sentiment"}
    assert "No row has a label for sentiment" in render_metrics(without)
    assert "No row has a label for sentiment" in render_metrics(OLD | {"sentiment": {}})


def test_metrics_of_newer_bundles_are_shown_too() -> None:
    newer = OLD | {
        "scope": OLD["scope"] | {"near_recall": 0.5, "near_rows": 8},
        "automation": OLD["automation"] | {"upper_bound": 0.019, "confidence": 0.95},
        "borrowed_sentiment": {"rows": 900},
    }
    output = " ".join(metric_sentences(newer))
    assert "70.0% found, 50.0% of those with a withheld intent at 5.0% false alarms" in output
    assert "wrong (at most 1.9% with 95% confidence)" in output
    assert "900 messages of the starter corpus" in output


def test_without_automation_no_error_rate_is_shown() -> None:
    output = " ".join(metric_sentences(OLD | {"automation": {"share": 0.0, "error": 0.0}}))
    assert "Over the automation threshold: nothing" in output


def test_data_without_intents_has_the_metrics_of_sentiment_only() -> None:
    output = render_metrics({"rows": 4, "intent": {}, "sentiment": {"ensemble": ROW}})
    assert "No row has a label for intent" in output
    assert output.count("0.900") == 1
