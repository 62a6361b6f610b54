"""Fine-tuning of an encoder on both tasks: mean pooling, two heads, and a loss that ignores missing labels.

Word and position embeddings are frozen: their dense gradients and optimiser state take a large part of a step on a CPU
(measured). Batches contain texts of similar length, so that there is little padding. Matrix products use bfloat16 if
the processor supports it (Micikevicius et al. 2018), which halves the time of a step; parameters and losses stay
float32.
Uses CUDA if available; this path was never tested.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import Tensor, nn

from frontdesk.decision.uncertainty import entropy
from frontdesk.scores import DropoutStatistics, Scores
from training.data.labels import MISSING, EncodedLabels
from training.models.backbones import Backbone, load_backbone
from training.models.curves import OptimiserStep
from training.profiles.profile import EncoderSettings

BUCKETS = 16
WARM_UP_SHARE = 0.06
SENTIMENT_WEIGHT = 0.5
GRADIENT_NORM = 1.0
SCORED_TEXTS = 64  # in one forward pass
MAX_TOKENS_PER_PASS = 2048  # during training: 1.5 GB instead of 2.7 for a batch of long texts
SAMPLES = 16


class EncoderModel(nn.Module):
    """Backbone, mean pooling over one or several layers, an intent head and a sentiment head.

    `pooled_layers` are counted from the bottom (0 is the embedding). Different pooled layers make two encoders with the
    same initial weights differ.
    """

    def __init__(
        self, backbone: Backbone, intents: int, sentiments: int, pooled_layers: Sequence[int], dropout: float
    ) -> None:
        super().__init__()
        self.body = backbone.body
        self.heads, self.width = backbone.heads, backbone.width
        self.pooled_layers = tuple(pooled_layers)
        self.dropout = nn.Dropout(dropout)
        width = backbone.width * len(self.pooled_layers)
        self.intent = nn.Linear(width, intents)
        self.sentiment = nn.Linear(width, sentiments)

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> tuple[Tensor, Tensor]:
        """(texts, tokens) ids and mask -> logits (texts, intents) and (texts, sentiments)."""
        features = self.dropout(self.pooled(input_ids, attention_mask))
        return self.intent(features), self.sentiment(features)

    def pooled(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """(texts, tokens) ids and mask -> (texts, width): input of the heads before dropout."""
        output = self.body(input_ids=input_ids, attention_mask=attention_mask, output_hidden_states=True)
        weights = attention_mask.unsqueeze(-1).to(output.last_hidden_state.dtype)
        lengths = weights.sum(1)
        pooled = [(output.hidden_states[layer] * weights).sum(1) / lengths for layer in self.pooled_layers]
        return torch.cat(pooled, dim=1)


class FittedEncoder:
    """A trained encoder with its tokenizer and its learning curve, for `export_encoder`."""

    def __init__(self, model: EncoderModel, tokenizer: Tokenizer, curve: Sequence[OptimiserStep]) -> None:
        self.model = model.eval()
        self.tokenizer = tokenizer
        self.curve = tuple(curve)

    def scores(self, texts: Sequence[str]) -> Scores:
        """Probabilities per task in label order, float32; the reference of the parity check."""
        rows = [self.tokenizer.encode(text).ids for text in texts]
        intent = np.zeros((len(rows), self.model.intent.out_features), dtype=np.float32)
        sentiment = np.zeros((len(rows), self.model.sentiment.out_features), dtype=np.float32)
        with torch.no_grad():
            for part in _sorted_by_length(rows):
                of_intent, of_sentiment = self.model(*pad_token_ids([rows[row] for row in part]))
                intent[part] = of_intent.softmax(1).numpy()
                sentiment[part] = of_sentiment.softmax(1).numpy()
        return Scores(intent, sentiment)

    def intents_under_dropout(self, texts: Sequence[str], seed: int) -> DropoutStatistics:
        """Sample the intents with dropout in all layers (Gal & Ghahramani 2016): the reference for sampled heads.

        Slow: each of the `SAMPLES` is a forward pass through the whole encoder.
        """
        torch.manual_seed(seed)
        rows = [self.tokenizer.encode(text).ids for text in texts]
        mean = np.zeros((len(rows), self.model.intent.out_features), dtype=np.float32)
        entropies = np.zeros(len(rows), dtype=np.float32)
        self.model.train()
        with torch.no_grad(), _autocast(torch.device("cpu")):
            for part in _sorted_by_length(rows):
                ids, mask = pad_token_ids([rows[row] for row in part])
                for _ in range(SAMPLES):
                    sampled = self.model(ids, mask)[0].float().softmax(1).numpy()
                    mean[part] += sampled / SAMPLES
                    entropies[part] += entropy(sampled) / SAMPLES
        self.model.eval()
        return DropoutStatistics(mean, entropies)


def fit_encoder(
    texts: Sequence[str],
    labels: EncodedLabels,
    intents: int,
    sentiments: int,
    settings: EncoderSettings,
    on_progress: Callable[[float], None] = lambda _: None,
) -> FittedEncoder:
    """Fine-tune a new backbone on `texts`; the same seed gives the same encoder on the same machine.

    `on_progress` is called after every batch with the completed fraction, 0 to 1.
    """
    torch.manual_seed(settings.seed)
    generator = np.random.default_rng(settings.seed)
    backbone = load_backbone(settings.architecture, settings.weights, settings.layers)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    model = EncoderModel(backbone, intents, sentiments, settings.pooled_layers, settings.dropout).to(device)
    _freeze(backbone, settings.frozen_layers)
    rows = [backbone.tokenizer.encode(text).ids for text in texts]
    steps = settings.epochs * math.ceil(len(rows) / settings.batch)
    optimiser, schedule = _optimiser(model, settings, steps)
    objective = _TrainingLoss(rows, labels, settings, device)
    curve: list[OptimiserStep] = []
    for _ in range(settings.epochs):
        model.train()
        for part in _batches(rows, settings.batch, generator):
            optimiser.zero_grad()
            loss = 0.0
            for piece in _split_batch_by_tokens(
                part, rows, MAX_TOKENS_PER_PASS // (settings.forward_passes_per_row // settings.epochs)
            ):
                piece_loss = objective.loss(model, piece) * (len(piece) / len(part))
                piece_loss.backward()  # type: ignore[no-untyped-call]  # torch leaves this method without types
                loss += piece_loss.item()
            nn.utils.clip_grad_norm_(model.parameters(), GRADIENT_NORM)
            optimiser.step()
            curve.append(OptimiserStep(len(curve) + 1, loss, float(schedule.get_last_lr()[0])))
            schedule.step()
            on_progress(schedule.last_epoch / steps)
    return FittedEncoder(model.cpu(), backbone.tokenizer, curve)


class _TrainingLoss:
    """The training loss: cross-entropy of both tasks and, if configured, inconsistency under dropout (R-Drop)."""

    def __init__(
        self, rows: Sequence[Sequence[int]], labels: EncodedLabels, settings: EncoderSettings, device: torch.device
    ) -> None:
        self._rows, self._labels, self._device = rows, labels, device
        self._consistency = settings.consistency
        self._intent = nn.CrossEntropyLoss(ignore_index=MISSING, label_smoothing=settings.label_smoothing)
        self._sentiment = nn.CrossEntropyLoss(ignore_index=MISSING)

    def loss(self, model: EncoderModel, part: Sequence[int]) -> Tensor:
        """Mean loss of the rows with the numbers `part`."""
        batch_rows = [*part, *part] if self._consistency else list(part)
        ids, mask = (tensor.to(self._device) for tensor in pad_token_ids([self._rows[row] for row in batch_rows]))
        with _autocast(self._device):
            of_intent, of_sentiment = model(ids, mask)
        loss = _labelled_loss(self._intent, of_intent.float(), self._labels.intent[batch_rows])
        loss = loss + SENTIMENT_WEIGHT * _labelled_loss(
            self._sentiment, of_sentiment.float(), self._labels.sentiment[batch_rows]
        )
        if self._consistency:
            labelled = self._labels.intent[list(part)] != MISSING
            loss = loss + self._consistency * _dropout_inconsistency(of_intent.float(), labelled)
        return loss


def pad_token_ids(rows: Sequence[Sequence[int]]) -> tuple[Tensor, Tensor]:
    """Token ids and mask, (texts, longest) int64, padded with 0."""
    longest = max(len(row) for row in rows)
    ids = torch.tensor([[*row, *[0] * (longest - len(row))] for row in rows])
    mask = torch.tensor([[1] * len(row) + [0] * (longest - len(row)) for row in rows])
    return ids, mask


def _freeze(backbone: Backbone, layers: int) -> None:
    frozen: list[nn.Module] = [backbone.body.get_submodule("embeddings"), *list(backbone.layers)[:layers]]
    for module in frozen:
        module.requires_grad_(False)


def _optimiser(
    model: EncoderModel, settings: EncoderSettings, steps: int
) -> tuple[torch.optim.Optimizer, torch.optim.lr_scheduler.LRScheduler]:
    """AdamW with a short warm-up and linear decay; the new heads have ten times the learning rate of the body."""
    heads = [*model.intent.parameters(), *model.sentiment.parameters()]
    body = [parameter for parameter in model.body.parameters() if parameter.requires_grad]
    optimiser = torch.optim.AdamW(
        [{"params": body, "lr": settings.learning_rate}, {"params": heads, "lr": settings.learning_rate * 10}],
        weight_decay=0.01,
    )

    def learning_rate_factor(step: int) -> float:
        return min(1.0, (step + 1) / (WARM_UP_SHARE * steps)) * max(0.0, 1 - step / steps)

    return optimiser, torch.optim.lr_scheduler.LambdaLR(optimiser, learning_rate_factor)


def _batches(rows: Sequence[Sequence[int]], size: int, generator: np.random.Generator) -> Iterator[list[int]]:
    """Random batches of texts of similar length: shuffled, sorted within `BUCKETS` batches, shuffled again."""
    order = generator.permutation(len(rows))
    parts: list[list[int]] = []
    for start in range(0, len(order), size * BUCKETS):
        bucket = sorted(order[start : start + size * BUCKETS].tolist(), key=lambda row: len(rows[row]))
        parts.extend(bucket[first : first + size] for first in range(0, len(bucket), size))
    for index in generator.permutation(len(parts)):
        yield parts[index]


def _dropout_inconsistency(logits: Tensor, labelled: np.ndarray) -> Tensor:
    """Symmetric Kullback-Leibler divergence of two passes under dropout (R-Drop, Wu et al. 2021).

    `logits` has the texts of the first pass, then those of the second. Only `labelled` texts count.
    """
    if not labelled.any():
        return logits.sum() * 0.0
    mask = torch.from_numpy(labelled).to(logits.device)
    first, second = (part[mask].log_softmax(1) for part in logits.chunk(2))
    first_to_second = nn.functional.kl_div(first, second, log_target=True, reduction="batchmean")
    second_to_first = nn.functional.kl_div(second, first, log_target=True, reduction="batchmean")
    return (first_to_second + second_to_first) / 2


def _split_batch_by_tokens(part: Sequence[int], rows: Sequence[Sequence[int]], tokens: int) -> Iterator[Sequence[int]]:
    """Split a batch into pieces of at most `tokens` padded tokens, to limit the memory for long texts."""
    longest = max(len(rows[row]) for row in part)
    size = max(1, tokens // longest)
    for start in range(0, len(part), size):
        yield part[start : start + size]


def _autocast(device: torch.device) -> torch.autocast:
    """bfloat16 for matrix products where it is fast: on CUDA, and on processors with bfloat16 instructions."""
    capabilities = torch.cpu.get_capabilities()
    fast = device.type == "cuda" or bool(capabilities.get("avx512_bf16") or capabilities.get("amx_bf16"))
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=fast)


def _sorted_by_length(rows: Sequence[Sequence[int]]) -> Iterator[list[int]]:
    """Row numbers in batches of texts of similar length, each row once."""
    order = sorted(range(len(rows)), key=lambda row: len(rows[row]))
    for start in range(0, len(order), SCORED_TEXTS):
        yield order[start : start + SCORED_TEXTS]


def _labelled_loss(loss: nn.CrossEntropyLoss, logits: Tensor, targets: np.ndarray) -> Tensor:
    """Loss over the rows that have a label; if none has, 0 with a gradient."""
    if (targets == MISSING).all():
        return logits.sum() * 0.0
    value: Tensor = loss(logits, torch.from_numpy(targets).to(logits.device))
    return value
