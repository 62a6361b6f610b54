from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np

from runners.models.calibration import Calibration, Platt, normalise_probabilities

CALIBRATION = Calibration(
    intent=Platt(1.1, 0.2),
    sentiment=Platt(0.9, -0.1),
    out_of_scope_threshold=0.5,
    false_alarm_rate=0.05,
    conformal_threshold=0.1,
    conformal_coverage=0.95,
    automation_threshold=0.9,
    max_error=0.02,
    certificate_confidence=0.95,
    rows=557,
)


def test_a_saved_calibration_can_be_loaded(tmp_path: Path) -> None:
    for saved in (CALIBRATION, replace(CALIBRATION, automation_threshold=None, intent_thresholds={"track_order": 0.8})):
        saved.save(tmp_path / "calibration.json")
        assert Calibration.load(tmp_path / "calibration.json") == saved


def test_an_old_file_without_intent_thresholds_can_be_loaded(tmp_path: Path) -> None:
    file = tmp_path / "calibration.json"
    CALIBRATION.save(file)
    older = json.loads(file.read_text())
    del older["intent_thresholds"]
    file.write_text(json.dumps(older))
    assert Calibration.load(file).intent_thresholds == {}


def test_an_intent_uses_its_own_threshold_if_there_is_one_else_the_shared_one() -> None:
    own = replace(CALIBRATION, intent_thresholds={"track_order": 0.8})
    assert (own.automation_threshold_of("track_order"), own.automation_threshold_of("get_refund")) == (0.8, 0.9)
    assert replace(own, automation_threshold=None).automation_threshold_of("get_refund") is None


def test_labels_that_are_no_candidates_share_the_rest_by_the_mean_of_the_members() -> None:
    calibrated = np.array([[0.6, 0.0, 0.0, 0.2]])
    members_mean = np.array([[0.5, 0.1, 0.3, 0.1]])
    np.testing.assert_allclose(normalise_probabilities(calibrated, members_mean), [[0.6, 0.02, 0.06, 0.2]])


def test_a_sum_above_one_is_scaled_to_one_without_a_rest() -> None:
    calibrated = np.array([[0.9, 0.0, 0.6]])
    shared = normalise_probabilities(calibrated, np.array([[0.4, 0.2, 0.4]]))
    np.testing.assert_allclose(shared, [[0.6, 0.0, 0.4]])


def test_a_text_without_a_likely_candidate_is_mostly_out_of_scope() -> None:
    shared = normalise_probabilities(np.array([[0.05, 0.05, 0.0]]), np.array([[0.45, 0.45, 0.1]]))
    assert 1 - shared.sum() > 0.8
