"""Language detection, and texts without a detectable language."""

from __future__ import annotations

import pytest

from frontdesk.responses.text.language_detection import detect_language, language_of_tag

SAMPLES = {
    "en": "Where is my order? It should have been here on Monday and nobody answers me.",
    "de": "Wo ist meine Bestellung? Ich warte schon seit Montag und niemand antwortet mir.",
    "fr": "Où est ma commande ? Elle devait être là lundi et je n'ai pas de réponse de votre part.",
    "es": "¿Dónde está mi pedido? Tenía que llegar el lunes y no me contesta nadie, ¿qué puedo hacer?",
    "it": "Dove è il mio ordine? Doveva arrivare lunedì e non mi risponde nessuno, che cosa posso fare?",
    "nl": "Waar is mijn bestelling? Die zou er maandag zijn en ik krijg geen antwoord van jullie.",
    "pt": "Onde está o meu pedido? Era para chegar na segunda e não tenho resposta, o que posso fazer?",
    "sv": "Var är min beställning? Den skulle ha kommit i måndags och jag får inte något svar från er.",
}


@pytest.mark.parametrize("language", SAMPLES)
def test_the_language_of_one_or_two_sentences_is_detected(language: str) -> None:
    assert detect_language(SAMPLES[language]) == language


@pytest.mark.parametrize("text", ["", "order 48213", "refund!!!", "ORDER STATUS", "Kia ora, kei hea taku ota?"])
def test_short_texts_and_unknown_languages_are_left_open(text: str) -> None:
    assert detect_language(text) is None


def test_a_tag_counts_by_its_first_part() -> None:
    assert (language_of_tag("pt-BR"), language_of_tag("DE"), language_of_tag("ja"), language_of_tag(None)) == (
        "pt",
        "de",
        None,
        None,
    )
