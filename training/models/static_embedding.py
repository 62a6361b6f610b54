"""Static word vectors from MiniLM: dense features by which tree models see that words are similar.

The features of a text are the TF-IDF weighted sum of its word vectors. Serving therefore needs only a matrix and no
encoder: the vectors are columns of `FeatureExtractor.projection`, next to the singular vectors. (Distillation of a
sentence encoder into token vectors reduced by principal components: model2vec, van Dongen & Tulkens 2024.) Measured on
BANKING77: benchmarks/LOG.md.
"""

from __future__ import annotations

import numpy as np
import torch

from frontdesk.scores import Floats
from training.models.backbones import MINILM, load_backbone
from training.models.fine_tuning import EncoderModel, pad_token_ids

WORDS_AT_ONCE = 256


def static_word_projection(words: tuple[str, ...], terms: int, components: int) -> Floats:
    """(terms, components) float32: vectors of the words, which are the first terms; zeros for all other terms."""
    vectors = _embed_words(words)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    vectors -= vectors.mean(axis=0)
    _, _, directions = np.linalg.svd(vectors, full_matrices=False)
    projection = np.zeros((terms, components), dtype=np.float32)
    basis = directions[:components].T
    projection[: len(words), : basis.shape[1]] = vectors @ basis
    return projection


def _embed_words(words: tuple[str, ...]) -> Floats:
    """(words, width): mean over the tokens of a word of the pretrained encoder's last layer."""
    backbone = load_backbone("distilbert", MINILM)
    model = EncoderModel(backbone, intents=1, sentiments=1, pooled_layers=(len(backbone.layers),), dropout=0.0).eval()
    rows = [backbone.tokenizer.encode(word).ids for word in words]
    order = sorted(range(len(rows)), key=lambda row: len(rows[row]))
    vectors = np.zeros((len(rows), backbone.width), dtype=np.float32)
    with torch.no_grad():
        for start in range(0, len(order), WORDS_AT_ONCE):
            part = order[start : start + WORDS_AT_ONCE]
            vectors[part] = model.pooled(*pad_token_ids([rows[row] for row in part])).numpy()
    return vectors
