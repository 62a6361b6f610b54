"""Quality of passage retrieval on a test set of questions, for each ranking method.

    python -m benchmarks.retrieval [--bundle PATH]

Method: 191 questions of customers (`retrieval.yaml`), 110 of them with few words of their passage. Passages are the
paragraphs of those that come with Frontdesk and 27 more, 81 in total, up to six per intent. With a known intent only
its passages are ranked, as in `PassageIndex.find`; with an unknown intent all are ranked. "intent alone" is the order
of the files. For wrong intents, the nearest wrong intent of each question is used: there only the extra passage of
`PassageIndex.related_passages` can help. Shown are the share of questions for which it is right, and how often it is
added although the intent was right. CPU is that of one retrieval. The questions were written before the weights of the
two scores were chosen; the weights are equal, because values between 0.5 and 2 made no difference.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

import yaml

from benchmarks.results import argument_parser, print_result, print_table
from bentos.wiring.model import open_bundle_at, served_bundle_path
from frontdesk.config import load_settings
from frontdesk.features.extractor import FeatureExtractor
from frontdesk.masking import MASKING_VERSION
from frontdesk.responses.knowledge_base.articles import STARTER_KNOWLEDGE, Knowledge, Passage
from frontdesk.responses.knowledge_base.retrieval import Embedder, PassageIndex, RankedPassage
from frontdesk.types import CustomerTier

TEST_SET_FILE = Path(__file__).with_suffix(".yaml")
DAY = date(2026, 6, 1)
TIMED_CALLS = 2_000

Key = Callable[[RankedPassage], float]
RANKINGS: dict[str, Key] = {
    "intent alone": lambda _: 0.0,
    "BM25": lambda near: near.bm25,
    "embedding": lambda near: near.cosine,
    "both": lambda near: near.sum,
}


@dataclass(frozen=True, slots=True)
class Question:
    """`answers` are the ids of the passages that answer the question, the one of `intent` first."""

    text: str
    intent: str
    answers: tuple[str, ...]
    paraphrased: bool


@dataclass(frozen=True, slots=True)
class RankMetrics:
    """Share of questions with the right passage at rank 1, and at ranks 1 to 3; mean of 1 / rank."""

    first: float
    in_three: float
    reciprocal: float

    @classmethod
    def of(cls, ranks: Sequence[int]) -> RankMetrics:
        count = len(ranks)
        return cls(
            first=sum(rank == 1 for rank in ranks) / count,
            in_three=sum(rank <= 3 for rank in ranks) / count,
            reciprocal=sum(1 / rank for rank in ranks) / count,
        )


def load_test_set() -> tuple[Knowledge, tuple[Question, ...]]:
    """Load passages and questions."""
    data = yaml.safe_load(TEST_SET_FILE.read_text(encoding="utf-8"))
    passages = [
        *(part for passage in Knowledge.read(STARTER_KNOWLEDGE).passages for part in _paragraphs(passage)),
        *(_passage(entry["id"], entry["title"], entry["intent"], entry["text"]) for entry in data["passages"]),
    ]
    intents = {passage.id: passage.intents[0] for passage in passages}
    return Knowledge(tuple(passages)), tuple(_questions(data["questions"], intents))


def ranks(index: PassageIndex, questions: Sequence[Question], *, intent_known: bool) -> dict[str, list[int]]:
    """Rank of the right passage for each question, by ranking method."""
    ranks_by_method: dict[str, list[int]] = {name: [] for name in RANKINGS}
    for question in questions:
        passages = index.knowledge.passages
        if intent_known:
            passages = index.knowledge.for_intent(question.intent, DAY)
        ranked_passages = index.rank_passages(question.text, passages)
        in_file_order = sorted(ranked_passages, key=lambda near: passages.index(near.passage))
        for name, key in RANKINGS.items():
            ranked = sorted(in_file_order, key=lambda near: -key(near))
            right = (place for place, near in enumerate(ranked, 1) if near.passage.id in question.answers)
            ranks_by_method[name].append(next(right))
    return ranks_by_method


def related_passages(index: PassageIndex, questions: Sequence[Question]) -> tuple[float, float]:
    """Return how often the extra passage is right for a wrong intent, and how often it is added for the right one."""
    rescued = added = 0
    for question in questions:
        ranked_passages = index.rank_passages(question.text, index.knowledge.passages)
        wrong = next(near.passage for near in ranked_passages if question.intent not in near.passage.intents).intents[0]
        for intent in (wrong, question.intent):
            passages = index.find(intent, question.text, DAY, CustomerTier.STANDARD, "en")
            other = index.related_passages(passages, question.text, DAY, CustomerTier.STANDARD)
            if intent == wrong:
                rescued += any(passage.id in question.answers for passage in other)
            else:
                added += bool(other)
    return rescued / len(questions), added / len(questions)


def cpu_us(index: PassageIndex, questions: Sequence[Question]) -> float:
    """CPU microseconds of one `find` among the passages of the right intent."""
    timed_questions = [questions[number % len(questions)] for number in range(TIMED_CALLS)]
    start = time.process_time()
    for question in timed_questions:
        index.find(question.intent, question.text, DAY, CustomerTier.STANDARD, "en")
    return (time.process_time() - start) / TIMED_CALLS * 1e6


def main() -> None:
    parser = argument_parser(__doc__)
    parser.add_argument("--bundle", type=Path, help="bundle whose features embed texts; default: the champion")
    settings = load_settings()
    bundle = open_bundle_at(settings, parser.parse_args().bundle or served_bundle_path(settings)).files
    knowledge, questions = load_test_set()
    embedder: Embedder = FeatureExtractor.load(bundle / "features", MASKING_VERSION)
    index = PassageIndex.build(knowledge, embedder)
    rows = []
    for intent_known in (True, False):
        for name, question_ranks in ranks(index, questions, intent_known=intent_known).items():
            paraphrased_ranks = [
                place for place, question in zip(question_ranks, questions, strict=True) if question.paraphrased
            ]
            intent, paraphrased = "right" if intent_known else "unknown", RankMetrics.of(paraphrased_ranks).first
            rows.append(
                {"intent": intent, "by": name, **asdict(RankMetrics.of(question_ranks)), "paraphrased": paraphrased}
            )
    shares = (("first", "first"), ("in three", "in_three"), ("1 / rank", "reciprocal"), ("paraphrased", "paraphrased"))
    columns = [("intent", "intent", ""), ("ranked by", "by", ""), *((*share, ".3f") for share in shares)]
    print_table(bundle.root.name, columns, rows)
    rescued, added = related_passages(index, questions)
    print(f"Extra passage: right for {rescued:.1%} of wrong intents, added for {added:.1%} of right ones.")
    counts = {"bundle": bundle.root.name, "questions": len(questions), "passages": len(knowledge.passages)}
    cost = {"rescued": rescued, "added_in_vain": added, "cpu_us": cpu_us(index, questions)}
    print_result("retrieval", {**counts, "rows": rows, **cost})


def _paragraphs(passage: Passage) -> Iterator[Passage]:
    for number, text in enumerate(passage.text.split("\n\n"), 1):
        yield _passage(f"{passage.id}/{number}", passage.title, passage.intents[0], text)


def _passage(name: str, title: str, intent: str, text: str) -> Passage:
    return Passage(name, title, (intent,), "benchmark", date(2026, 1, 1), None, text)


def _questions(data: dict[str, list[Any]], intents: dict[str, str]) -> Iterator[Question]:
    for passage, entries in data.items():
        for number, entry in enumerate(entries):
            text, others = (entry["ask"], entry["or"]) if isinstance(entry, dict) else (entry, ())
            yield Question(text, intents[passage], (passage, *others), paraphrased=number > 0)


if __name__ == "__main__":
    main()
