"""The one definition of a text's features, used by training and serving alike, and its fingerprint.

A bundle's manifest carries the fingerprint; a server whose code gives another one refuses to start. Columns, in order:
the projected TF-IDF, then the text statistics. Behavioural features are no part of it: they feed priority and decision.
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
from frontdesk.features.tfidf import CHARACTER_NGRAMS, TOKENISER_VERSION, Terms, Vectoriser
from frontdesk.scores import Floats
from frontdesk.verified_files import ReadableFile


@dataclass(frozen=True, slots=True)
class FeatureBatch:
    """Features of a batch: sparse `terms` for the linear model, `dense` (texts, columns) float32 for the trees."""

    terms: tuple[Terms, ...]
    dense: Floats


@dataclass(frozen=True, slots=True)
class FeatureExtractor:
    """The frozen feature definition of one bundle.

    `projection` is (terms, components) float32: the right singular vectors of the training TF-IDF (Deerwester et al.
    1990), and in bundles with encoders a static vector of each word beside them (training/models/static_embedding.py).
    """

    vectoriser: Vectoriser
    projection: Floats
    masking_version: str

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the dense columns, in order."""
        return (*(f"projected_{index}" for index in range(self.projection.shape[1])), *STATISTICS)

    def extract(self, texts: Sequence[str]) -> FeatureBatch:
        """Features of masked texts. A text's row does not depend on its neighbours in the batch."""
        terms = tuple(self.vectoriser.terms(text) for text in texts)
        dense = np.empty((len(texts), len(self.names)), dtype=np.float32)
        components = self.projection.shape[1]
        for row, text, sparse in zip(dense, texts, terms, strict=True):
            row[:components] = sparse.weights @ self.projection[sparse.ids]
            row[components:] = statistics(text)
        return FeatureBatch(terms, dense)

    def embed(self, text: str) -> Floats:
        """The projected columns of one masked text by themselves, (components,): alike for texts about the same."""
        sparse = self.vectoriser.terms(text)
        projected: Floats = sparse.weights @ self.projection[sparse.ids]
        return projected

    def fingerprint(self) -> str:
        """A SHA-256 over everything that decides a row: versions, names, vocabulary, weights and projection."""
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
        """Read what `save` wrote; nothing is ever unpickled."""
        vocabulary = json.loads((folder / "vocabulary.json").read_bytes())
        with np.load(io.BytesIO((folder / "projection.npz").read_bytes()), allow_pickle=False) as arrays:
            vectoriser = Vectoriser(tuple(vocabulary["words"]), tuple(vocabulary["characters"]), arrays["idf"])
            return cls(vectoriser, arrays["projection"], masking_version)
