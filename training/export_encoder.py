"""A trained encoder to an int8 ONNX graph: exported in fp32, attention fused, weights quantised dynamically.

The order matters (measured, FACTS): the older exporter gives the graph that onnxruntime's optimiser can fuse, and only
a fused graph is worth quantising. int8 answers are checked against the trained model on unseen rows: labels must agree.
"""

from __future__ import annotations

import tempfile
import warnings
from pathlib import Path

import numpy as np
import onnx
import torch
from onnxruntime.quantization import QuantType, quantize_dynamic
from onnxruntime.transformers import optimizer
from onnxruntime.transformers.fusion_options import FusionOptions
from torch import Tensor, nn

from frontdesk.errors import BundleError
from frontdesk.scores import Scores
from training.encoder import FittedEncoder

OPSET = 17


class _Probabilities(nn.Module):
    """The graph that is served ends in probabilities, not in logits."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> tuple[Tensor, Tensor]:
        intent, sentiment = self.model(input_ids, attention_mask)
        return intent.softmax(1), sentiment.softmax(1)


def export_encoder(encoder: FittedEncoder, name: str, folder: Path) -> None:
    """Write `<name>.onnx` (int8) and `<name>.tokenizer.json` into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    encoder.tokenizer.save(str(folder / f"{name}.tokenizer.json"))
    with tempfile.TemporaryDirectory() as scratch, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter's own, about shapes that are constant on purpose
        exported, fused = Path(scratch) / "exported.onnx", Path(scratch) / "fused.onnx"
        _trace(encoder, exported)
        options = FusionOptions("bert")
        optimised = optimizer.optimize_model(
            str(exported),
            "bert",
            num_heads=encoder.model.heads,
            hidden_size=encoder.model.width,
            optimization_options=options,
        )
        optimised.save_model_to_file(str(fused))
        quantize_dynamic(
            str(fused),
            str(folder / f"{name}.onnx"),
            per_channel=True,
            weight_type=QuantType.QInt8,
            extra_options={"DefaultTensorType": onnx.TensorProto.FLOAT},
        )


def check_agreement(name: str, native: Scores, exported: Scores, least: float) -> float:
    """The share of rows on which trained model and int8 graph give the same intent.

    Raises:
        BundleError: when it is below `least`.
    """
    agreement = float((native.intent.argmax(1) == exported.intent.argmax(1)).mean())
    if agreement < least:
        raise BundleError(
            f"The int8 graph of {name} agrees with the trained model on {agreement:.1%} of labels only.", field=name
        )
    return agreement


def largest_difference(native: Scores, exported: Scores) -> float:
    """The largest difference of any probability of either task."""
    return max(
        float(np.abs(native.intent - exported.intent).max()), float(np.abs(native.sentiment - exported.sentiment).max())
    )


def _trace(encoder: FittedEncoder, path: Path) -> None:
    example = torch.ones((2, 8), dtype=torch.int64)
    axes = {0: "texts", 1: "tokens"}
    torch.onnx.export(
        _Probabilities(encoder.model).eval(),
        (example, torch.ones_like(example)),
        str(path),
        input_names=["input_ids", "attention_mask"],
        output_names=["intent", "sentiment"],
        dynamic_axes={
            "input_ids": axes,
            "attention_mask": axes,
            "intent": {0: "texts"},
            "sentiment": {0: "texts"},
        },
        opset_version=OPSET,
        dynamo=False,
    )
