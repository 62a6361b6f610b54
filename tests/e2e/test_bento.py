"""`frontdesk build`, and the Bento served as its users do: by its tag, and from a folder as inside a container."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
import venv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory

import bentoml
import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from model_store.bundle import Bundle, open_bundle
from tests.support.serving import EXIT_TIMEOUT_S, POLL_S, PROJECT, Server, environment, frontdesk, home_with

TEXT = "Where is my parcel? It should have come on Monday."
TOLD_WITHIN_S = 2.0
IMAGE_USER = 1034
"""Owns the files in an image. The tests' own user stands for any other user."""
WITHOUT_CAPABILITIES = ("setpriv", "--bounding-set=-all", "--inh-caps=-all") if os.geteuid() == 0 else ()
"""Equivalent of `--cap-drop=all`: root with only the file access of its own user and group."""
TRAINING_PACKAGES = "torch transformers mlflow scikit-learn xgboost xgboost-cpu lightgbm skl2onnx onnx scipy".split()


@dataclass(frozen=True)
class Built:
    """A Bento, its store, and the home that it was built from."""

    home: Path
    tag: str

    @property
    def store(self) -> Path:
        return self.home / "bentoml"

    @property
    def path(self) -> Path:
        return self.store / "bentos" / self.tag.replace(":", "/")

    def files(self) -> set[str]:
        """What lies in it, but for the caches that Python leaves beside code that ran."""
        files = (file.relative_to(self.path) for file in self.path.rglob("*") if file.is_file())
        return {file.as_posix() for file in files if file.parent.name != "__pycache__"}


@pytest.fixture(scope="module")
def built(tiny_bundle: Bundle, tmp_path_factory: pytest.TempPathFactory) -> Built:
    home = home_with(tiny_bundle, tmp_path_factory.mktemp("built") / "home")
    process = frontdesk(home, "build")
    assert process.returncode == 0, process.stderr
    return Built(home, process.stdout.split()[0])


@pytest.fixture
def served_home(tmp_path: Path) -> Path:
    """An empty home, far from the one that the Bento was built from."""
    home = tmp_path / "home"
    home.mkdir()
    return home


@dataclass(frozen=True)
class Image:
    """The folders of a container started from the Bento, without a container engine.

    `writable` holds everything that its user can write to. The virtual environment has the packages, not the project.
    """

    bento: Path
    writable: Path

    @property
    def home(self) -> Path:
        return self.writable / "home"

    @property
    def python(self) -> tuple[str, ...]:
        return (*WITHOUT_CAPABILITIES, str(self.bento / ".venv" / "bin" / "python"))

    @property
    def variables(self) -> dict[str, str]:
        """Environment of the Dockerfile without PYTHONPATH: `bentoml serve` must work without it."""
        return {
            "BENTO_PATH": str(self.bento),
            "BENTOML_CONTAINERIZED": "true",
            "BENTOML_HOME": str(self.bento.parent),
            "HOME": str(self.bento.parent),
            "PYTHONPATH": "",
            "TMPDIR": str(self.writable),
        }


@pytest.fixture
def image(built: Built) -> Iterator[Image]:
    """An image prepared by the Dockerfile's script: read-only, and owned by another user if the tests run as root."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        image = Image(folder / "bentoml" / "bento", folder / "writable")
        shutil.copytree(built.path, image.bento)
        shutil.copytree(built.store / "models", image.bento / "models")
        image.writable.mkdir()
        environment_of_packages(image.bento / ".venv")
        user = IMAGE_USER if WITHOUT_CAPABILITIES else os.geteuid()
        (prepares,) = (image.bento / "env" / "docker").glob("script__*")
        subprocess.run(
            ["sh", str(prepares)],
            env={
                "PATH": os.environ["PATH"],
                "BENTO_USER_UID": str(user),
                "BENTO_USER_GID": str(user if WITHOUT_CAPABILITIES else os.getegid()),
                "BENTOML_HOME": image.variables["BENTOML_HOME"],
                "FRONTDESK_HOME": str(folder / "frontdesk"),
                "VIRTUAL_ENV": str(image.bento / ".venv"),
            },
            check=True,
        )
        image.home.mkdir()
        read_only = (image.bento.parent, *image.bento.parent.rglob("*"))
        for path in read_only:
            if not path.is_symlink():
                path.chmod(path.stat().st_mode & ~0o222)
                if WITHOUT_CAPABILITIES:
                    os.chown(path, IMAGE_USER, IMAGE_USER)
        yield image
        for path in read_only:
            if path.is_dir() and not path.is_symlink():
                path.chmod(0o755)


def environment_of_packages(folder: Path) -> None:
    """A virtual environment with the packages installed here, but not the project, which is installed editable."""
    venv.create(folder, with_pip=False)
    (site_packages,) = folder.glob("lib/python*/site-packages")
    installed = Path(bentoml.__file__).parent.parent  # searched for packages, not for the path file of the project
    (site_packages / "installed.pth").write_text(f"{installed}\n", encoding="utf-8")
    command = folder / "bin" / "bentoml"
    command.write_text(f'#!/bin/sh\nexec {folder}/bin/python -m bentoml "$@"\n', encoding="utf-8")
    command.chmod(0o755)


def token(code: Path, home: Path, interpreter: Sequence[str] = (sys.executable,)) -> str:
    """A token of `home`'s key, from the command line inside the Bento, as docs/container.md gets it."""
    process = subprocess.run(
        [*interpreter, "-m", "cli", "token"],
        cwd=code, env=environment(home), capture_output=True, text=True, timeout=EXIT_TIMEOUT_S, check=True,
    )  # fmt: skip
    return process.stdout.strip()


class TestServed:
    def test_by_its_tag_it_answers_with_the_bundle_it_carries_and_writes_outside_of_itself(
        self, built: Built, tiny_bundle: Bundle, served_home: Path, tmp_path: Path
    ) -> None:
        before = built.files()
        with Server(
            served_home,
            workers=1,
            command=("-m", "bentoml", "serve", built.tag),
            cwd=tmp_path,
            variables={"BENTOML_HOME": str(built.store)},
        ) as server:
            bearer = {"authorization": f"Bearer {token(built.path / 'src', served_home)}"}
            with server.client() as client:
                ready = client.get("/readyz").json()
                answer = client.post("/v1/queries", json={"text": TEXT}, headers=bearer)
            listening = server.tcp_ports() - {server.port, server.grpc_port}

        assert not listening
        assert answer.status_code == 200, answer.text
        assert answer.json()["model_version"] == ready["model_version"] == tiny_bundle.version
        assert server.processes() == []
        assert (served_home / "frontdesk.db").exists()
        assert built.files() == before

    def test_in_another_placement_than_it_was_built_in_and_with_another_bundle(
        self, built: Built, encoder_bundle: Bundle, served_home: Path, tmp_path: Path
    ) -> None:
        """A Bento lists the services of the placement it was built in; `bentos/asgi_service.py` works around that.

        In a container nothing replaces dead encoders: the API worker reports them until the master ends.
        """
        with (
            Server(
                served_home,
                workers=1,
                command=("-m", "bentoml", "serve", built.tag),
                cwd=tmp_path,
                variables={"BENTOML_HOME": str(built.store), "BENTOML_CONTAINERIZED": "true"},
                model__placement="dedicated",
                model__bundle=encoder_bundle.path,
            ) as server,
            server.client() as client,
        ):
            answer = client.post("/v1/queries", json={"text": TEXT})
            listening = server.tcp_ports() - {server.port, server.grpc_port}
            (encoders,) = (served_home / "run").glob("*/encoders")
            os.kill(int(encoders.read_text(encoding="utf-8")), 9)
            give_up = time.monotonic() + TOLD_WITHIN_S
            while (alive := client.get("/livez")).status_code == 200 and time.monotonic() < give_up:
                time.sleep(POLL_S)
            ended = server.process.wait(EXIT_TIMEOUT_S)

        assert not listening
        assert answer.status_code == 200, answer.text
        assert [member["name"] for member in answer.json()["members"]][-2:] == ["distilbert", "roberta"]
        assert (alive.status_code, alive.json()["dead_workers"]) == (503, ["encoders"])
        assert ended != 0

    def test_as_in_its_image_it_needs_no_project_no_store_and_no_writable_root_and_ends_with_its_only_worker(
        self, built: Built, tiny_bundle: Bundle, image: Image
    ) -> None:
        """`containerize` copies the model store beside the code; a restart policy then starts a new container."""
        with Server(
            image.home,
            workers=1,
            interpreter=(*WITHOUT_CAPABILITIES, "bash"),
            command=(str(image.bento / "env" / "docker" / "entrypoint.sh"),),
            cwd=image.bento,
            variables=image.variables,
        ) as server:
            bearer = {"authorization": f"Bearer {token(image.bento / 'src', image.home, image.python)}"}
            with server.client() as client:
                answer = client.post("/v1/queries", json={"text": TEXT}, headers=bearer).json()
            listening = server.tcp_ports() - {server.port, server.grpc_port}
            os.kill(server.workers()["worker-1"], 9)
            give_up = time.monotonic() + EXIT_TIMEOUT_S
            while server.process.poll() is None and time.monotonic() < give_up:
                time.sleep(POLL_S)
            ended = server.process.poll()

        assert not listening
        assert answer["model_version"] == tiny_bundle.version
        assert ended is not None
        assert {path.name for path in image.writable.iterdir()} >= {"bentoml", "home"}


class TestBuilt:
    def test_the_bundle_is_stored_once_however_often_it_is_built(self, built: Built, tiny_bundle: Bundle) -> None:
        stored = built.store / "models" / "frontdesk-ensemble" / tiny_bundle.version
        created = (stored / "model.yaml").stat().st_mtime_ns

        again = frontdesk(built.home, "build")

        assert again.returncode == 0, again.stderr
        assert again.stdout.split()[0] != built.tag
        assert (stored / "model.yaml").stat().st_mtime_ns == created
        assert open_bundle(stored / "bundle").manifest == tiny_bundle.manifest

    def test_the_stored_model_says_what_it_is(self, built: Built, tiny_bundle: Bundle) -> None:
        model = built.store / "models" / "frontdesk-ensemble" / tiny_bundle.version / "model.yaml"
        metadata = yaml.safe_load(model.read_text(encoding="utf-8"))["metadata"]

        assert metadata["intents"] == len(tiny_bundle.manifest.intents)
        assert metadata["feature_fingerprint"] == tiny_bundle.manifest.feature_fingerprint
        assert metadata["figures"]["intent"]["ensemble"] == tiny_bundle.manifest.metrics["intent"]["ensemble"]

    def test_it_packs_the_code_of_a_server_and_nothing_else(self, built: Built) -> None:
        packed = {file.split("/")[1] for file in built.files() if file.startswith("src/")}

        assert packed == set("bentofile.yaml bentos cli configuration.yaml frontdesk model_store runners".split())

    def test_its_packages_are_pinned_by_hash_and_none_is_for_training(self, built: Built) -> None:
        text = (built.path / "env" / "python" / "requirements.txt").read_text(encoding="utf-8")
        lines = [line.split(" --hash=sha256:") for line in text.replace("\\\n", "").splitlines() if line]
        packages = {line[0].strip(): line[1:] for line in lines[:-1]}
        unhashed = lines[-1]  # BentoML adds itself; its hashes are in the lines above
        names = {canonicalize_name(Requirement(package).name) for package in packages}

        assert {"bentoml", "onnxruntime", "fastapi"} <= names
        assert not names & {*TRAINING_PACKAGES, "hatchling"}
        assert all(re.match(r"[^=]+==[^,*]+", package) for package in packages)
        assert [package for package, hashes in packages.items() if not hashes] == []
        assert unhashed == [f"bentoml=={version('bentoml')}"]

    def test_its_image_is_slim_serves_as_nobody_special_and_knows_that_it_is_a_container(self, built: Built) -> None:
        lines = (built.path / "env" / "docker" / "Dockerfile").read_text(encoding="utf-8").splitlines()
        arguments = dict(line.removeprefix("ARG ").split("=") for line in lines if line.startswith("ARG "))

        (base,) = (line for line in lines if line.startswith("FROM "))
        assert re.fullmatch(r"FROM python:3\.\d+-slim AS base-container", base)
        assert [line for line in lines if line.startswith("USER ")] == ["USER bentoml"]
        assert [line for line in lines if line.startswith("EXPOSE ")] == ["EXPOSE 3000", "EXPOSE 3001"]
        assert "ENV BENTOML_CONTAINERIZED=true" in lines
        assert arguments["FRONTDESK_SERVER__WORKERS"] == "1"
        assert arguments["FRONTDESK_SERVER__HOST"] == "0.0.0.0"
        assert arguments["PYTHONPATH"] == f"{arguments['BENTO_PATH']}/src"
        (prepares,) = (built.path / "env" / "docker").glob("script__*")
        assert prepares.read_text(encoding="utf-8") == (PROJECT / "bentos" / "prepare_image.sh").read_text(
            encoding="utf-8"
        )


def test_without_a_champion_there_is_nothing_to_build(tmp_path: Path) -> None:
    process = frontdesk(tmp_path, "build")

    assert process.returncode == 1
    assert "No model has been promoted yet." in process.stderr
