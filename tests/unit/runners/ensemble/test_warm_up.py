"""The golden rows select the precision, for a bundle with two small encoders."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from frontdesk.errors import BundleError
from model_store.bundle import Bundle, file_hashes
from runners.ensemble.warm_up import golden_precisions, load_warm_ensemble


def with_other_golden_rows(bundle: Bundle, folder: Path, *precisions: str) -> Bundle:
    """A copy with other golden rows for `precisions`, as if another processor had computed them."""
    path = Path(shutil.copytree(bundle.path, folder / bundle.version))
    golden = json.loads((path / "golden.json").read_text())
    for precision in precisions:
        golden["expected"][precision]["intent"][0][0] += 0.5
    (path / "golden.json").write_text(json.dumps(golden))
    return sealed_as_it_lies(path, bundle)


def sealed_as_it_lies(path: Path, bundle: Bundle) -> Bundle:
    """Return the copy at `path` with the hashes of its current files, as if the fault had been sealed."""
    return Bundle(path, replace(bundle.manifest, files=file_hashes(path)))


def with_reserve(bundle: Bundle, folder: Path, file: str, content: bytes | None) -> Bundle:
    """A copy with other bytes in a file of the fallback ensemble without encoders; None removes the file."""
    path = Path(shutil.copytree(bundle.path, folder / bundle.version))
    damaged = path / "reserves" / "without_encoders" / file
    damaged.unlink() if content is None else damaged.write_bytes(content)
    return sealed_as_it_lies(path, bundle)


def test_a_bundle_whose_fallback_ensemble_cannot_be_loaded_is_refused(encoder_bundle: Bundle, tmp_path: Path) -> None:
    with pytest.raises(BundleError, match=r"intent\.onnx"):
        load_warm_ensemble(with_reserve(encoder_bundle, tmp_path / "bent", "intent.onnx", b"no graph"), 1)
    with pytest.raises(BundleError, match=r"sentiment\.onnx"):
        load_warm_ensemble(with_reserve(encoder_bundle, tmp_path / "gone", "sentiment.onnx", None), 1)


def test_a_fallback_ensemble_with_other_results_is_detected_at_start(encoder_bundle: Bundle, tmp_path: Path) -> None:
    other = (encoder_bundle.path / "reserves" / "without_roberta" / "calibration.json").read_bytes()
    with pytest.raises(BundleError, match=r"golden rows of bundle .* without encoders come out differently"):
        load_warm_ensemble(with_reserve(encoder_bundle, tmp_path, "calibration.json", other), 1)


def test_int8_serves_if_it_reproduces_its_golden_rows(encoder_bundle: Bundle) -> None:
    ensemble = load_warm_ensemble(encoder_bundle, 1)
    assert ensemble.precision == "int8"
    assert set(ensemble.precisions.values()) == {"int8"}


def test_fp32_serves_if_int8_does_not_reproduce_its_rows_and_a_warning_is_logged(
    encoder_bundle: Bundle, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    other_bundle = with_other_golden_rows(encoder_bundle, tmp_path, "int8")
    ensemble = load_warm_ensemble(other_bundle, 1)
    assert set(ensemble.precisions.values()) == {"fp32"}
    assert "fp32 instead of int8" in caplog.text


def test_a_configured_precision_is_not_replaced(encoder_bundle: Bundle, tmp_path: Path) -> None:
    other_bundle = with_other_golden_rows(encoder_bundle, tmp_path, "int8")
    with pytest.raises(BundleError, match="golden rows"):
        load_warm_ensemble(other_bundle, 1, precision="int8")


def test_a_bundle_that_reproduces_nothing_is_refused(encoder_bundle: Bundle, tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="golden rows"):
        load_warm_ensemble(with_other_golden_rows(encoder_bundle, tmp_path, "int8", "fp32"), 1)


def test_fp16_is_compared_with_fp32_to_fewer_digits(encoder_bundle: Bundle) -> None:
    """Runs on a CPU here, which is slow, to compare the results. It has never run on a GPU."""
    assert set(load_warm_ensemble(encoder_bundle, 1, precision="fp16").precisions.values()) == {"fp16"}


def test_without_encoders_there_is_one_precision(tiny_bundle: Bundle) -> None:
    assert golden_precisions(("xgboost",)) == ("fp32",)
    assert load_warm_ensemble(tiny_bundle, 1).precisions == {}
