"""The CPU base models in their own libraries: fitting on features, and prediction of probabilities.

Each task is fitted on the rows that have a label for it. The models of these libraries exist only during training;
servers run the ONNX graphs that `onnx_export.py` creates from them.
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
from training.data.labels import MISSING, EncodedLabels, Targets
from training.data.term_matrix import sparse_matrix
from training.profiles.profile import Profile

CPU_BASE_MODELS = ("logistic_regression", "random_forest", "xgboost")


class Classifier(Protocol):
    """The common interface of scikit-learn's and XGBoost's classifiers."""

    def fit(self, rows: Any, targets: Targets) -> Classifier: ...

    def predict_proba(self, rows: Any) -> NDArray[np.float64]: ...

    def set_params(self, **parameters: Any) -> Classifier: ...


@dataclass(frozen=True, slots=True)
class NativeBaseModel:
    """One base model: a classifier per task. `sparse`: it uses the sparse terms instead of the dense features."""

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


def fit_base_model(
    name: str, rows: FeatureBatch, labels: EncodedLabels, vocabulary: int, profile: Profile
) -> NativeBaseModel:
    """Fit one base model on both tasks."""
    sparse = name == "logistic_regression"
    features = sparse_matrix(rows.terms, vocabulary) if sparse else rows.dense

    def fit_task(targets: Targets) -> Classifier:
        labelled_rows = np.flatnonzero(targets != MISSING)
        model = _create_classifier(name, profile).fit(features[labelled_rows], targets[labelled_rows])
        if name == "random_forest":  # with several threads, the order of summation varies, and so do the last bits
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
