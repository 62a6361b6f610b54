"""One training run, top to bottom: from labelled messages to a sealed bundle, in stages that can be resumed.

    features -> predictions on unseen rows -> members -> meta-learner -> calibration -> evaluation -> seal

The meta-learner learns only from predictions for rows that the member did not see. Without encoders these are the
out-of-fold predictions of all training rows. With encoders, which cost minutes where the others cost seconds, they are
those of one fold, the blend: an encoder is trained once, without it, and its int8 graph is asked about it, so that the
meta-learner learns from the very function that is served. The other members are trained again on all rows.

Every stage leaves files in the run's work folder, named after data, profile and code; a run that was interrupted goes
on with the first stage that is not done. Calibration and evaluation use the exported graphs through the serving code.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np

import frontdesk
from frontdesk.features.row import FeatureRow, FeatureRows
from frontdesk.features.statistics import STATISTICS
from frontdesk.scores import Floats, Scores
from frontdesk.security.masking import MASKING_VERSION
from frontdesk.taxonomy import SENTIMENTS, Taxonomy
from model_store.bundle import Bundle, seal_bundle
from model_store.manifest import Manifest
from runners.ensemble import Ensemble, load_member
from runners.models.calibration import Calibration, Doubles
from runners.models.encoder import Encoder, Precision, dropout_masks
from runners.models.member import Batch
from runners.models.meta_learner import CandidateScorer
from runners.warm_up import golden_precisions
from training.calibration import calibrate
from training.curves import FOLDER as CURVES
from training.curves import write_curve
from training.data import Example, data_hash
from training.evaluation import error_detection, evaluate
from training.export import check_parity, export_booster, export_member
from training.held_out import write_held_out
from training.members import MEMBERS, MISSING, fit_features, fit_member
from training.partition import Partition
from training.profile import Profile, check_libraries
from training.splits import Rows, folds
from training.stacking import fit_scorer
from training.stages import CHEAP_STAGE, ENCODER_ROW, Progress, Share, Stage

GOLDEN_ROWS = 16
SAMPLES = 32  # of the heads under dropout
PRECISIONS: tuple[Precision, ...] = ("fp32", "fp16", "int8")
_NO_ROWS = FeatureRows((), np.empty((0, 0), dtype=np.float32))  # encoders read texts alone


@dataclass
class TrainingRun:
    """The inputs of a run and where it works. `train()` does the work and tells its progress."""

    examples: Sequence[Example]
    profile: Profile
    profile_name: str
    taxonomy: Taxonomy
    source: str
    work: Path
    bundles: Path

    def train(self, tell: Callable[[Progress], None]) -> Bundle:
        """Run every stage that is not done yet and return the sealed bundle.

        Raises:
            ConfigurationError: when a library that the profile needs is not installed.
            BundleError: when a graph does not do what its model does.
        """
        check_libraries(self.profile)
        stages = list(self._stages())
        total, done = sum(stage.cost for stage in stages), 0.0
        for stage in stages:
            marker = self._folder / f"{stage.output}.done"
            if not marker.exists():
                tell(Progress(done, total, stage.doing))  # not of skipped ones: they would count as speed
                stage.work(self._share_of(stage, done, total, tell))
                marker.touch()
            done += stage.cost
        tell(Progress(total, total, "sealing the bundle"))
        return self._seal()

    @staticmethod
    def _share_of(stage: Stage, done: float, total: float, tell: Callable[[Progress], None]) -> Share:
        return lambda share: tell(Progress(done + share * stage.cost, total, stage.doing))

    def _stages(self) -> Iterator[Stage]:
        yield Stage("learning the vocabulary", 1.0, self._fit_features, "features")
        for fold in range(self.data.predicted_folds):
            doing = f"fold {fold + 1} of {self.data.predicted_folds}"
            yield Stage(doing, CHEAP_STAGE, partial(self._predict_fold, fold), f"fold-{fold}")
        for name in MEMBERS:
            yield Stage(name.replace("_", " "), CHEAP_STAGE / 2, partial(self._fit_member, name), name)
        for name, encoder in self.profile.encoders.items():
            cost = encoder.epochs * len(self.data.beside_blend) * ENCODER_ROW * encoder.relative_cost
            yield Stage(f"fine-tuning {name}", cost, partial(self._fit_encoder, name), name)
        yield Stage("meta-learner", CHEAP_STAGE / 2, self._fit_meta_learner, "meta")
        yield Stage("calibrating", 2.0, self._calibrate, "calibration")
        yield Stage("evaluating on held-out messages", 4.0, self._evaluate, "evaluation")

    @cached_property
    def data(self) -> Partition:
        """Who learns from which rows."""
        return Partition(self.examples, self.profile, self.taxonomy.labels)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The members, in the order of every stack of probabilities."""
        return (*MEMBERS, *self.profile.encoders)

    @cached_property
    def key(self) -> str:
        """What this run is: its data, its profile and the code. The same key resumes the same work."""
        parts = (data_hash(self.data.rows), self.profile.model_dump_json(), MASKING_VERSION, frontdesk.__version__)
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:12]

    @cached_property
    def _folder(self) -> Path:
        folder = self.work / self.key
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    @property
    def _draft(self) -> Path:
        return self._folder / "bundle"

    def _fit_features(self, _: Share) -> None:
        texts = self.data.texts(self.data.splits.train)
        fit_features(texts, self.profile.features, self.profile.seed).save(self._draft / "features")

    def _predict_fold(self, fold: int, _: Share) -> None:
        """Everything the members need is fitted without the fold, the vocabulary too, then asked about the fold."""
        seen, unseen = (
            self.data.splits.train[self.data.folds != fold],
            self.data.splits.train[self.data.folds == fold],
        )
        features = fit_features(self.data.texts(seen), self.profile.features, self.profile.seed)
        seen_rows, unseen_rows = features.rows(self.data.texts(seen)), features.rows(self.data.texts(unseen))
        size = features.vectoriser.size
        predicted = [
            fit_member(name, seen_rows, self.data.labels(seen), size, self.profile).scores(unseen_rows, size)
            for name in MEMBERS
        ]
        np.savez(
            self._folder / f"fold-{fold}.npz",
            intent=np.stack([scores.intent for scores in predicted]),
            sentiment=np.stack([scores.sentiment for scores in predicted]),
        )

    def _fit_member(self, name: str, _: Share) -> None:
        """Fit on all training rows, export, and compare the graph with the model on rows that neither has seen."""
        features = FeatureRow.load(self._draft / "features", MASKING_VERSION)
        rows = features.rows(self.data.texts(self.data.splits.train))
        size = features.vectoriser.size
        member = fit_member(name, rows, self.data.labels(self.data.splits.train), size, self.profile)
        export_member(member, rows.dense.shape[1], self._draft / "members")
        texts = self.data.texts(self.data.splits.calibration)
        unseen = features.rows(texts)
        native = member.scores(unseen, size)
        exported = load_member(name, self._draft / "members", 1).scores(Batch(texts, unseen))
        off = max(
            check_parity(name, native.intent, exported.intent),
            check_parity(name, native.sentiment, exported.sentiment),
        )
        (self._folder / f"{name}.json").write_text(json.dumps({"largest_difference": off}), encoding="utf-8")

    def _fit_encoder(self, name: str, share: Share) -> None:
        """Fine-tune without the blend, export, compare the graphs with the encoder on unseen rows, score the blend."""
        from training.encoder import fit_encoder
        from training.export_encoder import check_agreement, check_fp32, export_encoder, largest_difference

        settings, rows = self.profile.encoders[name], self.data.beside_blend
        labels = self.data.labels(rows)
        encoder = fit_encoder(self.data.texts(rows), labels, len(self.data.intents), len(SENTIMENTS), settings, share)
        write_curve(encoder.curve, self._draft / CURVES / f"{name}.json")
        export_encoder(encoder, name, self._draft / "members")
        calibration = self.data.splits.calibration
        unseen = Batch(self.data.texts(calibration[self.data.labels(calibration).intent != MISSING]), _NO_ROWS)
        native = encoder.scores(unseen.texts)
        scores = {precision: self._encoder(name, precision).scores(unseen) for precision in PRECISIONS}
        parity = {
            "largest_difference": check_fp32(name, native, scores["fp32"]),
            "fp16_largest_difference": largest_difference(native, scores["fp16"]),
            "int8_largest_difference": largest_difference(native, scores["int8"]),
            "int8_agreement": check_agreement(name, native, scores["int8"], self.profile.least_int8_agreement),
        }
        blend = self._encoder(name, "int8").scores(Batch(self.data.texts(self.data.stacking), _NO_ROWS))
        np.savez(self._folder / f"blend-{name}.npz", intent=blend.intent[None], sentiment=blend.sentiment[None])
        (self._folder / f"{name}.json").write_text(json.dumps(parity), encoding="utf-8")

    def _encoder(self, name: str, precision: Precision) -> Encoder:
        return Encoder(name, self._draft / "members", 1, precision=precision)

    def _unseen_predictions(self) -> Scores:
        """(members, stacking rows, labels) for both tasks, each row by members that did not see it."""
        folds_of_members = [self._saved(f"fold-{fold}") for fold in range(self.data.predicted_folds)]
        places = [np.flatnonzero(self.data.folds == fold) for fold in range(self.data.predicted_folds)]
        order = np.argsort(np.concatenate(places))
        intent = np.concatenate([scores.intent for scores in folds_of_members], axis=1)[:, order]
        sentiment = np.concatenate([scores.sentiment for scores in folds_of_members], axis=1)[:, order]
        encoders = [self._saved(f"blend-{name}") for name in self.profile.encoders]
        return Scores(
            np.concatenate([intent, *(scores.intent for scores in encoders)]),
            np.concatenate([sentiment, *(scores.sentiment for scores in encoders)]),
        )

    def _saved(self, name: str) -> Scores:
        with np.load(self._folder / f"{name}.npz", allow_pickle=False) as arrays:
            return Scores(arrays["intent"], arrays["sentiment"])

    def _fit_meta_learner(self, _: Share) -> None:
        rows = self.data.stacking
        members = self._unseen_predictions()
        labels = self.data.labels(rows)
        features = FeatureRow.load(self._draft / "features", MASKING_VERSION)
        statistics = features.rows(self.data.texts(rows)).dense[:, -len(STATISTICS) :]
        judged = self.data.out_of_scope(rows) | (labels.intent != MISSING)
        parts = folds([self.data.rows[row] for row in rows], self.profile.folds, self.profile.seed)
        rated = labels.sentiment != MISSING
        settings = self.profile.meta_learner
        (self._draft / "meta").mkdir(parents=True, exist_ok=True)
        for task, scores, truth, known, top in (
            ("intent", members.intent, labels.intent, judged, settings.candidates_per_member),
            ("sentiment", members.sentiment, labels.sentiment, rated, len(SENTIMENTS)),
        ):
            booster = fit_scorer(
                self.names,
                scores[:, known],
                statistics[known],
                truth[known],
                parts[known],
                top,
                settings,
                self.profile.seed,
            )
            export_booster(booster, booster.num_feature(), self._draft / "meta", task)

    def _raw_scores(self, rows: Rows) -> tuple[Doubles, Doubles, Floats]:
        """Both candidate scorers on `rows` before calibration and the members' mean intents, by exported graphs."""
        features = FeatureRow.load(self._draft / "features", MASKING_VERSION)
        texts = self.data.texts(rows)
        batch = Batch(texts, features.rows(texts))
        members = [load_member(name, self._draft / "members", 1).scores(batch) for name in self.names]
        statistics = batch.rows.dense[:, -len(STATISTICS) :]

        def scored(task: str, members_of_task: Floats, top: int) -> Doubles:
            return CandidateScorer(self._draft / "meta" / f"{task}.onnx", top, 1).probabilities(
                members_of_task, statistics
            )

        top = self.profile.meta_learner.candidates_per_member
        intents = np.stack([scores.intent for scores in members])
        sentiments = np.stack([scores.sentiment for scores in members])
        return (
            scored("intent", intents, top),
            scored("sentiment", sentiments, len(SENTIMENTS)),
            intents.mean(axis=0),
        )

    def _calibrate(self, _: Share) -> None:
        rows = self.data.splits.calibration
        learned = calibrate(
            *self._raw_scores(rows), self.data.labels(rows), self.data.out_of_scope(rows), self.profile.calibration
        )
        learned.save(self._draft / "calibration.json")

    def _ensemble(self, precision: Precision = "int8") -> Ensemble:
        meta, top = self._draft / "meta", self.profile.meta_learner.candidates_per_member
        return Ensemble(
            version="draft",
            taxonomy=self.taxonomy.restricted_to(self.data.intents),
            sentiments=SENTIMENTS,
            features=FeatureRow.load(self._draft / "features", MASKING_VERSION),
            members=tuple(load_member(name, self._draft / "members", 1, precision=precision) for name in self.names),
            intent_scorer=CandidateScorer(meta / "intent.onnx", top, 1),
            sentiment_scorer=CandidateScorer(meta / "sentiment.onnx", len(SENTIMENTS), 1),
            calibration=Calibration.load(self._draft / "calibration.json"),
        )

    def _evaluate(self, _: Share) -> None:
        ensemble = self._ensemble()
        rows = self.data.splits.test
        judgement = ensemble.judge(self.data.texts(rows))
        figures = evaluate(ensemble, judgement, self.data.labels(rows), self.data.out_of_scope(rows))
        figures["error_detection"] = error_detection(
            judgement, self.data.labels(rows), self._intent_samples(ensemble, self.data.texts(rows))
        )
        figures["onnx"] = {
            name: json.loads((self._folder / f"{name}.json").read_text(encoding="utf-8")) for name in self.names
        }
        (self._folder / "metrics.json").write_text(json.dumps(figures, indent=1), encoding="utf-8")
        self._write_golden()
        taxonomy = json.dumps(ensemble.taxonomy.to_mapping(), indent=1, ensure_ascii=False)
        (self._draft / "taxonomy.json").write_text(taxonomy + "\n", encoding="utf-8")

    def _intent_samples(self, ensemble: Ensemble, texts: Sequence[str]) -> list[Floats]:
        """Of each encoder, (texts, samples, intents) under dropout of the head."""
        return [
            member.intent_samples(
                texts,
                dropout_masks(self.profile.seed, SAMPLES, member.width, self.profile.encoders[member.name].dropout),
            )
            for member in ensemble.members
            if isinstance(member, Encoder)
        ]

    def _write_golden(self) -> None:
        """Test messages spread over the set, with the ensemble's own results in each precision that a CPU runs: what
        warm-up must reproduce.
        """
        rows = self.data.splits.test[np.linspace(0, len(self.data.splits.test) - 1, GOLDEN_ROWS).astype(int)]
        texts = self.data.texts(rows)
        judged = {precision: self._ensemble(precision).judge(texts) for precision in golden_precisions(self.names)}
        golden = {
            "texts": texts,
            "expected": {
                precision: {"intent": judgement.intent.tolist(), "sentiment": judgement.sentiment.tolist()}
                for precision, judgement in judged.items()
            },
        }
        (self._draft / "golden.json").write_text(json.dumps(golden), encoding="utf-8")

    def _seal(self) -> Bundle:
        """Copy the draft beside the other bundles and seal it there; the work folder is no longer needed."""
        self.bundles.mkdir(parents=True, exist_ok=True)
        staged = self.bundles / f".{self.key}"
        shutil.rmtree(staged, ignore_errors=True)
        shutil.copytree(self._draft, staged)
        write_held_out([self.data.rows[row] for row in self.data.splits.test], staged)
        features = FeatureRow.load(staged / "features", MASKING_VERSION)
        metrics: dict[str, Any] = json.loads((self._folder / "metrics.json").read_text(encoding="utf-8"))
        splits = self.data.splits
        manifest = Manifest(
            version="",
            created_at=datetime.now(UTC).isoformat(timespec="seconds"),
            code_version=frontdesk.__version__,
            profile=self.profile_name,
            intents=self.data.intents,
            sentiments=SENTIMENTS,
            members=self.names,
            candidates_per_member=self.profile.meta_learner.candidates_per_member,
            masking_version=MASKING_VERSION,
            feature_fingerprint=features.fingerprint(),
            data={
                "source": self.source,
                "sha256": data_hash(self.data.rows),
                "rows": len(self.data.rows),
                "train": len(splits.train),
                "calibration": len(splits.calibration),
                "test": len(splits.test),
            },
            metrics=metrics,
            files={},
        )
        bundle = seal_bundle(staged, replace(manifest))
        shutil.rmtree(self._folder)
        return bundle
