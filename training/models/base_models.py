"""The CPU base models in their own libraries: fitted on feature rows, asked for probabilities.

A task whose label is missing in a row does not use that row. Native models live only while training; a server runs
the ONNX graphs that `export.py` makes of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import xgboost
from numpy.typing import NDArray
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression

from frontdesk.features.extractor import FeatureBatch
from frontdesk.scores import Scores
from training.data.labels import MISSING, Labels, Targets
from training.data.term_matrix import sparse_matrix
from training.profiles.profile import Profile

CPU_BASE_MODELS = ("logistic_regression", "random_forest", "xgboost")


class Classifier(Protocol):
    """What scikit-learn's and XGBoost's classifiers have in common."""

    def fit(self, rows: Any, targets: Targets) -> Classifier: ...

    def predict_proba(self, rows: Any) -> NDArray[np.float64]: ...

    def set_params(self, **parameters: Any) -> Classifier: ...


@dataclass(frozen=True, slots=True)
class NativeBaseModel:
    """One base model: a classifier per task. `sparse` says which features it reads."""

    name: str
    sparse: bool
    intent: Classifier
    sentiment: Classifier

    def scores(self, rows: FeatureBatch, vocabulary: int) -> Scores:
        """Probabilities per task in label order, float32."""
        features = sparse_matrix(rows.terms, vocabulary) if self.sparse else rows.dense
        return Scores(
            self.intent.predict_proba(features).astype(np.float32),
            self.sentiment.predict_proba(features).astype(np.float32),
        )


def fit_base_model(name: str, rows: FeatureBatch, labels: Labels, vocabulary: int, profile: Profile) -> NativeBaseModel:
    """Fit one base model on both tasks."""
    sparse = name == "logistic_regression"
    features = sparse_matrix(rows.terms, vocabulary) if sparse else rows.dense

    def fit_task(targets: Targets) -> Classifier:
        labelled_rows = np.flatnonzero(targets != MISSING)
        model = _create_classifier(name, profile).fit(features[labelled_rows], targets[labelled_rows])
        if name == "random_forest":  # threads add up the trees in any order, so the last bits of a sum differ
            model.set_params(n_jobs=1)
        return model

    return NativeBaseModel(name, sparse, fit_task(labels.intent), fit_task(labels.sentiment))


def _create_classifier(name: str, profile: Profile) -> Classifier:
    classifier: Classifier
    if name == "logistic_regression":
        classifier = LogisticRegression(**profile.logistic_regression)
    elif name == "random_forest":
        classifier = RandomForestClassifier(**profile.random_forest, n_jobs=-1, random_state=profile.seed)
    else:
        classifier = xgboost.XGBClassifier(**profile.xgboost, tree_method="hist", n_jobs=-1, random_state=profile.seed)
    return classifier
