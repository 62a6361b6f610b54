"""Training profiles: all settings of a run, from `profiles/*.yaml`. Frozen."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from frontdesk.errors import ConfigurationError

PROFILES = Path(__file__).parent
ENCODER_LIBRARIES = ("torch", "transformers", "safetensors", "sympy")


class ProfileSection(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class SplitSection(ProfileSection):
    """Shares of the rows that the data's own split does not assign.

    Without `stacking` rows, the meta-learner is trained on out-of-fold predictions, which is suitable for base models
    that are trained within seconds.
    """

    train: float = Field(gt=0, lt=1)
    stacking: float = Field(ge=0, lt=1)
    calibration: float = Field(gt=0, lt=1)
    test: float = Field(gt=0, lt=1)
    most_held_out: int = Field(ge=100)  # for stacking and for calibration each; more rows help training most


class FeatureSection(ProfileSection):
    min_documents: int = Field(ge=1)
    max_words: int = Field(ge=1)
    max_characters: int = Field(ge=1)
    svd_components: int = Field(ge=2, le=1000)
    static_components: int = Field(0, ge=0, le=384)


class EncoderSettings(ProfileSection):
    """Settings of one encoder. `pooled_layers` count from the bottom (0 is the embedding), top layer first."""

    architecture: Literal["distilbert", "roberta"]
    weights: str
    layers: int = Field(6, ge=1)
    epochs: int = Field(ge=1)
    batch: int = Field(32, ge=1)
    learning_rate: float = Field(gt=0)
    frozen_layers: int = Field(0, ge=0)
    pooled_layers: tuple[int, ...]
    dropout: float = Field(0.1, ge=0, lt=1)
    label_smoothing: float = Field(0.0, ge=0, lt=1)
    consistency: float = Field(0.0, ge=0)  # weight of R-Drop; above 0, a step takes twice as long
    relative_cost: float = Field(1.0, gt=0)  # per row, relative to MiniLM; only for the estimated remaining time
    seed: int

    @property
    def forward_passes_per_row(self) -> int:
        """Number of forward passes of each row during training."""
        return self.epochs * (2 if self.consistency else 1)


class MetaLearnerSettings(ProfileSection):
    candidates_per_member: int = Field(ge=1)
    max_rounds: int = Field(ge=1)
    early_stopping_rounds: int = Field(ge=1)
    parameters: dict[str, float | int]


class CalibrationTargets(ProfileSection):
    """Guarantees of the thresholds. Those for scope and automation hold at `certificate_confidence`."""

    conformal_coverage: float = Field(gt=0, lt=1)
    false_alarm_rate: float = Field(gt=0, lt=1)
    max_error: float = Field(gt=0, lt=1)
    usual_out_of_scope: float = Field(0.05, gt=0, lt=1)
    most_out_of_scope: float = Field(0.2, gt=0, lt=1)
    certificate_confidence: float = Field(gt=0, lt=1)


class Profile(ProfileSection):
    """The settings of one training run. Parameters of base models are passed to their libraries unchanged."""

    seed: int
    rows_per_intent: int | None = Field(ge=10)
    borrowed_sentiment_rows: int = Field(1200, ge=60)  # from the starter corpus, if the data has no sentiment
    folds: int = Field(ge=2, le=20)
    split: SplitSection
    features: FeatureSection
    logistic_regression: dict[str, float | int]
    random_forest: dict[str, float | int]
    xgboost: dict[str, float | int]
    encoders: dict[str, EncoderSettings]
    least_int8_agreement: float = Field(ge=0, le=1)
    meta_learner: MetaLearnerSettings
    calibration: CalibrationTargets

    @model_validator(mode="after")
    def _encoders_need_stacking_rows(self) -> Profile:
        if self.encoders and not self.split.stacking:
            raise ValueError("with encoders, the meta-learner needs rows of its own: set split.stacking above 0")
        return self

    def flatten_settings(self) -> dict[str, Any]:
        """All settings by their dotted names."""
        return dict(_flatten(self.model_dump(), ""))


def read_profile(name_or_path: str) -> Profile:
    """Read a profile by the name of a file in `profiles/`, or by path.

    Raises:
        ConfigurationError: the profile does not exist, or a setting is invalid; the message names it.
    """
    path = PROFILES / f"{name_or_path}.yaml"
    if not path.exists():
        path = Path(name_or_path)
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, IsADirectoryError):
        names = ", ".join(sorted(file.stem for file in PROFILES.glob("*.yaml")))
        raise ConfigurationError(f"There is no profile '{name_or_path}'.", hint=f"Known: {names}, or a path.") from None
    except yaml.YAMLError as error:
        raise ConfigurationError(f"{path} is not valid YAML: {error}") from None
    try:
        return Profile.model_validate(data)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        setting = ".".join(str(part) for part in first["loc"])
        raise ConfigurationError(f"Profile {path.name}: {setting}: {first['msg']}.") from None


def check_libraries(profile: Profile) -> None:
    """Check before training that the libraries for the profile's encoders are installed.

    Raises:
        ConfigurationError: libraries are missing; the message names them, the hint says how to install them.
    """
    needed = bool(profile.encoders or profile.features.static_components)
    missing = [name for name in ENCODER_LIBRARIES if needed and find_spec(name) is None]
    if missing:
        raise ConfigurationError(
            f"This profile works with encoders, which need {', '.join(missing)}.",
            hint="Install them (pip install 'frontdesk[encoders]'), or train without: frontdesk train --profile cpu",
        )


def _flatten(value: dict[str, Any], prefix: str) -> list[tuple[str, Any]]:
    pairs: list[tuple[str, Any]] = []
    for key, item in value.items():
        pairs.extend(_flatten(item, f"{prefix}{key}.") if isinstance(item, dict) else [(f"{prefix}{key}", item)])
    return pairs
