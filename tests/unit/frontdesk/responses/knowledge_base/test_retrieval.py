"""Retrieval: the intent selects the passages, the words order them."""

from __future__ import annotations

from datetime import date

import numpy as np

from frontdesk.responses.knowledge_base.articles import STARTER_KNOWLEDGE, Knowledge, Passage
from frontdesk.responses.knowledge_base.retrieval import MAX_PASSAGES, Embedder, PassageIndex
from frontdesk.scores import Floats
from frontdesk.taxonomy import STARTER_TAXONOMY, Taxonomy
from frontdesk.types import CustomerTier
from tests.support.fakes import NoEmbedding

DAY = date(2026, 6, 1)
NO_EMBEDDING = NoEmbedding()


class Topics:
    """Embeds a text by the number of its words in two topics."""

    LATE = ("late", "overdue", "waiting")
    ABROAD = ("customs", "abroad", "overseas")

    def embed(self, text: str) -> Floats:
        words = text.lower().rstrip(".").split()
        return np.array([sum(word in topic for word in words) for topic in (self.LATE, self.ABROAD)], np.float32)


def passage(id: str, text: str, *, audience: tuple[CustomerTier, ...] = (), language: str = "en") -> Passage:
    return Passage(id, "", ("track_order",), "lead", date(2026, 1, 1), None, text, audience, language)


def find_ids(
    *passages: Passage,
    text: str = "",
    tier: CustomerTier = CustomerTier.STANDARD,
    language: str = "en",
    embedder: Embedder = NO_EMBEDDING,
) -> list[str]:
    retrieval = PassageIndex.build(Knowledge(passages), embedder)
    return [one.id for one in retrieval.find("track_order", text, DAY, tier, language)]


CUSTOMS = passage("customs", "A parcel from abroad may wait at customs.")
LATE = passage("late", "A parcel that is late is looked for by the carrier.")


def test_the_passage_nearest_to_the_message_comes_first() -> None:
    assert find_ids(CUSTOMS, LATE, text="my parcel is late again") == ["late", "customs"]
    assert find_ids(CUSTOMS, LATE, text="customs keeps my parcel") == ["customs", "late"]


def test_a_passage_without_a_common_word_is_found_by_the_meaning_of_its_words() -> None:
    assert find_ids(CUSTOMS, LATE, text="it is overdue again", embedder=Topics()) == ["late", "customs"]
    assert find_ids(LATE, CUSTOMS, text="ordered overseas", embedder=Topics()) == ["customs", "late"]


def test_a_distinctive_word_counts_as_much_as_a_related_one() -> None:
    assert find_ids(LATE, CUSTOMS, text="the carrier, overseas", embedder=Topics()) == ["late", "customs"]


def test_where_none_is_nearer_the_order_of_the_files_stays() -> None:
    assert find_ids(LATE, CUSTOMS, text="hello") == ["late", "customs"]


def test_a_passage_for_another_tier_is_not_used() -> None:
    premium = passage("premium", "Premium parcels fly.", audience=(CustomerTier.PREMIUM,))

    assert find_ids(premium, LATE) == ["late"]
    assert find_ids(premium, LATE, tier=CustomerTier.PREMIUM) == ["premium", "late"]


def test_only_passages_in_the_customers_language_are_used_if_there_are_any() -> None:
    german = passage("spät", "Ein spätes Paket wird gesucht.", language="de")

    assert find_ids(LATE, german, language="de") == ["spät"]
    assert find_ids(LATE, german, language="sv") == ["late"]


def test_only_a_few_passages_are_found() -> None:
    many = [passage(f"p{number}", "A parcel is late.") for number in range(9)]
    assert len(find_ids(*many, text="late")) == MAX_PASSAGES


def test_a_second_question_brings_the_passage_of_another_intent() -> None:
    retrieval = PassageIndex.build(Knowledge.read(STARTER_KNOWLEDGE), NoEmbedding())
    text = "cancel my order, and how do I reset the password of my account? the password link is not valid"
    first = retrieval.find("cancel_order", text, DAY, CustomerTier.STANDARD, "en")

    assert [one.id for one in retrieval.related_passages(first, text, DAY, CustomerTier.STANDARD)] == [
        "recover-password"
    ]
    assert retrieval.related_passages(first, "hello", DAY, CustomerTier.STANDARD) == ()


def test_every_starter_intent_finds_its_own_passage() -> None:
    retrieval = PassageIndex.build(Knowledge.read(STARTER_KNOWLEDGE), NoEmbedding())
    for label in Taxonomy.read(STARTER_TAXONOMY).labels:
        (one,) = retrieval.find(label, "hello", DAY, CustomerTier.STANDARD, "en")
        assert label in one.intents
