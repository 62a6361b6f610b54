"""Terms of texts as a sparse matrix."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import scipy.sparse

from frontdesk.features.tfidf import TfidfVector


def sparse_matrix(terms: Sequence[TfidfVector], vocabulary: int) -> scipy.sparse.csr_matrix:
    """(texts, vocabulary) matrix in CSR format with the term weights of the texts."""
    starts = np.cumsum([0, *(len(text.ids) for text in terms)])
    weights = np.concatenate([text.weights for text in terms])
    ids = np.concatenate([text.ids for text in terms])
    return scipy.sparse.csr_matrix((weights, ids, starts), shape=(len(terms), vocabulary))
