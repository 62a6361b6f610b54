"""Export of base models and meta-learner to ONNX graphs, and the parity check of each graph with its native model.

Graphs get fixed names: converters would generate random ones, and the bytes would differ between identical runs.
"""

from __future__ import annotations

from pathlib import Path

import lightgbm
import numpy as np
import onnx
import onnxmltools
import skl2onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from onnxmltools.convert.common.data_types import FloatTensorType as FloatRows
from skl2onnx.common.data_types import FloatTensorType
from sklearn.linear_model import LogisticRegression as NativeLogisticRegression

from frontdesk.errors import BundleError
from training.models.base_models import NativeBaseModel

OPSET = 18
MAX_DIFFERENCE = 1e-5


def export_base_model(member: NativeBaseModel, columns: int, folder: Path) -> None:
    """Write the graphs of a base model into `folder`, with the file names that `runners.models` expects."""
    if member.sparse:
        _save(_linear_graph(member), folder / f"{member.name}.onnx")
        return
    for task, classifier in (("intent", member.intent), ("sentiment", member.sentiment)):
        if member.name == "random_forest":
            graph = skl2onnx.convert_sklearn(
                classifier,
                name=member.name,
                initial_types=[("rows", FloatTensorType([None, columns]))],
                options={"zipmap": False},
                target_opset=OPSET,
            )
        else:
            graph = onnxmltools.convert_xgboost(
                classifier, name=member.name, initial_types=[("rows", FloatRows([None, columns]))], target_opset=15
            )
        _save(_keep_only_probabilities(graph), folder / f"{member.name}.{task}.onnx")


def export_booster(booster: lightgbm.Booster, columns: int, folder: Path, task: str) -> None:
    """Write a candidate scorer as `<task>.onnx` for serving and as LightGBM text, `<task>.txt`."""
    graph = onnxmltools.convert_lightgbm(
        booster, name=task, initial_types=[("rows", FloatRows([None, columns]))], target_opset=15, zipmap=False
    )
    _save(_keep_only_probabilities(graph), folder / f"{task}.onnx")
    booster.save_model(folder / f"{task}.txt")


def check_parity(name: str, native: NDArray[np.float32], exported: NDArray[np.float32]) -> float:
    """The largest difference of probabilities between a native model and its graph on the same rows.

    Raises:
        BundleError: the difference is above `MAX_DIFFERENCE`.
    """
    difference = float(np.abs(native - exported).max())
    if difference > MAX_DIFFERENCE:
        raise BundleError(f"The ONNX graph of {name} differs from the trained model by {difference:.2g}.", field=name)
    return difference


def _linear_graph(member: NativeBaseModel) -> onnx.ModelProto:
    """Build the graph of logistic regression: gather the weights of a text's terms, sum them, softmax per head."""
    heads = {"intent": member.intent, "sentiment": member.sentiment}
    weights = np.concatenate([_multinomial_parameters(head)[0] for head in heads.values()], axis=1)
    bias = np.concatenate([_multinomial_parameters(head)[1] for head in heads.values()])
    sizes = np.array([len(_multinomial_parameters(head)[1]) for head in heads.values()], dtype=np.int64)
    constants = {"weights": weights.astype(np.float32), "bias": bias.astype(np.float32), "sizes": sizes}
    constants["middle"] = np.array([1], dtype=np.int64)
    nodes = [
        helper.make_node("Gather", ["weights", "term_ids"], ["gathered"], axis=0),
        helper.make_node("Unsqueeze", ["term_weights", "middle"], ["row_vectors"]),
        helper.make_node("MatMul", ["row_vectors", "gathered"], ["summed"]),
        helper.make_node("Squeeze", ["summed", "middle"], ["sums"]),
        helper.make_node("Add", ["sums", "bias"], ["logits"]),
        helper.make_node("Split", ["logits", "sizes"], ["intent_logits", "sentiment_logits"], axis=1),
        *(helper.make_node("Softmax", [f"{task}_logits"], [task], axis=1) for task in heads),
    ]
    graph = helper.make_graph(
        nodes,
        member.name,
        [
            helper.make_tensor_value_info("term_ids", TensorProto.INT64, ["texts", "terms"]),
            helper.make_tensor_value_info("term_weights", TensorProto.FLOAT, ["texts", "terms"]),
        ],
        [
            helper.make_tensor_value_info(task, TensorProto.FLOAT, ["texts", int(size)])
            for task, size in zip(heads, sizes, strict=True)
        ],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=10)
    onnx.checker.check_model(model)
    return model


def _multinomial_parameters(classifier: object) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Weights (terms, classes) and bias (classes,); scikit-learn stores two classes as one column."""
    assert isinstance(classifier, NativeLogisticRegression)
    weights, bias = classifier.coef_.T, classifier.intercept_
    if len(classifier.classes_) == 2:
        return np.concatenate([np.zeros_like(weights), weights], axis=1), np.concatenate([np.zeros(1), bias])
    return weights, bias


def _keep_only_probabilities(model: onnx.ModelProto) -> onnx.ModelProto:
    """Remove the label output that converters add: it is not used, and its declared shape is wrong for batches."""
    for output in [output for output in model.graph.output if output.name != "probabilities"]:
        model.graph.output.remove(output)
    return model


def _save(model: onnx.ModelProto, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(model.SerializeToString())
