"""One training run, top to bottom: from labelled messages to a sealed bundle, in stages that can be resumed.

    prepare -> out-of-fold -> members -> meta-learner -> calibration -> evaluation -> seal

Every stage leaves files in the run's work folder, named after data, profile and code; a run that was interrupted goes
on with the first stage that is not done. Calibration and evaluation use the exported graphs through the serving code.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import frontdesk
from frontdesk.features.row import FeatureRow
from frontdesk.features.statistics import STATISTICS
from frontdesk.scores import Floats, Scores
from frontdesk.security.masking import MASKING_VERSION
from frontdesk.taxonomy import SENTIMENTS, Taxonomy
from model_store.bundle import Bundle, seal_bundle
from model_store.manifest import Manifest
from runners.ensemble import Ensemble, Judgement, load_member
from runners.models.calibration import Calibration, Platt
from runners.models.member import Batch
from runners.models.meta_learner import CandidateScorer
from training.calibration import calibrate
from training.data import Example, data_hash, intents_of
from training.evaluation import evaluate
from training.export import check_parity, export_booster, export_member
from training.members import MEMBERS, MISSING, Labels, fit_features, fit_member
from training.profile import Profile
from training.splits import Rows, Splits, folds, split
from training.stacking import fit_scorer

GOLDEN_ROWS = 16
_UNCALIBRATED = Platt(1.0, 0.0)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is: units done of all, and what is being done."""

    done: int
    total: int
    doing: str


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
    parity: dict[str, float] = field(default_factory=dict)

    def train(self, tell: Callable[[Progress], None]) -> Bundle:
        """Run every stage that is not done yet and return the sealed bundle."""
        stages = list(self._stages())
        for done, (doing, stage, output) in enumerate(stages):
            tell(Progress(done, len(stages), doing))
            marker = self._folder / f"{output}.done"
            if not marker.exists():
                stage()
                marker.touch()
        tell(Progress(len(stages), len(stages), "sealing the bundle"))
        return self._seal()

    def _stages(self) -> Iterator[tuple[str, Callable[[], None], str]]:
        yield "learning the vocabulary", self._fit_features, "features"
        for fold in range(self.profile.folds):
            yield f"fold {fold + 1} of {self.profile.folds}", lambda fold=fold: self._predict_fold(fold), f"fold-{fold}"  # type: ignore[misc]  # a bound default is not part of the Callable's type
        for name in MEMBERS:
            yield f"training {name.replace('_', ' ')}", lambda name=name: self._fit_member(name), name  # type: ignore[misc]  # the same
        yield "training the meta-learner", self._fit_meta_learner, "meta"
        yield "calibrating", self._calibrate, "calibration"
        yield "evaluating on held-out messages", self._evaluate, "evaluation"

    @cached_property
    def rows(self) -> tuple[Example, ...]:
        """The examples that take part: all, or at most `rows_per_intent` of each class, chosen by the seed."""
        limit = self.profile.rows_per_intent
        if limit is None:
            return tuple(self.examples)
        order = np.random.default_rng(self.profile.seed).permutation(len(self.examples))
        taken: dict[str | None, int] = {}
        chosen = []
        for index in order:
            label = self.examples[index].intent
            taken[label] = taken.get(label, 0) + 1
            if taken[label] <= limit:
                chosen.append(index)
        return tuple(self.examples[index] for index in sorted(chosen))

    @cached_property
    def intents(self) -> tuple[str, ...]:
        return intents_of(self.rows, self.taxonomy.labels)

    @cached_property
    def splits(self) -> Splits:
        return split(self.rows, self.profile.split, self.profile.seed)

    @cached_property
    def key(self) -> str:
        """What this run is: its data, its profile and the code. The same key resumes the same work."""
        parts = (data_hash(self.rows), self.profile.model_dump_json(), MASKING_VERSION, frontdesk.__version__)
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:12]

    @cached_property
    def _folder(self) -> Path:
        folder = self.work / self.key
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    @property
    def _draft(self) -> Path:
        return self._folder / "bundle"

    @cached_property
    def _folds(self) -> Rows:
        return folds([self.rows[row] for row in self.splits.train], self.profile.folds, self.profile.seed)

    def _texts(self, rows: Rows) -> list[str]:
        return [self.rows[row].text for row in rows]

    def _labels(self, rows: Rows) -> Labels:
        def column(label: str | None, labels: Sequence[str]) -> int:
            return MISSING if label is None else labels.index(label)

        return Labels(
            np.array([column(self.rows[row].intent, self.intents) for row in rows], dtype=np.intp),
            np.array([column(self.rows[row].sentiment, SENTIMENTS) for row in rows], dtype=np.intp),
        )

    def _out_of_scope(self, rows: Rows) -> NDArray[np.bool_]:
        return np.array([self.rows[row].out_of_scope for row in rows], dtype=np.bool_)

    def _fit_features(self) -> None:
        texts = self._texts(self.splits.train)
        fit_features(texts, self.profile.features, self.profile.seed).save(self._draft / "features")

    def _predict_fold(self, fold: int) -> None:
        """Everything the members need is fitted without the fold, the vocabulary too, then asked about the fold."""
        seen, unseen = (self.splits.train[self._folds != fold], self.splits.train[self._folds == fold])
        features = fit_features(self._texts(seen), self.profile.features, self.profile.seed)
        seen_rows, unseen_rows = features.rows(self._texts(seen)), features.rows(self._texts(unseen))
        size = features.vectoriser.size
        predicted = [
            fit_member(name, seen_rows, self._labels(seen), size, self.profile).scores(unseen_rows, size)
            for name in MEMBERS
        ]
        np.savez(
            self._folder / f"fold-{fold}.npz",
            intent=np.stack([scores.intent for scores in predicted]),
            sentiment=np.stack([scores.sentiment for scores in predicted]),
        )

    def _fit_member(self, name: str) -> None:
        """Fit on all training rows, export, and compare the graph with the model on rows that neither has seen."""
        features = FeatureRow.load(self._draft / "features", MASKING_VERSION)
        rows = features.rows(self._texts(self.splits.train))
        size = features.vectoriser.size
        member = fit_member(name, rows, self._labels(self.splits.train), size, self.profile)
        export_member(member, rows.dense.shape[1], self._draft / "members")
        texts = self._texts(self.splits.calibration)
        unseen = features.rows(texts)
        native = member.scores(unseen, size)
        exported = load_member(name, self._draft / "members", 1).scores(Batch(texts, unseen))
        off = max(
            check_parity(name, native.intent, exported.intent),
            check_parity(name, native.sentiment, exported.sentiment),
        )
        (self._folder / f"{name}.json").write_text(json.dumps({"largest_difference": off}), encoding="utf-8")

    def _out_of_fold(self) -> Scores:
        """(members, training rows, labels) for both tasks, each row by members that did not see it."""
        parts = []
        for fold in range(self.profile.folds):
            with np.load(self._folder / f"fold-{fold}.npz", allow_pickle=False) as arrays:
                parts.append((arrays["intent"], arrays["sentiment"]))
        order = np.argsort(np.concatenate([np.flatnonzero(self._folds == fold) for fold in range(len(parts))]))
        return Scores(
            np.concatenate([intent for intent, _ in parts], axis=1)[:, order],
            np.concatenate([sentiment for _, sentiment in parts], axis=1)[:, order],
        )

    def _fit_meta_learner(self) -> None:
        members = self._out_of_fold()
        labels = self._labels(self.splits.train)
        features = FeatureRow.load(self._draft / "features", MASKING_VERSION)
        statistics = features.rows(self._texts(self.splits.train)).dense[:, -len(STATISTICS) :]
        judged = self._out_of_scope(self.splits.train) | (labels.intent != MISSING)
        rated = labels.sentiment != MISSING
        settings = self.profile.meta_learner
        (self._draft / "meta").mkdir(parents=True, exist_ok=True)
        for task, scores, truth, known, top in (
            ("intent", members.intent, labels.intent, judged, settings.candidates_per_member),
            ("sentiment", members.sentiment, labels.sentiment, rated, len(SENTIMENTS)),
        ):
            booster = fit_scorer(
                scores[:, known], statistics[known], truth[known], self._folds[known], top, settings, self.profile.seed
            )
            export_booster(booster, booster.num_feature(), self._draft / "meta", task)

    def _raw_scores(self, rows: Rows) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Both candidate scorers on `rows`, through the exported graphs, before calibration."""
        features = FeatureRow.load(self._draft / "features", MASKING_VERSION)
        texts = self._texts(rows)
        batch = Batch(texts, features.rows(texts))
        members = [load_member(name, self._draft / "members", 1).scores(batch) for name in MEMBERS]
        statistics = batch.rows.dense[:, -len(STATISTICS) :]

        def scored(task: str, members_of_task: Floats, top: int) -> NDArray[np.float64]:
            return CandidateScorer(self._draft / "meta" / f"{task}.onnx", top, 1).probabilities(
                members_of_task, statistics
            )

        top = self.profile.meta_learner.candidates_per_member
        return (
            scored("intent", np.stack([scores.intent for scores in members]), top),
            scored("sentiment", np.stack([scores.sentiment for scores in members]), len(SENTIMENTS)),
        )

    def _calibrate(self) -> None:
        rows = self.splits.calibration
        intent, sentiment = self._raw_scores(rows)
        calibrate(intent, sentiment, self._labels(rows), self._out_of_scope(rows), self.profile.calibration).save(
            self._draft / "calibration.json"
        )

    def _ensemble(self) -> Ensemble:
        meta, top = self._draft / "meta", self.profile.meta_learner.candidates_per_member
        return Ensemble(
            version="draft",
            taxonomy=self.taxonomy.restricted_to(self.intents),
            sentiments=SENTIMENTS,
            features=FeatureRow.load(self._draft / "features", MASKING_VERSION),
            members=tuple(load_member(name, self._draft / "members", 1) for name in MEMBERS),
            intent_scorer=CandidateScorer(meta / "intent.onnx", top, 1),
            sentiment_scorer=CandidateScorer(meta / "sentiment.onnx", len(SENTIMENTS), 1),
            calibration=Calibration.load(self._draft / "calibration.json"),
        )

    def _evaluate(self) -> None:
        ensemble = self._ensemble()
        rows = self.splits.test
        judgement = ensemble.judge(self._texts(rows))
        figures = evaluate(ensemble, judgement, self._labels(rows), self._out_of_scope(rows))
        figures["onnx_largest_difference"] = {
            name: json.loads((self._folder / f"{name}.json").read_text(encoding="utf-8"))["largest_difference"]
            for name in MEMBERS
        }
        (self._folder / "metrics.json").write_text(json.dumps(figures, indent=1), encoding="utf-8")
        self._write_golden(ensemble)
        taxonomy = json.dumps(ensemble.taxonomy.to_mapping(), indent=1, ensure_ascii=False)
        (self._draft / "taxonomy.json").write_text(taxonomy + "\n", encoding="utf-8")

    def _write_golden(self, ensemble: Ensemble) -> None:
        """Test messages spread over the set, with the ensemble's own results: what warm-up must reproduce."""
        rows = self.splits.test[np.linspace(0, len(self.splits.test) - 1, GOLDEN_ROWS).astype(int)]
        texts = self._texts(rows)
        judgement: Judgement = ensemble.judge(texts)
        golden = {"texts": texts, "intent": judgement.intent.tolist(), "sentiment": judgement.sentiment.tolist()}
        (self._draft / "golden.json").write_text(json.dumps(golden), encoding="utf-8")

    def _seal(self) -> Bundle:
        """Copy the draft beside the other bundles and seal it there; the work folder is no longer needed."""
        self.bundles.mkdir(parents=True, exist_ok=True)
        staged = self.bundles / f".{self.key}"
        shutil.rmtree(staged, ignore_errors=True)
        shutil.copytree(self._draft, staged)
        features = FeatureRow.load(staged / "features", MASKING_VERSION)
        metrics: dict[str, Any] = json.loads((self._folder / "metrics.json").read_text(encoding="utf-8"))
        splits = self.splits
        manifest = Manifest(
            version="",
            created_at=datetime.now(UTC).isoformat(timespec="seconds"),
            code_version=frontdesk.__version__,
            profile=self.profile_name,
            intents=self.intents,
            sentiments=SENTIMENTS,
            members=MEMBERS,
            candidates_per_member=self.profile.meta_learner.candidates_per_member,
            masking_version=MASKING_VERSION,
            feature_fingerprint=features.fingerprint(),
            data={
                "source": self.source,
                "sha256": data_hash(self.rows),
                "rows": len(self.rows),
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
