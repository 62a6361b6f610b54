"""One training run from top to bottom: labelled messages in, a sealed bundle out, in resumable stages.

    features -> base models -> their predictions -> meta-learner -> calibration -> fallbacks -> evaluation -> seal

The meta-learner is trained only on predictions for rows that the base models were not trained on. With encoders, which
take minutes to train instead of seconds, these are separate stacking rows: each base model is trained once without
them, and its exported graph predicts them, so that the meta-learner is trained on the same functions that are served.
Without encoders, out-of-fold predictions for all training rows are used.

Each stage writes files to the run's work folder, whose name is a hash of data, profile and code. An interrupted run
continues with the first stage that is not completed. Calibration and evaluation use the exported graphs and the serving
code.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np

import frontdesk
from frontdesk.features.extractor import FeatureBatch, FeatureExtractor
from frontdesk.masking import MASKING_VERSION
from frontdesk.taxonomy import SENTIMENTS, Taxonomy
from model_store.bundle import Bundle, seal_bundle
from model_store.manifest import Manifest
from runners.ensemble.ensemble import FALLBACKS_FOLDER, Ensemble, load_member, open_meta_learner_scorers
from runners.ensemble.warm_up import golden_precisions, golden_results
from runners.models.base_model import ModelBatch
from runners.models.calibration import Calibration
from runners.models.onnx_encoder import Encoder, Precision
from training.data.examples import Example, data_hash
from training.data.held_out import write_held_out
from training.data.labels import MISSING
from training.data.row_roles import TrainingRunRows
from training.data.splits import Rows
from training.evaluation.batch_scoring import score_all
from training.evaluation.run_metrics import RunEvaluation
from training.models.base_model_scores import BaseModelScores
from training.models.base_models import CPU_BASE_MODELS, fit_base_model
from training.models.curves import FOLDER as CURVES
from training.models.curves import write_curve
from training.models.feature_fitting import fit_features
from training.models.meta_learning import calibrate_meta_learner, fallback_members, fit_meta_learner
from training.models.onnx_export import check_parity, export_base_model
from training.parallel_jobs import release_free_memory, run_parallel
from training.profiles.profile import Profile, check_libraries
from training.progress import CHEAP_STAGE, ENCODER_PASS, Progress, ReportFraction, RunStage

GOLDEN_ROWS = 16
PRECISIONS: tuple[Precision, ...] = ("fp32", "fp16", "int8")
_NO_ROWS = FeatureBatch((), np.empty((0, 0), dtype=np.float32))  # encoders only use the texts


@dataclass
class TrainingRun:
    """Inputs and folders of a run. `train()` runs it and reports its progress."""

    examples: Sequence[Example]
    profile: Profile
    profile_name: str
    taxonomy: Taxonomy
    source: str
    work: Path
    bundles: Path
    masking_version: str = MASKING_VERSION
    """Version of the masking of `examples`, with its tagger of names (`frontdesk.masking.masker`)."""

    def train(self, on_progress: Callable[[Progress], None]) -> Bundle:
        """Run all stages that are not completed yet and return the sealed bundle.

        Raises:
            ConfigurationError: a library that the profile needs is not installed.
            BundleError: an exported graph differs from its model.
        """
        check_libraries(self.profile)
        stages = list(self._stages())
        total, completed = sum(stage.cost for stage in stages), 0.0
        for stage in stages:
            marker = self._work_folder / f"{stage.marker_name}.done"
            if not marker.exists():
                on_progress(Progress(completed, total, stage.step))  # skipped stages would distort the speed estimate
                stage.work(self._stage_progress_reporter(stage, completed, total, on_progress))
                marker.touch()
            completed += stage.cost
        on_progress(Progress(total, total, "sealing the bundle"))
        return self._seal_bundle()

    @staticmethod
    def _stage_progress_reporter(
        stage: RunStage, completed: float, total: float, on_progress: Callable[[Progress], None]
    ) -> ReportFraction:
        return lambda share: on_progress(Progress(completed + share * stage.cost, total, stage.step))

    def _stages(self) -> Iterator[RunStage]:
        yield RunStage("learning the vocabulary", 1.0, self._fit_features, "features")
        if self.data.stacks_out_of_fold:
            for fold in range(self.profile.folds):
                step = f"fold {fold + 1} of {self.profile.folds}"
                yield RunStage(step, CHEAP_STAGE, partial(self._predict_fold, fold), f"fold-{fold}")
        for name in CPU_BASE_MODELS:
            yield RunStage(name.replace("_", " "), CHEAP_STAGE / 2, partial(self._fit_base_model, name), name)
        if encoders := self.profile.encoders:
            passes = sum(encoder.forward_passes_per_row * encoder.relative_cost for encoder in encoders.values())
            cost = len(self.data.splits.train) * passes * ENCODER_PASS
            yield RunStage(f"fine-tuning {' and '.join(encoders)}", cost, self._fit_encoders, "encoders")
        yield RunStage("meta-learner", CHEAP_STAGE / 2, self._fit_meta_learner, "meta")
        yield RunStage("calibrating", 2.0, self._calibrate, "calibration")
        if reserves := fallback_members(self.base_model_names):
            yield RunStage("fallback ensembles", len(reserves) * CHEAP_STAGE / 4, self._fit_fallbacks, "reserves")
        yield RunStage("evaluating on held-out messages", 4.0, self._evaluate, "evaluation")

    @cached_property
    def data(self) -> TrainingRunRows:
        """The rows of the run and their roles."""
        return TrainingRunRows(self.examples, self.profile, self.taxonomy.labels)

    @cached_property
    def base_model_names(self) -> tuple[str, ...]:
        """Names of the base models, in the order of all arrays of probabilities."""
        return (*CPU_BASE_MODELS, *self.profile.encoders)

    @cached_property
    def key(self) -> str:
        """Hash of data, profile and code version. A run with the same key resumes the same work."""
        parts = (data_hash(self.data.rows), self.profile.model_dump_json(), self.masking_version, frontdesk.__version__)
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:12]

    @cached_property
    def _work_folder(self) -> Path:
        folder = self.work / self.key
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    @property
    def _draft_bundle_folder(self) -> Path:
        return self._work_folder / "bundle"

    @property
    def _features(self) -> FeatureExtractor:
        return FeatureExtractor.load(self._draft_bundle_folder / "features", MASKING_VERSION)

    def _fit_features(self, _: ReportFraction) -> None:
        texts = self.data.texts(self.data.splits.train)
        fit_features(texts, self.profile.features, self.profile.seed).save(self._draft_bundle_folder / "features")

    def _predict_fold(self, fold: int, _: ReportFraction) -> None:
        """Fit vocabulary and base models without the fold, then predict the fold."""
        train, folds = self.data.splits.train, self.data.folds
        other_rows, fold_rows = train[folds != fold], train[folds == fold]
        features = fit_features(self.data.texts(other_rows), self.profile.features, self.profile.seed)
        other_features, fold_features = (
            features.extract(self.data.texts(other_rows)),
            features.extract(self.data.texts(fold_rows)),
        )
        size = features.vectoriser.size
        predicted = [
            fit_base_model(name, other_features, self.data.labels(other_rows), size, self.profile).scores(
                fold_features, size
            )
            for name in CPU_BASE_MODELS
        ]
        BaseModelScores.of(predicted, fold_features).save(self._work_folder / f"fold-{fold}.npz")

    def _fit_base_model(self, name: str, _: ReportFraction) -> None:
        """Fit a base model, export it, and compare graph and model on the calibration rows."""
        train, unseen = self.data.splits.train, self.data.splits.calibration
        rows = self._features.extract(self.data.texts(train))
        size = self._features.vectoriser.size
        model = fit_base_model(name, rows, self.data.labels(train), size, self.profile)
        export_base_model(model, rows.dense.shape[1], self._draft_bundle_folder / "members")
        native = model.scores(self._features.extract(self.data.texts(unseen)), size)
        exported = self._score_rows(unseen, (name,))
        difference = max(
            check_parity(name, native.intent, exported.intent[0]),
            check_parity(name, native.sentiment, exported.sentiment[0]),
        )
        (self._work_folder / f"{name}.json").write_text(
            json.dumps({"largest_difference": difference}), encoding="utf-8"
        )

    def _fit_encoders(self, share: ReportFraction) -> None:
        """Fine-tune all encoders that are not completed yet, in parallel. Each takes minutes and cannot be resumed."""
        pending = [name for name in self.profile.encoders if not (self._work_folder / f"{name}.json").exists()]
        run_parallel({name: partial(self.fit_encoder, name) for name in pending}, share)

    def fit_encoder(self, name: str, share: ReportFraction) -> None:
        """Fine-tune an encoder, export it, and compare the graphs with it on the calibration rows."""
        from training.models.encoder_export import (
            check_fp32_difference,
            check_int8_agreement,
            export_encoder,
            largest_difference,
        )
        from training.models.fine_tuning import fit_encoder

        settings, rows = self.profile.encoders[name], self.data.splits.train
        labels = self.data.labels(rows)
        encoder = fit_encoder(self.data.texts(rows), labels, len(self.data.intents), len(SENTIMENTS), settings, share)
        release_free_memory()
        write_curve(encoder.curve, self._draft_bundle_folder / CURVES / f"{name}.json")
        export_encoder(encoder, name, self._draft_bundle_folder / "members")
        calibration = self.data.splits.calibration
        unseen = ModelBatch(self.data.texts(calibration[self.data.labels(calibration).intent != MISSING]), _NO_ROWS)
        native = encoder.scores(unseen.texts)
        scores = {
            precision: Encoder(name, self._draft_bundle_folder / "members", 1, precision=precision).scores(unseen)
            for precision in PRECISIONS
        }
        sampled = encoder.intents_under_dropout(
            self.data.texts(self.data.splits.test[self.data.full_dropout_test_rows]), settings.seed
        )
        np.savez(self._work_folder / f"full-dropout-{name}.npz", mean=sampled.mean, entropy=sampled.entropy)
        parity = {
            "largest_difference": check_fp32_difference(name, native, scores["fp32"]),
            "fp16_largest_difference": largest_difference(native, scores["fp16"]),
            "int8_largest_difference": largest_difference(native, scores["int8"]),
            "int8_agreement": check_int8_agreement(name, native, scores["int8"], self.profile.least_int8_agreement),
        }
        (self._work_folder / f"{name}.json").write_text(json.dumps(parity), encoding="utf-8")

    def _score_rows(self, part: Rows, names: Sequence[str] | None = None) -> BaseModelScores:
        """Scores of base models for rows, from their exported graphs; `names` defaults to all."""
        members = [
            load_member(name, self._draft_bundle_folder / "members", 1) for name in names or self.base_model_names
        ]
        return score_all(members, self._features, self.data.texts(part))

    def _load_stacking_scores(self) -> BaseModelScores:
        """Scores for the stacking rows, from base models that were not trained on them."""
        if not self.data.stacks_out_of_fold:
            return self._score_rows(self.data.splits.stacking)
        numbers = range(self.profile.folds)
        positions = np.concatenate([np.flatnonzero(self.data.folds == fold) for fold in numbers])
        parts = [BaseModelScores.load(self._work_folder / f"fold-{fold}.npz") for fold in numbers]
        return BaseModelScores.merge(parts, np.argsort(positions))

    def _fit_meta_learner(self, _: ReportFraction) -> None:
        """Fit the meta-learner. The scores are saved for the fallback ensembles and the ablation."""
        scores = self._load_stacking_scores()
        scores.save(self._work_folder / "stacking.npz")
        fit_meta_learner(self.base_model_names, scores, self.data, self._draft_bundle_folder / "meta")

    def _calibrate(self, _: ReportFraction) -> None:
        scores = self._score_rows(self.data.splits.calibration)
        scores.save(self._work_folder / "calibration.npz")
        calibrate_meta_learner(scores, self.data, self._draft_bundle_folder / "meta").save(
            self._draft_bundle_folder / "calibration.json"
        )

    def _fit_fallbacks(self, _: ReportFraction) -> None:
        """Fit and calibrate a meta-learner for each fallback ensemble."""
        stacking, calibration = (
            BaseModelScores.load(self._work_folder / f"{part}.npz") for part in ("stacking", "calibration")
        )
        for name, members in fallback_members(self.base_model_names).items():
            folder, indices = (
                self._draft_bundle_folder / FALLBACKS_FOLDER / name,
                [self.base_model_names.index(member) for member in members],
            )
            fit_meta_learner(members, stacking.select_models(indices), self.data, folder)
            calibrated = calibrate_meta_learner(calibration.select_models(indices), self.data, folder)
            calibrated.save(folder / "calibration.json")

    def _load_ensemble(self, precision: Precision = "int8") -> Ensemble:
        top = self.profile.meta_learner.candidates_per_member
        intent_scorer, sentiment_scorer = open_meta_learner_scorers(
            self._draft_bundle_folder / "meta", top, len(SENTIMENTS), 1
        )
        ensemble = Ensemble(
            version="draft",
            taxonomy=self.taxonomy.with_labels(self.data.intents),
            sentiments=SENTIMENTS,
            features=self._features,
            members=tuple(
                load_member(name, self._draft_bundle_folder / "members", 1, precision=precision)
                for name in self.base_model_names
            ),
            intent_scorer=intent_scorer,
            sentiment_scorer=sentiment_scorer,
            calibration=Calibration.load(self._draft_bundle_folder / "calibration.json"),
        )
        return ensemble.with_fallbacks(
            fallback_members(self.base_model_names),
            self._draft_bundle_folder / FALLBACKS_FOLDER,
            candidates_per_member=top,
            threads=1,
        )

    def _evaluate(self, _: ReportFraction) -> None:
        ensemble = self._load_ensemble()
        metrics = RunEvaluation(self.data, ensemble, self._work_folder).compute_metrics()
        (self._work_folder / "metrics.json").write_text(json.dumps(metrics, indent=1), encoding="utf-8")
        self._write_golden_rows()
        taxonomy = json.dumps(ensemble.taxonomy.to_mapping(), indent=1, ensure_ascii=False)
        (self._draft_bundle_folder / "taxonomy.json").write_text(taxonomy + "\n", encoding="utf-8")

    def _write_golden_rows(self) -> None:
        """Write evenly spaced test messages with the results of each precision that a CPU runs; warm-up checks them."""
        rows = self.data.splits.test[np.linspace(0, len(self.data.splits.test) - 1, GOLDEN_ROWS).astype(int)]
        texts = self.data.texts(rows)
        expected = {
            precision: golden_results(self._load_ensemble(precision), texts)
            for precision in golden_precisions(self.base_model_names)
        }
        golden = {"texts": texts, "expected": expected}
        (self._draft_bundle_folder / "golden.json").write_text(json.dumps(golden), encoding="utf-8")

    def _seal_bundle(self) -> Bundle:
        """Copy the draft into the folder of bundles, seal it there, and remove the work folder."""
        self.bundles.mkdir(parents=True, exist_ok=True)
        staged = self.bundles / f".{self.key}"
        shutil.rmtree(staged, ignore_errors=True)
        shutil.copytree(self._draft_bundle_folder, staged)
        write_held_out([self.data.rows[row] for row in self.data.splits.test], staged)
        features = FeatureExtractor.load(staged / "features", MASKING_VERSION)
        metrics: dict[str, Any] = json.loads((self._work_folder / "metrics.json").read_text(encoding="utf-8"))
        splits = self.data.splits
        manifest = Manifest(
            version="",
            created_at=datetime.now(UTC).isoformat(timespec="seconds"),
            code_version=frontdesk.__version__,
            profile=self.profile_name,
            intents=self.data.intents,
            sentiments=SENTIMENTS,
            members=self.base_model_names,
            candidates_per_member=self.profile.meta_learner.candidates_per_member,
            masking_version=self.masking_version,
            feature_fingerprint=features.fingerprint(),
            data={
                "source": self.source,
                "sha256": data_hash(self.data.rows),
                "rows": len(self.data.rows),
                "train": len(splits.train),
                "stacking": len(splits.stacking),
                "calibration": len(splits.calibration),
                "test": len(splits.test),
                "weights": {name: settings.weights for name, settings in self.profile.encoders.items()},
            },
            metrics=metrics,
            files={},
            reserves={name: list(members) for name, members in fallback_members(self.base_model_names).items()},
        )
        bundle = seal_bundle(staged, manifest)
        shutil.rmtree(self._work_folder)
        return bundle
