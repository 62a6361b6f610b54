"""Fixtures shared by the whole suite: one tiny bundle, trained once a session by the product's own code."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import pytest

from frontdesk.taxonomy import STARTER_TAXONOMY, Taxonomy
from model_store.bundle import Bundle
from tests.profiles import with_small_encoders
from tests.serving import Server, home_with
from training.data import STARTER_CORPUS, Example, read_examples
from training.profile import read_profile
from training.run import TrainingRun


@pytest.fixture(scope="session")
def starter_examples() -> tuple[Example, ...]:
    return read_examples(STARTER_CORPUS)


@pytest.fixture(scope="session")
def tiny_run(starter_examples: tuple[Example, ...], tmp_path_factory: pytest.TempPathFactory) -> TrainingRun:
    home = tmp_path_factory.mktemp("trained")
    return TrainingRun(
        examples=starter_examples,
        profile=read_profile("tiny"),
        profile_name="tiny",
        taxonomy=Taxonomy.read(STARTER_TAXONOMY),
        source="starter corpus",
        work=home / "training",
        bundles=home / "bundles",
    )


@pytest.fixture(scope="session")
def tiny_bundle(tiny_run: TrainingRun) -> Bundle:
    """A sealed bundle; never change its files: copy it first."""
    return tiny_run.train(lambda progress: None)


@pytest.fixture
def copied_bundle(tiny_bundle: Bundle, tmp_path: Path) -> Path:
    """The tiny bundle's folder, to be damaged."""
    import shutil

    return Path(shutil.copytree(tiny_bundle.path, tmp_path / tiny_bundle.version))


@pytest.fixture
def home(tiny_bundle: Bundle, tmp_path: Path) -> Path:
    """A home folder of its own, with the tiny bundle as champion."""
    return home_with(tiny_bundle, tmp_path / "home")


@pytest.fixture(scope="session")
def server(tiny_bundle: Bundle, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server with two workers for every test that does not end it."""
    with Server(home_with(tiny_bundle, tmp_path_factory.mktemp("served") / "home")) as running:
        yield running


@pytest.fixture(scope="session")
def encoder_bundle(tiny_run: TrainingRun, tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """A sealed bundle with both encoders, one layer each; never change its files: copy it first."""
    profile = with_small_encoders(tiny_run.profile)
    home = tmp_path_factory.mktemp("trained-with-encoders")
    run = dataclasses.replace(tiny_run, profile=profile, work=home / "training", bundles=home / "bundles")
    return run.train(lambda progress: None)
