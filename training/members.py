"""The CPU base models in their own libraries: fitted on feature rows, asked for probabilities.

A task whose label is missing in a row does not use that row. Native models live only while training; a server runs
the ONNX graphs that `export.py` makes of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import scipy.sparse
import xgboost
from numpy.typing import NDArray
from sklearn.decomposition import TruncatedSVD
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression

from frontdesk.features.row import FeatureRow, FeatureRows
from frontdesk.features.text import Terms, Vectoriser
from frontdesk.masking import MASKING_VERSION
from frontdesk.scores import Scores
from training.data import Example
from training.profile import Features, Profile

MEMBERS = ("logistic_regression", "random_forest", "xgboost")
MISSING = -1

Targets = NDArray[np.intp]


class Classifier(Protocol):
    """What scikit-learn's and XGBoost's classifiers have in common."""

    def fit(self, rows: Any, targets: Targets) -> Classifier: ...

    def predict_proba(self, rows: Any) -> NDArray[np.float64]: ...

    def set_params(self, **parameters: Any) -> Classifier: ...


@dataclass(frozen=True, slots=True)
class Labels:
    """Column numbers per row and task, `MISSING` where a row has no label: (rows,) each."""

    intent: Targets
    sentiment: Targets


def labels_of(rows: Sequence[Example], intents: Sequence[str], sentiments: Sequence[str]) -> Labels:
    """The rows' labels as columns of `intents` and `sentiments`; one that is in neither counts as missing."""
    intent_columns = {label: column for column, label in enumerate(intents)}
    sentiment_columns = {label: column for column, label in enumerate(sentiments)}
    return Labels(
        np.array([intent_columns.get(row.intent or "", MISSING) for row in rows], dtype=np.intp),
        np.array([sentiment_columns.get(row.sentiment or "", MISSING) for row in rows], dtype=np.intp),
    )


@dataclass(frozen=True, slots=True)
class NativeMember:
    """One base model: a classifier per task. `sparse` says which features it reads."""

    name: str
    sparse: bool
    intent: Classifier
    sentiment: Classifier

    def scores(self, rows: FeatureRows, vocabulary: int) -> Scores:
        """Probabilities per task in label order, float32."""
        features = sparse_matrix(rows.terms, vocabulary) if self.sparse else rows.dense
        return Scores(
            self.intent.predict_proba(features).astype(np.float32),
            self.sentiment.predict_proba(features).astype(np.float32),
        )


def fit_features(texts: Sequence[str], settings: Features, seed: int) -> FeatureRow:
    """Learn vocabulary and projection from training texts alone; static word vectors come with MiniLM, if asked for."""
    vectoriser = Vectoriser.fit(
        texts,
        min_documents=settings.min_documents,
        max_words=settings.max_words,
        max_characters=settings.max_characters,
    )
    matrix = sparse_matrix(tuple(vectoriser.terms(text) for text in texts), vectoriser.size)
    components = min(settings.svd_components, min(matrix.shape) - 1)
    projection = TruncatedSVD(components, n_iter=4, random_state=seed).fit(matrix).components_.T
    if settings.static_components:
        from training.static_embedding import static_projection

        static = static_projection(vectoriser.words, vectoriser.size, settings.static_components)
        projection = np.concatenate([projection, static], axis=1)
    return FeatureRow(vectoriser, np.ascontiguousarray(projection, dtype=np.float32), MASKING_VERSION)


def fit_member(name: str, rows: FeatureRows, labels: Labels, vocabulary: int, profile: Profile) -> NativeMember:
    """Fit one base model on both tasks."""
    sparse = name == "logistic_regression"
    features = sparse_matrix(rows.terms, vocabulary) if sparse else rows.dense

    def fitted(targets: Targets) -> Classifier:
        known = np.flatnonzero(targets != MISSING)
        model = _classifier(name, profile).fit(features[known], targets[known])
        if name == "random_forest":  # threads add up the trees in any order, so the last bits of a sum differ
            model.set_params(n_jobs=1)
        return model

    return NativeMember(name, sparse, fitted(labels.intent), fitted(labels.sentiment))


def sparse_matrix(terms: Sequence[Terms], vocabulary: int) -> scipy.sparse.csr_matrix:
    """(texts, vocabulary) CSR of the texts' terms."""
    starts = np.cumsum([0, *(len(text.ids) for text in terms)])
    weights = np.concatenate([text.weights for text in terms])
    ids = np.concatenate([text.ids for text in terms])
    return scipy.sparse.csr_matrix((weights, ids, starts), shape=(len(terms), vocabulary))


def _classifier(name: str, profile: Profile) -> Classifier:
    made: Classifier
    if name == "logistic_regression":
        made = LogisticRegression(**profile.logistic_regression)
    elif name == "random_forest":
        made = RandomForestClassifier(**profile.random_forest, n_jobs=-1, random_state=profile.seed)
    else:
        made = xgboost.XGBClassifier(**profile.xgboost, tree_method="hist", n_jobs=-1, random_state=profile.seed)
    return made
