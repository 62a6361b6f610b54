"""The lock files agree with pyproject.toml and with each other, and pin every file by its hash."""

from __future__ import annotations

import re
import tomllib
from functools import cache
from importlib.metadata import PackageNotFoundError, requires
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from bentos.bento_build import read_locked_packages
from frontdesk.config import PROJECT

SERVER = "requirements.lock"
SERVER_GPU = "requirements-gpu.lock"
BUILD = "requirements-build.lock"
TRAIN = "requirements-train.lock"
DEV = "requirements-dev.lock"
BENCH = "requirements-bench.lock"
WEIGHTS = "requirements-weights.lock"
TORCH = "requirements-torch.txt"
LOCKS = (BUILD, SERVER, SERVER_GPU, TRAIN, DEV, BENCH, WEIGHTS)
HASH = re.compile(r"--hash=sha256:[0-9a-f]{64}")

# Which files `make` installs together, and the extras of pyproject.toml that are in them.
INSTALLED_TOGETHER = {
    "a server": ((BUILD, SERVER), ("cpu",)),
    "a server on a GPU": ((BUILD, SERVER_GPU), ("gpu",)),
    "training": ((BUILD, SERVER, TRAIN, TORCH), ("cpu", "train", "encoders")),
    "tests": ((BUILD, SERVER, TRAIN, TORCH, DEV), ("cpu", "train", "encoders", "dev")),
    "benchmarks": ((BUILD, SERVER, TRAIN, TORCH, BENCH), ("cpu", "train", "encoders", "bench")),
}


@cache
def project() -> dict[str, Any]:
    return tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))


def entries(name: str) -> list[Requirement]:
    """Every `name==version` of a file, with its marker."""
    return [Requirement(line.split(" --hash=")[0]) for line in read_locked_packages(PROJECT / name)]


def required(extras: tuple[str, ...]) -> list[Requirement]:
    """What pyproject.toml asks for: its dependencies, and those of the extras."""
    optional = project()["project"]["optional-dependencies"]
    lines = [*project()["project"]["dependencies"], *(line for extra in extras for line in optional[extra])]
    return [Requirement(line) for line in lines]


def applies(requirement: Requirement, extras: tuple[str, ...] = ()) -> bool:
    marker = requirement.marker
    return marker is None or any(marker.evaluate({"extra": extra}) for extra in ("", *extras))


@pytest.mark.parametrize("name", LOCKS)
def test_every_package_has_an_exact_version_and_the_hashes_of_its_files(name: str) -> None:
    for line in read_locked_packages(PROJECT / name):
        package, *hashes = line.split(" --hash=")
        assert re.fullmatch(r"==[^,*]+", str(Requirement(package).specifier)), package
        assert len(hashes) >= 1, package
        assert all(HASH.fullmatch(f"--hash={value}") for value in hashes), package


@pytest.mark.parametrize("name", LOCKS)
def test_a_file_names_no_package_index_and_no_folder(name: str) -> None:
    text = (PROJECT / name).read_text(encoding="utf-8")
    options = [line for line in text.splitlines() if line.startswith("-")]

    assert "://" not in text
    assert " @ " not in text
    assert options == (["-r requirements-build.lock"] if name in (SERVER, SERVER_GPU) else [])


@pytest.mark.parametrize("use", INSTALLED_TOGETHER)
def test_every_requirement_of_pyproject_is_locked_in_a_version_that_it_allows(use: str) -> None:
    names, extras = INSTALLED_TOGETHER[use]
    locked = {canonicalize_name(entry.name): entry for name in names for entry in entries(name) if applies(entry)}

    for requirement in filter(applies, required(extras)):
        entry = locked.get(canonicalize_name(requirement.name))
        assert entry is not None, f"{requirement} is not locked: run `make lock`"
        (version,) = entry.specifier
        assert requirement.specifier.contains(version.version), f"{entry} is not {requirement}: run `make lock`"


@pytest.mark.parametrize("use", ["a server", "training", "tests"])
def test_the_locked_packages_are_exactly_those_that_are_needed_on_this_platform(use: str) -> None:
    """`--no-deps` installs only locked packages, so the dependencies of each of them must be locked, too."""
    names, extras = INSTALLED_TOGETHER[use]
    locked = {canonicalize_name(entry.name): entry for name in names for entry in entries(name) if applies(entry)}
    groups = [Requirement(line) for line in project()["dependency-groups"]["build"]]
    pending = [*filter(applies, required(extras)), *groups]
    observed: set[tuple[str, tuple[str, ...]]] = set()
    while pending:
        requirement = pending.pop()
        name, expected = canonicalize_name(requirement.name), tuple(sorted(requirement.extras))
        if (name, expected) in observed:
            continue
        observed.add((name, expected))
        assert name in locked, f"{requirement} is needed, but not locked: run `make lock`"
        (version,) = locked[name].specifier
        assert requirement.specifier.contains(version.version, prereleases=True), f"{locked[name]}, not {requirement}"
        try:
            lines = requires(name) or []
        except PackageNotFoundError:  # the lock files name it, but this environment was installed otherwise
            continue
        pending += [need for need in map(Requirement, lines) if applies(need, expected)]

    leftover = locked.keys() - {name for name, _ in observed} - {"tomlkit", "trove-classifiers", "pluggy", "pathspec"}
    assert leftover == set(), "run `make lock`"


def test_a_package_has_one_version_in_all_files() -> None:
    versions: dict[str, set[str]] = {}
    for name in (*LOCKS, TORCH):
        for entry in entries(name):
            versions.setdefault(f"{canonicalize_name(entry.name)} {entry.marker}", set()).add(str(entry.specifier))

    assert {package: results for package, results in versions.items() if len(results) > 1} == {}


def test_no_training_package_is_locked_for_a_server() -> None:
    training = {
        "torch",
        "transformers",
        "mlflow",
        "scikit-learn",
        "xgboost",
        "xgboost-cpu",
        "lightgbm",
        "skl2onnx",
        "onnx",
    }

    for name in (SERVER, SERVER_GPU, BUILD):
        assert not training & {canonicalize_name(entry.name) for entry in entries(name)}


def test_the_accelerators_packages_are_never_installed_together() -> None:
    packages = {name: {canonicalize_name(entry.name) for entry in entries(name)} for name in LOCKS}

    assert "onnxruntime" in packages[SERVER] and "onnxruntime-gpu" in packages[SERVER_GPU]
    assert [name for name in LOCKS if "onnxruntime" in packages[name]] == [SERVER]
    assert [name for name in LOCKS if "onnxruntime-gpu" in packages[name]] == [SERVER_GPU]


def test_the_build_backend_is_locked_because_nothing_is_built_in_isolation() -> None:
    group = {str(Requirement(line)) for line in project()["dependency-groups"]["build"]}
    locked = {canonicalize_name(entry.name) for entry in entries(BUILD)}

    assert {str(Requirement(line)) for line in project()["build-system"]["requires"]} <= group
    assert {canonicalize_name(Requirement(line).name) for line in group} <= locked


def test_make_installs_packages_by_hash_and_prefers_no_second_index() -> None:
    makefile = (PROJECT / "Makefile").read_text(encoding="utf-8")
    installs = [line for line in makefile.splitlines() if "$(PIP) install" in line]

    unhashed = [line for line in installs if "$(LOCKED)" not in line]
    assert "--require-hashes" in makefile and "extra-index-url" not in makefile
    assert len(unhashed) == 2
    assert TORCH in unhashed[0]
    assert unhashed[1].endswith("--no-deps --no-build-isolation --editable .")


def test_workflows_use_actions_of_one_commit() -> None:
    for file in (PROJECT / ".github" / "workflows").glob("*.yml"):
        workflow = yaml.safe_load(file.read_text(encoding="utf-8"))
        steps = [step for job in workflow["jobs"].values() for step in job["steps"]]
        used = [step["uses"] for step in steps if "uses" in step]

        assert used
        assert all(re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", action) for action in used)
        assert workflow["permissions"] == {"contents": "read"}
