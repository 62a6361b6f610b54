from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from frontdesk.config import Settings
from frontdesk.errors import BundleError
from model_store import promote as use_case
from model_store.bundle import Bundle, seal_bundle
from model_store.manifest import SIGNATURE, Manifest
from model_store.promote import GateEvaluator, promote_bundle, promote_to_challenger, roll_back
from model_store.promotion import POINTER, champion_path, promotion_history
from model_store.promotion_gate import BundleMetrics, PromotionVerdict
from model_store.registry import RegistryUnavailable
from model_store.signature import open_signed

GOOD = BundleMetrics(
    version="",
    intents=("refund", "delivery"),
    truth=("refund", "delivery") * 100,
    right=(True,) * 190 + (False,) * 10,
    sentiment_right=(),
    log_loss=0.2,
    ece=0.02,
    latency_ms=2.0,
    size_bytes=10_000_000,
)
BAD = replace(GOOD, right=(False,) * 200, log_loss=2.0)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path)


@pytest.fixture
def make(settings: Settings) -> Callable[[str], Bundle]:
    """Makes a bundle with the profile `name`."""

    def seal(name: str) -> Bundle:
        folder = settings.bundles / name
        folder.mkdir(parents=True)
        (folder / "taxonomy.json").write_text(name)
        manifest = Manifest(
            version="",
            created_at="2026-06-01T09:30:00",
            code_version="1",
            profile=name,
            intents=GOOD.intents,
            sentiments=(),
            members=(),
            candidates_per_member=1,
            masking_version="1",
            feature_fingerprint="",
            data={},
            metrics={},
            files={},
        )
        return seal_bundle(folder, manifest)

    return seal


@dataclass
class FakeEnvironment:
    """Implements the injected functions and records their calls. Profile "bad" fails the gate, "old" does not run."""

    settings: Settings
    steps: list[str] = field(default_factory=list)

    @property
    def evaluator(self) -> GateEvaluator:
        return GateEvaluator(check_loadable=self.check_loadable, measure=self.measure, report=self.report)

    def check_loadable(self, bundle: Bundle) -> None:
        if bundle.manifest.profile == "old":
            raise BundleError("It does not run here.", field="feature_fingerprint")

    def measure(self, champion: Bundle | None, challenger: Bundle) -> tuple[BundleMetrics | None, BundleMetrics]:
        self.steps.append("measure")
        return champion and self.candidate(champion), self.candidate(challenger)

    def candidate(self, bundle: Bundle) -> BundleMetrics:
        return replace(BAD if bundle.manifest.profile == "bad" else GOOD, version=bundle.version)

    def report(self, verdict: PromotionVerdict, why_floor: str) -> None:
        pointer = self.settings.bundles / POINTER
        now = pointer.read_text().strip() if pointer.exists() else "none"
        self.steps.append(f"report passed={verdict.passed} floor={why_floor!r} champion={now}")

    def note(self, settings: Settings, action: str, version: str) -> None:
        assert settings is self.settings
        self.steps.append(f"note {action} {version}")


@pytest.fixture
def world(settings: Settings) -> FakeEnvironment:
    return FakeEnvironment(settings)


def is_signed(bundle: Bundle) -> bool:
    return (bundle.path / SIGNATURE).exists()


def test_the_first_bundle_that_passes_the_floor_is_signed_and_served(
    settings: Settings, make: Callable[[str], Bundle], world: FakeEnvironment
) -> None:
    bundle = make("first")
    result = promote_bundle(settings, bundle, world.evaluator, world.note, origin="trained; ")
    assert (result.version, result.role, result.failed_verdict) == (bundle.version, "champion", None)
    assert (result.registry_version, result.registry_error) == ("", "there is no MLflow database yet")
    assert champion_path(settings.bundles) == bundle.path
    assert open_signed(bundle.path, settings.keys, ()).version == bundle.version
    assert promotion_history(settings.bundles)[-1].reason == "trained; passed the gate against the floor"
    assert world.steps == [
        "measure",
        "report passed=True floor='No model has been promoted yet.' champion=none",
        f"note bundle.promote {bundle.version}",
    ]


def test_a_worse_bundle_is_refused_and_nothing_is_changed(
    settings: Settings, make: Callable[[str], Bundle], world: FakeEnvironment
) -> None:
    first, bad = make("first"), make("bad")
    promote_bundle(settings, first, world.evaluator, world.note)
    world.steps.clear()
    result = promote_bundle(settings, bad, world.evaluator, world.note)
    assert (result.role, result.registry_version, result.registry_error) == ("champion", "", "")
    assert result.failed_verdict is not None
    assert "accuracy" in [check.name for check in result.failed_verdict.failed_checks]
    assert champion_path(settings.bundles) == first.path
    assert not is_signed(bad)
    assert len(promotion_history(settings.bundles)) == 1
    assert world.steps == ["measure", f"report passed=False floor='' champion={first.version}"]


def test_a_forced_promotion_asks_no_gate_and_records_the_reason(
    settings: Settings, make: Callable[[str], Bundle], world: FakeEnvironment
) -> None:
    bad = make("bad")
    result = promote_bundle(settings, bad, world.evaluator, world.note, force_reason="to show a rollback")
    assert (result.version, result.failed_verdict) == (bad.version, None)
    assert champion_path(settings.bundles) == bad.path
    assert is_signed(bad)
    assert promotion_history(settings.bundles)[-1].reason == "forced: to show a rollback"
    assert world.steps == [f"note bundle.promote {bad.version}"]


def test_a_champion_that_does_not_run_or_is_not_signed_leaves_only_the_floor(
    settings: Settings, make: Callable[[str], Bundle], world: FakeEnvironment
) -> None:
    old, first, second = make("old"), make("first"), make("second")
    promote_bundle(settings, old, world.evaluator, world.note, force_reason="it once ran")
    promote_bundle(settings, first, world.evaluator, world.note)
    assert promotion_history(settings.bundles)[-1].reason == "passed the gate against the floor"
    (first.path / SIGNATURE).unlink()
    promote_bundle(settings, second, world.evaluator, world.note)
    assert promotion_history(settings.bundles)[-1].reason == "passed the gate against the floor"
    reports = [step for step in world.steps if step.startswith("report")]
    assert ["does not run" in report for report in reports] == [True, False]
    assert ["is not signed" in report for report in reports] == [False, True]


def test_a_challenger_that_passes_leaves_the_champion_and_is_not_signed(
    settings: Settings, make: Callable[[str], Bundle], world: FakeEnvironment, monkeypatch: pytest.MonkeyPatch
) -> None:
    marked: list[tuple[str, str, str, str]] = []

    def set_bundle_alias(alias: str, bundle: str, *, tracking_uri: str, experiment: str) -> str:
        marked.append((alias, bundle, tracking_uri, experiment))
        return "7"

    monkeypatch.setattr(use_case, "set_bundle_alias", set_bundle_alias)
    first, second = make("first"), make("second")
    promote_bundle(settings, first, world.evaluator, world.note)
    result = promote_to_challenger(settings, second, world.evaluator)
    assert (result.role, result.failed_verdict, result.registry_version) == ("challenger", None, "7")
    assert champion_path(settings.bundles) == first.path
    assert not is_signed(second)
    assert marked == [
        (role, bundle.version, settings.tracking_uri, "frontdesk")
        for role, bundle in (("champion", first), ("challenger", second))
    ]


def test_a_challenger_that_is_refused_gets_no_alias(
    settings: Settings, make: Callable[[str], Bundle], world: FakeEnvironment
) -> None:
    promote_bundle(settings, make("first"), world.evaluator, world.note)
    result = promote_to_challenger(settings, make("bad"), world.evaluator)
    assert result.failed_verdict is not None
    assert (result.role, result.registry_version, result.registry_error) == ("challenger", "", "")


def test_an_unavailable_registry_undoes_nothing(
    settings: Settings, make: Callable[[str], Bundle], world: FakeEnvironment, monkeypatch: pytest.MonkeyPatch
) -> None:
    def set_bundle_alias(*_: object, **__: object) -> str:
        raise RegistryUnavailable("mlflow is not installed here")

    monkeypatch.setattr(use_case, "set_bundle_alias", set_bundle_alias)
    bundle = make("first")
    result = promote_bundle(settings, bundle, world.evaluator, world.note)
    assert result.registry_error == "mlflow is not installed here"
    assert champion_path(settings.bundles) == bundle.path


def test_rolling_back_verifies_the_bundle_before_the_pointer_moves(
    settings: Settings, make: Callable[[str], Bundle], world: FakeEnvironment
) -> None:
    first, second = make("first"), make("second")
    for bundle in (first, second):
        promote_bundle(settings, bundle, world.evaluator, world.note)
    (first.path / "taxonomy.json").write_text("changed")
    with pytest.raises(BundleError, match=r"Cannot roll back: taxonomy\.json of bundle") as error:
        roll_back(settings, "customers complained", world.note)
    assert "frontdesk promote VERSION" in error.value.hint
    assert champion_path(settings.bundles) == second.path

    (first.path / "taxonomy.json").write_text("first")
    world.steps.clear()
    result = roll_back(settings, "customers complained", world.note)
    assert (result.version, result.role) == (first.version, "champion")
    assert champion_path(settings.bundles) == first.path
    last = promotion_history(settings.bundles)[-1]
    assert (last.action, last.reason) == ("rollback", "customers complained")
    assert world.steps == [f"note bundle.rollback {first.version}"]


def test_without_an_earlier_champion_there_is_nothing_to_roll_back_to(
    settings: Settings, make: Callable[[str], Bundle], world: FakeEnvironment
) -> None:
    promote_bundle(settings, make("first"), world.evaluator, world.note)
    with pytest.raises(BundleError, match="no champion before this one"):
        roll_back(settings, "why", world.note)
