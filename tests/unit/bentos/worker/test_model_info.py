from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path

import pytest

from bentos.worker.model_info import MAX_PROMOTIONS, ModelInventory
from model_store.bundle import Bundle, open_bundle, seal_bundle
from model_store.promotion import POINTER, champion_path, promote
from runners.models.execution_provider import ON_CPU, ExecutionProvider


def opened(bundle: Path, bundles: Path, provider: ExecutionProvider = ON_CPU, **precisions: str) -> ModelInventory:
    return ModelInventory.of(bundle, bundles, placement="embedded", threads=1, provider=provider, precisions=precisions)


@pytest.fixture
def served(home: Path) -> ModelInventory:
    return opened(champion_path(home / "bundles"), home / "bundles")


def another(home: Path, tiny_bundle: Bundle, *, members: tuple[str, ...] = (), graphs: tuple[str, ...] = ()) -> Bundle:
    """A complete sealed bundle with other content."""
    staged = Path(shutil.copytree(tiny_bundle.path, home / "bundles" / ".staged"))
    (staged / "manifest.json").unlink()
    for graph in graphs:
        (staged / graph).write_bytes(b"a graph")
    members = tiny_bundle.manifest.members + members
    return seal_bundle(staged, dataclasses.replace(tiny_bundle.manifest, profile="another", members=members))


def test_the_champion_that_is_served_needs_no_restart(served: ModelInventory, tiny_bundle: Bundle) -> None:
    report = served.report()
    assert (report.serving, report.champion, report.previous) == (tiny_bundle.version, tiny_bundle.version, None)
    assert not report.restart_needed
    assert [(stored.version, stored.serving, stored.champion) for stored in report.versions] == [
        (tiny_bundle.version, True, True)
    ]


def test_what_was_promoted_after_the_start_is_champion_but_not_served(
    served: ModelInventory, home: Path, tiny_bundle: Bundle
) -> None:
    successor = another(home, tiny_bundle)
    assert not served.report().restart_needed
    promote(home / "bundles", successor.version, "better")
    report = served.report()
    assert (report.serving, report.champion, report.previous) == (
        tiny_bundle.version,
        successor.version,
        tiny_bundle.version,
    )
    assert report.restart_needed
    assert report.model == served.serving
    assert {(stored.version, stored.serving, stored.champion) for stored in report.versions} == {
        (tiny_bundle.version, True, False),
        (successor.version, False, True),
    }
    assert report.promotions[-1].reason == "better"


def test_a_bundle_from_outside_the_home_is_not_replaced_by_a_restart(home: Path, copied_bundle: Path) -> None:
    other = another(home, open_bundle(copied_bundle))
    promote(home / "bundles", other.version)
    report = opened(copied_bundle, home / "bundles").report()
    assert report.champion == other.version != report.serving
    assert not report.restart_needed


def test_every_member_says_its_graphs_where_they_run_and_in_what_precision(
    served: ModelInventory, tiny_bundle: Bundle
) -> None:
    members = {member.name: member for member in served.serving.members}
    assert tuple(members) == tiny_bundle.manifest.members
    assert members["xgboost"].graphs == ("members/xgboost.intent.onnx", "members/xgboost.sentiment.onnx")
    assert {(member.provider, member.precision) for member in members.values()} == {("cpu", "fp32")}
    for member in members.values():
        assert set(member.graphs) <= set(tiny_bundle.manifest.files)
    assert served.serving.meta_learner == ("meta/intent.onnx", "meta/sentiment.onnx")


@pytest.mark.parametrize(
    ("precision", "graph"),
    [("int8", "distilbert.onnx"), ("fp32", "distilbert.fp32.onnx"), ("fp16", "distilbert.fp16.onnx")],
)
def test_an_encoder_names_the_one_graph_of_its_precision_and_only_it_leaves_the_cpu(
    home: Path, tiny_bundle: Bundle, precision: str, graph: str
) -> None:
    graphs = tuple(f"members/distilbert{kind}.onnx" for kind in ("", ".fp32", ".fp16"))
    bundle = another(home, tiny_bundle, members=("distilbert",), graphs=graphs)
    serving = opened(
        bundle.path, home / "bundles", ExecutionProvider("cuda", "it works here"), distilbert=precision
    ).serving
    *others, encoder = serving.members
    assert (encoder.graphs, encoder.provider, encoder.precision) == ((f"members/{graph}",), "cuda", precision)
    assert {member.provider for member in others} == {"cpu"}


def test_an_encoder_in_another_process_says_nothing_of_that_process(home: Path, tiny_bundle: Bundle) -> None:
    bundle = another(home, tiny_bundle, members=("distilbert",), graphs=("members/distilbert.onnx",))
    *_, encoder = opened(bundle.path, home / "bundles", ExecutionProvider("cpu", "elsewhere")).serving.members
    assert (encoder.graphs, encoder.provider, encoder.precision) == (("members/distilbert.onnx",), None, None)


def test_a_pointer_to_nowhere_and_a_damaged_manifest_are_told_not_fatal(
    served: ModelInventory, home: Path, tiny_bundle: Bundle
) -> None:
    damaged = another(home, tiny_bundle)
    manifest = damaged.path / "manifest.json"
    manifest.write_text(manifest.read_text().replace('"another"', '"forged"'))
    (home / "bundles" / POINTER).write_text("20200101-gone\n")
    report = served.report()
    assert (report.champion, report.restart_needed) == (None, False)
    assert "20200101-gone" in str(report.problem)
    (problem,) = (stored.problem for stored in report.versions if stored.version == damaged.version)
    assert "was changed after it was sealed" in str(problem)


def test_only_the_last_promotions_are_told(served: ModelInventory, home: Path, tiny_bundle: Bundle) -> None:
    for number in range(MAX_PROMOTIONS + 5):
        promote(home / "bundles", tiny_bundle.version, f"reason {number}")
    reasons = [move.reason for move in served.report().promotions]
    assert (len(reasons), reasons[-1]) == (MAX_PROMOTIONS, f"reason {MAX_PROMOTIONS + 4}")
