"""The questions of the retrieval benchmark, and that embedding helps even with the smallest bundle."""

from __future__ import annotations

from benchmarks.retrieval import RankMetrics, load_test_set, ranks, related_passages
from frontdesk.features.extractor import FeatureExtractor
from frontdesk.masking import MASKING_VERSION
from frontdesk.responses.knowledge_base.retrieval import PassageIndex
from model_store.bundle import Bundle

KNOWLEDGE, QUESTIONS = load_test_set()


def test_there_are_enough_questions_and_each_passage_has_some() -> None:
    assert len({question.text for question in QUESTIONS}) == len(QUESTIONS) >= 150
    assert sum(question.paraphrased for question in QUESTIONS) >= 100
    assert {question.answers[0] for question in QUESTIONS} == {passage.id for passage in KNOWLEDGE.passages}
    assert {one for question in QUESTIONS for one in question.answers} <= {one.id for one in KNOWLEDGE.passages}


def test_words_and_embedding_together_find_more_than_either(tiny_bundle: Bundle) -> None:
    retrieval = PassageIndex.build(KNOWLEDGE, FeatureExtractor.load(tiny_bundle.path / "features", MASKING_VERSION))
    for intent_known, least_first in ((True, 0.72), (False, 0.45)):
        figures = {
            way: RankMetrics.of(places)
            for way, places in ranks(retrieval, QUESTIONS, intent_known=intent_known).items()
        }
        together = figures.pop("both")
        assert together.first >= least_first
        assert all(together.first > alone.first for alone in figures.values()), figures
        assert all(together.reciprocal > alone.reciprocal for alone in figures.values()), figures
    rescued, _ = related_passages(retrieval, QUESTIONS)
    assert rescued >= 0.5
