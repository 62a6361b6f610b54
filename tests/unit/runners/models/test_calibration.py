from __future__ import annotations

import numpy as np

from runners.models.calibration import shared_out


def test_labels_that_are_no_candidates_share_what_is_left_over_as_the_members_see_them() -> None:
    calibrated = np.array([[0.6, 0.0, 0.0, 0.2]])
    members_mean = np.array([[0.5, 0.1, 0.3, 0.1]])
    np.testing.assert_allclose(shared_out(calibrated, members_mean), [[0.6, 0.02, 0.06, 0.2]])


def test_more_than_a_whole_is_brought_down_to_one_and_leaves_nothing_over() -> None:
    calibrated = np.array([[0.9, 0.0, 0.6]])
    shared = shared_out(calibrated, np.array([[0.4, 0.2, 0.4]]))
    np.testing.assert_allclose(shared, [[0.6, 0.0, 0.4]])


def test_a_text_without_a_likely_candidate_keeps_most_of_its_mass_out_of_scope() -> None:
    shared = shared_out(np.array([[0.05, 0.05, 0.0]]), np.array([[0.45, 0.45, 0.1]]))
    assert 1 - shared.sum() > 0.8
