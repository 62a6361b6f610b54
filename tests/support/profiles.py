"""Training profiles for tests."""

from __future__ import annotations

from training.profiles.profile import EncoderSettings, Profile


def with_small_encoders(profile: Profile) -> Profile:
    """The profile with both encoders, one layer of MiniLM and one epoch each. The metrics are meaningless."""
    one_layer = {"weights": "minilm", "layers": 1, "epochs": 1, "learning_rate": 5e-4, "pooled_layers": (1,), "seed": 1}
    encoders = {name: EncoderSettings(architecture=name, **one_layer) for name in ("distilbert", "roberta")}
    split = profile.split.model_copy(update={"train": 0.48, "stacking": 0.12})
    return profile.model_copy(update={"encoders": encoders, "split": split, "least_int8_agreement": 0.5})
