"""RandomForest and XGBoost on dense columns, each as two ONNX graphs: one for intent, one for sentiment."""

from __future__ import annotations

from frontdesk.scores import Scores
from frontdesk.verified_files import ReadableFile
from runners.models.base_model import ModelBatch
from runners.models.onnx_session import open_session

TREE_MEMBERS = ("random_forest", "xgboost")


class TreeModel:
    """A forest or boosted trees, loaded from `<folder>/<name>.intent.onnx` and `<name>.sentiment.onnx`."""

    def __init__(self, name: str, folder: ReadableFile, threads: int) -> None:
        self.name = name
        self._intent = open_session(folder / f"{name}.intent.onnx", threads)
        self._sentiment = open_session(folder / f"{name}.sentiment.onnx", threads)

    def scores(self, batch: ModelBatch) -> Scores:
        """Return probabilities per task: intent (texts, intents) and sentiment (texts, 3), float32, rows sum to 1."""
        rows = {"rows": batch.rows.dense}
        (intent,) = self._intent.run(["probabilities"], rows)
        (sentiment,) = self._sentiment.run(["probabilities"], rows)
        return Scores(intent, sentiment)
