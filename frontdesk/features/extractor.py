"""Feature extraction from texts, shared by training and serving, and its fingerprint.

The manifest of a bundle contains the fingerprint. A server whose code computes another fingerprint does not start.
Columns, in order: the projected TF-IDF, then the text statistics. The customer history is not a model feature: only the
priority and the decision use it.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from frontdesk.features.statistics import STATISTICS, statistics
from frontdesk.features.tfidf import CHARACTER_NGRAMS, TOKENISER_VERSION, TfidfVector, Vectoriser
from frontdesk.scores import Floats
from frontdesk.verified_files import ReadableFile


@dataclass(frozen=True, slots=True)
class FeatureBatch:
    """Features of a batch: sparse `terms` for the linear model, `dense` (texts, columns) float32 for the trees."""

    terms: tuple[TfidfVector, ...]
    dense: Floats


@dataclass(frozen=True, slots=True)
class FeatureExtractor:
    """The feature definition of one bundle.

    `projection` is (terms, components) float32: the right singular vectors of the training TF-IDF (Deerwester et al.
    1990). In bundles with encoders further columns hold a static vector of each word
    (training/models/static_embedding.py).
    """

    vectoriser: Vectoriser
    projection: Floats
    masking_version: str

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the dense columns, in order."""
        return (*(f"projected_{index}" for index in range(self.projection.shape[1])), *STATISTICS)

    def extract(self, texts: Sequence[str]) -> FeatureBatch:
        """Extract the features of masked texts. The row of a text does not depend on the other texts."""
        terms = tuple(self.vectoriser.terms(text) for text in texts)
        dense = np.empty((len(texts), len(self.names)), dtype=np.float32)
        components = self.projection.shape[1]
        for row, text, sparse in zip(dense, texts, terms, strict=True):
            row[:components] = sparse.weights @ self.projection[sparse.ids]
            row[components:] = statistics(text)
        return FeatureBatch(terms, dense)

    def embed(self, text: str) -> Floats:
        """The projected columns of one masked text, (components,): similar for texts on the same topic."""
        sparse = self.vectoriser.terms(text)
        projected: Floats = sparse.weights @ self.projection[sparse.ids]
        return projected

    def fingerprint(self) -> str:
        """SHA-256 of everything that determines a row: versions, names, vocabulary, weights and projection."""
        digest = hashlib.sha256()
        definition = {
            "masking": self.masking_version,
            "tokeniser": TOKENISER_VERSION,
            "character_ngrams": CHARACTER_NGRAMS,
            "columns": self.names,
            "words": self.vectoriser.words,
            "characters": self.vectoriser.characters,
        }
        digest.update(json.dumps(definition, ensure_ascii=True, sort_keys=True).encode())
        digest.update(np.ascontiguousarray(self.vectoriser.idf).tobytes())
        digest.update(np.ascontiguousarray(self.projection).tobytes())
        return digest.hexdigest()

    def save(self, folder: Path) -> None:
        """Write vocabulary.json and projection.npz into `folder`."""
        folder.mkdir(parents=True, exist_ok=True)
        vocabulary = {"words": self.vectoriser.words, "characters": self.vectoriser.characters}
        (folder / "vocabulary.json").write_text(json.dumps(vocabulary, ensure_ascii=False), encoding="utf-8")
        np.savez(folder / "projection.npz", idf=self.vectoriser.idf, projection=self.projection)

    @classmethod
    def load(cls, folder: ReadableFile, masking_version: str) -> FeatureExtractor:
        """Read the files of `save`, without pickle."""
        vocabulary = json.loads((folder / "vocabulary.json").read_bytes())
        with np.load(io.BytesIO((folder / "projection.npz").read_bytes()), allow_pickle=False) as arrays:
            vectoriser = Vectoriser(tuple(vocabulary["words"]), tuple(vocabulary["characters"]), arrays["idf"])
            return cls(vectoriser, arrays["projection"], masking_version)
