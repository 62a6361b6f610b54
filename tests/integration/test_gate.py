"""The gate as a user meets it: a bundle trained on spoilt labels against a good one, with a real MLflow beside them."""

from __future__ import annotations

import json
import random
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from cli.train import promote_or_challenge
from frontdesk.config import PromotionLimits, SecuritySettings, Settings
from frontdesk.errors import BundleError
from model_store import registry
from model_store.bundle import Bundle, seal_bundle
from model_store.promotion import champion_path, promote, promotion_history
from model_store.promotion_gate import decide_promotion
from tests.support.command_line import invoke
from tests.support.serving import PROJECT, SIGNER, environment
from training.data.examples import STARTER_CORPUS
from training.data.held_out import read_held_out
from training.evaluation.comparison import measure_for_promotion_gate
from training.training_run import TrainingRun

SPOILT_SHARE = 0.6
LATENCY_OF_A_BUSY_MACHINE = {"max_latency_ratio": 20}
"""For verdicts that latency does not decide: other tests run at the same time."""
PATIENT = {f"promotion__{name}": value for name, value in LATENCY_OF_A_BUSY_MACHINE.items()}


def aliases(home: Path) -> dict[str, str]:
    """alias -> version of the bundle, as MLflow has them."""
    from mlflow import MlflowClient

    client = MlflowClient(tracking_uri=f"sqlite:///{home}/mlflow/mlflow.db")
    results = client.get_registered_model("frontdesk").aliases
    return {alias: client.get_model_version("frontdesk", number).tags["bundle"] for alias, number in results.items()}


def spoilt_corpus(path: Path) -> Path:
    """The starter corpus with the labels of 60 % of its rows shuffled."""
    chance = random.Random(13)
    rows = [json.loads(line) for file in sorted(STARTER_CORPUS.glob("*.jsonl")) for line in file.open()]
    spoilt = chance.sample(range(len(rows)), round(SPOILT_SHARE * len(rows)))
    labels = [(rows[row]["intent"], rows[row]["sentiment"]) for row in spoilt]
    chance.shuffle(labels)
    for row, (intent, sentiment) in zip(spoilt, labels):
        rows[row] |= {"intent": intent, "sentiment": sentiment}
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


@pytest.fixture
def recorded_home(home: Path, empty_mlflow: Path, tiny_bundle: Bundle) -> Path:
    """A home whose champion MLflow knows as version 1, with the alias."""
    shutil.copytree(empty_mlflow, home / "mlflow")
    uri = f"sqlite:///{home}/mlflow/mlflow.db"
    artifacts = home / "mlflow" / "artifacts"
    registry.register_bundle(tiny_bundle, tracking_uri=uri, experiment="frontdesk", artifacts=artifacts, parameters={})
    registry.set_bundle_alias("champion", tiny_bundle.version, tracking_uri=uri, experiment="frontdesk")
    return home


@pytest.mark.timeout(600)
def test_a_worse_model_is_refused_by_its_figures_a_better_one_promoted_and_rolled_back(
    recorded_home: Path, tiny_bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")  # wide enough that no table is folded
    home, good = recorded_home, tiny_bundle.version
    bundles = home / "bundles"
    data = spoilt_corpus(tmp_path / "spoilt.jsonl")
    trained = invoke(home, "train", "--data", str(data), "--profile", "tiny")
    assert trained.returncode == 0, trained.stderr
    (worse,) = {path.name for path in bundles.iterdir() if path.is_dir()} - {good}
    assert f"The gate refuses {worse}:" in trained.stderr
    assert "may have been in the training data of" in trained.stderr
    assert champion_path(bundles).name == good
    assert aliases(home) == {"champion": good}

    refused = invoke(home, "promote", worse)
    assert refused.returncode == 1
    assert re.search(r"accuracy: 0\.\d{3} -> 0\.\d{3} \(-0\.\d{3}\); at most 0\.01 may be lost", refused.stderr)
    assert re.search(r"paired test: of \d+ rows the champion alone is right on \d+", refused.stderr)
    assert "--force REASON" in refused.stderr
    assert champion_path(bundles).name == good

    forced = invoke(home, "promote", worse, "--force", "to show a rollback")
    assert forced.returncode == 0, forced.stderr
    assert champion_path(bundles).name == worse
    assert aliases(home) == {"champion": worse}

    promoted = invoke(home, "promote", good, **PATIENT)
    assert promoted.returncode == 0, promoted.stderr
    assert champion_path(bundles).name == good
    assert aliases(home) == {"champion": good}
    listed = json.loads(invoke(home, "models", "--json").stdout)
    assert {row["version"]: (row["champion"], row["previous"]) for row in listed} == {
        good: (True, False),
        worse: (False, True),
    }

    back = invoke(home, "rollback", "--reason", "customers complained")
    assert back.returncode == 0, back.stderr
    assert champion_path(bundles).name == worse
    assert aliases(home) == {"champion": worse}
    assert [(move.action, move.version, move.reason) for move in promotion_history(bundles)][1:] == [
        ("promote", worse, "forced: to show a rollback"),
        ("promote", good, f"passed the gate against {worse}"),
        ("rollback", worse, "customers complained"),
    ]

    compared = json.loads(invoke(home, "compare", worse, good, "--json", **PATIENT).stdout)
    assert compared["passed"]
    assert compared["tasks"][0]["accuracy"]["low"] > 0  # beyond chance
    losses_first = [intent["challenger"] - intent["champion"] for intent in compared["intents"]]
    assert losses_first == sorted(losses_first)
    assert losses_first[-1] > 0


def test_a_machine_without_mlflow_promotes_and_says_that_the_registry_was_not_told(
    recorded_home: Path, tiny_bundle: Bundle, tmp_path: Path
) -> None:
    (tmp_path / "without").mkdir()
    (tmp_path / "without" / "mlflow.py").write_text("raise ModuleNotFoundError('not here', name='mlflow')\n")
    process = subprocess.run(
        [sys.executable, "-m", "cli", "promote", tiny_bundle.version],
        cwd=PROJECT,
        env=environment(recorded_home) | {"PYTHONPATH": str(tmp_path / "without"), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.returncode == 0, process.stderr
    assert "The registry was not updated: mlflow is not installed here." in process.stderr
    assert promotion_history(recorded_home / "bundles")[-1].reason == f"passed the gate against {tiny_bundle.version}"


def test_a_bundle_keeps_the_rows_it_was_tested_on_as_they_were(tiny_run: TrainingRun, tiny_bundle: Bundle) -> None:
    assert read_held_out(tiny_bundle) == tuple(tiny_run.data.rows[row] for row in tiny_run.data.splits.test)


def test_a_bundle_compared_with_itself_differs_in_nothing_and_has_seen_none_of_the_rows(tiny_bundle: Bundle) -> None:
    champion, challenger = measure_for_promotion_gate(tiny_bundle, tiny_bundle)
    assert champion is not None
    assert champion.right == challenger.right
    assert (champion.log_loss, champion.ece) == (challenger.log_loss, challenger.ece)
    assert champion.maybe_trained_on == 0
    assert decide_promotion(champion, challenger, PromotionLimits(**LATENCY_OF_A_BUSY_MACHINE)).passed


def test_a_first_bundle_has_no_champion_beside_it_and_passes_the_floor(tiny_bundle: Bundle) -> None:
    champion, first = measure_for_promotion_gate(None, tiny_bundle)
    assert champion is None
    assert decide_promotion(None, first, PromotionLimits()).passed


def test_figures_of_a_comparison_are_those_that_were_sealed(tiny_bundle: Bundle) -> None:
    """The rows, the order of labels and the calibration are the run's own: one definition, two readers."""
    _, measured = measure_for_promotion_gate(None, tiny_bundle)
    assert measured.ece == pytest.approx(tiny_bundle.manifest.metrics["scope"]["ece_with_out_of_scope"], abs=1e-9)
    assert measured.sentiment_accuracy == tiny_bundle.manifest.metrics["sentiment"]["ensemble"]["accuracy"]


def resealed(bundle: Bundle, bundles: Path, *, without: str | None = None, **changes: str) -> Bundle:
    """A copy in `bundles` whose manifest says something else, or that lacks a file, sealed again."""
    staged = Path(shutil.copytree(bundle.path, bundles / ".staged"))
    (staged / "manifest.json").unlink()
    if without:
        (staged / without).unlink()
    return seal_bundle(staged, replace(bundle.manifest, **changes))


def test_the_first_bundle_becomes_champion_and_the_next_that_passes_challenger(
    tiny_bundle: Bundle, empty_mlflow: Path, tmp_path: Path
) -> None:
    shutil.copytree(empty_mlflow, tmp_path / "mlflow")
    settings = Settings(home=tmp_path, promotion=PromotionLimits(**LATENCY_OF_A_BUSY_MACHINE))
    first, second = (resealed(tiny_bundle, settings.bundles, profile=name) for name in ("first", "second"))
    artifacts = tmp_path / "mlflow" / "artifacts"
    for bundle in (first, second):
        registry.register_bundle(
            bundle, tracking_uri=settings.tracking_uri, experiment="frontdesk", artifacts=artifacts, parameters={}
        )
    promote_or_challenge(settings, Console(quiet=True), first, promote=False)
    promote_or_challenge(settings, Console(quiet=True), second, promote=False)
    assert champion_path(settings.bundles).name == first.version
    assert aliases(tmp_path) == {"champion": first.version, "challenger": second.version}
    promote_or_challenge(settings, Console(quiet=True), second, promote=True)
    assert champion_path(settings.bundles).name == second.version
    assert aliases(tmp_path) == {"champion": second.version}


def test_a_champion_that_this_code_cannot_run_leaves_only_the_floor(home: Path, tiny_bundle: Bundle) -> None:
    settings = Settings(home=home, security=SecuritySettings(bundle_keys=(SIGNER.public,)))
    unusable = resealed(tiny_bundle, settings.bundles, feature_fingerprint="0" * 64)
    SIGNER.sign(unusable.path)
    promote(settings.bundles, unusable.version)
    printed = StringIO()
    promote_or_challenge(settings, Console(file=printed, width=200), tiny_bundle, promote=True)
    assert "Only the minimum requirements apply" in printed.getvalue()
    assert "trained with another definition of the features" in printed.getvalue()
    assert champion_path(settings.bundles).name == tiny_bundle.version
    assert promotion_history(settings.bundles)[-1].reason == "trained; passed the gate against the floor"


def test_a_bundle_without_held_out_rows_is_no_challenger_but_can_be_champion(
    tiny_bundle: Bundle, tmp_path: Path
) -> None:
    old = resealed(tiny_bundle, tmp_path, without="held_out.jsonl")
    with pytest.raises(BundleError, match="without its held-out rows"):
        measure_for_promotion_gate(tiny_bundle, old)
    champion, challenger = measure_for_promotion_gate(old, tiny_bundle)
    assert champion is not None
    assert champion.maybe_trained_on == len(read_held_out(tiny_bundle))
    assert challenger.maybe_trained_on == 0
