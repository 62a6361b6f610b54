"""Export of a trained encoder to three ONNX graphs: int8 for CPUs, fp16 for CUDA, fp32 as fallback and reference.

The steps are required in this order (measured): onnxruntime's optimiser can only fuse graphs of the older
exporter, and quantisation only pays off for fused graphs. The inputs of each graph are token ids, their mask, and
dropout masks for Monte Carlo samples of the heads (Gal & Ghahramani 2016). Unlike dropout inside a graph, masks as
inputs are reproducible by seed and independent of the batch. The graphs are compared with the trained model on rows
that it was not trained on.
"""

from __future__ import annotations

import tempfile
import warnings
from pathlib import Path

import numpy as np
import onnx
import torch
from onnxruntime.transformers import optimizer
from onnxruntime.transformers.fusion_options import FusionOptions
from torch import Tensor, nn

from frontdesk.errors import BundleError
from frontdesk.scores import Scores
from runners.models.onnx_encoder import graph_file_name
from training.models.fine_tuning import EncoderModel, FittedEncoder
from training.models.quantisation import quantise

OPSET = 17
MAX_FP32_DIFFERENCE = 1e-4
BODY = "/body/"  # in the name of every node of the backbone; the two small heads are not quantised


class _ServingGraph(nn.Module):
    """The served graph: probabilities instead of logits, and samples of the intent head."""

    def __init__(self, model: EncoderModel) -> None:
        super().__init__()
        self.model = model

    def forward(self, input_ids: Tensor, attention_mask: Tensor, dropout_masks: Tensor) -> tuple[Tensor, ...]:
        features = self.model.pooled(input_ids, attention_mask)
        intent, sentiment = self.model.intent(features), self.model.sentiment(features)
        samples = self.model.intent(features.unsqueeze(1) * dropout_masks.unsqueeze(0))
        return intent.softmax(1), sentiment.softmax(1), samples.softmax(2)


def export_encoder(encoder: FittedEncoder, name: str, folder: Path) -> None:
    """Write the graphs `<name>.onnx` (int8), `<name>.fp16.onnx`, `<name>.fp32.onnx` and the tokenizer into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    encoder.tokenizer.save(str(folder / f"{name}.tokenizer.json"))
    with tempfile.TemporaryDirectory() as scratch, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # warnings of the exporter about shapes that are constant on purpose
        exported = Path(scratch) / "exported.onnx"
        _trace(encoder, exported)
        _optimise(encoder, exported).save_model_to_file(str(folder / graph_file_name(name, "fp32")))
        fp16_model = _optimise(encoder, exported)
        fp16_model.convert_float_to_float16(keep_io_types=True)
        fp16_model.save_model_to_file(str(folder / graph_file_name(name, "fp16")))
        int8_model = _optimise(encoder, exported).model
        quantise(int8_model, within=BODY)
        onnx.save(int8_model, str(folder / graph_file_name(name, "int8")))


def check_int8_agreement(name: str, native: Scores, exported: Scores, least: float) -> float:
    """The share of rows for which the trained model and the int8 graph predict the same intent.

    Raises:
        BundleError: the share is below `least`.
    """
    agreement = float((native.intent.argmax(1) == exported.intent.argmax(1)).mean())
    if agreement < least:
        raise BundleError(
            f"The int8 graph of {name} agrees with the trained model on {agreement:.1%} of labels only.", field=name
        )
    return agreement


def check_fp32_difference(name: str, native: Scores, exported: Scores) -> float:
    """The largest difference of probabilities between the trained model and its fp32 graph.

    Raises:
        BundleError: the difference is above `MAX_FP32_DIFFERENCE`.
    """
    difference = largest_difference(native, exported)
    if difference > MAX_FP32_DIFFERENCE:
        raise BundleError(f"The fp32 graph of {name} differs from the trained model by {difference:.2g}.", field=name)
    return difference


def largest_difference(native: Scores, exported: Scores) -> float:
    """The largest difference of probabilities over both tasks."""
    return max(
        float(np.abs(native.intent - exported.intent).max()), float(np.abs(native.sentiment - exported.sentiment).max())
    )


def _optimise(encoder: FittedEncoder, exported: Path) -> optimizer.OnnxModel:
    """Optimise the graph. Embeddings and the products of attention are not fused, so that `quantise` can find them."""
    options = FusionOptions("bert")
    options.use_multi_head_attention = True
    options.enable_embed_layer_norm = False
    return optimizer.optimize_model(
        str(exported),
        "bert",
        num_heads=encoder.model.heads,
        hidden_size=encoder.model.width,
        optimization_options=options,
    )


def _trace(encoder: FittedEncoder, path: Path) -> None:
    ids = torch.ones((2, 8), dtype=torch.int64)
    masks = torch.ones((3, encoder.model.intent.in_features))
    torch.onnx.export(
        _ServingGraph(encoder.model).eval(),
        (ids, torch.ones_like(ids), masks),
        str(path),
        input_names=["input_ids", "attention_mask", "dropout_masks"],
        output_names=["intent", "sentiment", "intent_samples"],
        dynamic_axes={
            "input_ids": {0: "texts", 1: "tokens"},
            "attention_mask": {0: "texts", 1: "tokens"},
            "dropout_masks": {0: "samples"},
            "intent": {0: "texts"},
            "sentiment": {0: "texts"},
            "intent_samples": {0: "texts", 1: "samples"},
        },
        opset_version=OPSET,
        dynamo=False,
    )
