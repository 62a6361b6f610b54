"""The requests of the benchmarks: distinct texts, the shares of the mix, and reproducibility."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

from benchmarks.workload import (
    BATCH,
    MIX,
    TEXTS_PER_MIXED_REQUEST,
    UNDERSTAND,
    build_requests,
    messages,
    mix_requests,
    write_requests,
)

TEXTS = messages(6000)


def test_messages_are_distinct() -> None:
    assert len(set(TEXTS)) == len(TEXTS) == 6000


def test_shares_of_the_mix_are_all_requests() -> None:
    assert sum(kind.share for kind in MIX) == 1.0


def test_the_mix_has_its_shares_and_uses_each_message_once() -> None:
    sent = list(mix_requests(TEXTS))
    share = Counter(each.path for each in sent)

    for kind in MIX:
        assert abs(share[kind.path] / len(sent) - kind.share) < 0.03
    used = [text for each in sent for text in each.texts]
    assert used == TEXTS[: len(used)]
    assert abs(len(used) / len(sent) - TEXTS_PER_MIXED_REQUEST) < 0.3


def test_the_mix_is_the_same_every_time() -> None:
    assert list(mix_requests(TEXTS[:200])) == list(mix_requests(TEXTS[:200]))


def test_a_batch_carries_its_messages_and_what_is_left_over_is_not_sent() -> None:
    sent = build_requests(BATCH, TEXTS[:70], store=False, texts_each=32)

    assert [len(json.loads(each.body)["queries"]) for each in sent] == [32, 32]
    assert json.loads(sent[0].body)["queries"][0] == {"text": TEXTS[0], "store": False}


def test_a_request_is_one_line_for_any_text(tmp_path: Path) -> None:
    text = 'tab\there, new\nline, "quotes"'
    file = write_requests(tmp_path / "requests", build_requests(UNDERSTAND, [text], store=True))

    (line,) = file.read_text(encoding="utf-8").splitlines()
    path, _, body = line.partition("\t")
    assert (path, json.loads(body)) == (UNDERSTAND, {"text": text, "store": True})
