"""Build a Bento with a bundle, and adapt the settings of a service that runs from a Bento.

The Bento refers to the bundle as a BentoML model instead of containing its files. `bentoml serve TAG` reads the model
from the Bento's store, `containerize` and `export` copy it into the Bento, and two Bentos with the same bundle share
one copy. A `BentoModel` attribute of the service class would do the same, but BentoML looks it up whenever it loads
the service, and a checkout has no such model.
"""

from __future__ import annotations

from contextlib import suppress
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from tempfile import NamedTemporaryFile

import bentoml
import yaml

from frontdesk.config import PROJECT, Settings
from frontdesk.errors import ConfigurationError
from model_store.bento_store import path_of, signer_public_key, store_bundle
from model_store.bundle import Bundle

RECIPE = "bentofile.yaml"
LOCK_FILES = {"onnxruntime-gpu": "requirements-gpu.lock", "onnxruntime": "requirements.lock"}
"""The lock file for each onnxruntime package."""
_CODE = "src"  # the folder for files that the recipe includes


def build_bento(bundle: Bundle) -> str:
    """Store the bundle as a BentoML model and build a Bento of this checkout that uses it.

    Returns:
        The Bento's tag.

    Raises:
        ConfigurationError: this is an installed package, not a checkout.
    """
    try:
        recipe = yaml.safe_load((PROJECT / RECIPE).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigurationError(
            f"There is no {RECIPE} at {PROJECT}: a Bento is built from a checkout.",
            hint="Clone the repository and run `frontdesk build` there.",
        ) from None
    del recipe["python"]["requirements_txt"]
    recipe["python"]["packages"] = read_locked_packages(PROJECT / matching_lock_file_name())
    model = store_bundle(bundle)
    recipe["models"] = [model]
    with NamedTemporaryFile("w", suffix=".yaml", encoding="utf-8") as recipe_file:  # `build` does not convert `envs`
        yaml.safe_dump(recipe, recipe_file)
        recipe_file.flush()
        bento = bentoml.bentos.build_bentofile(recipe_file.name, build_ctx=str(PROJECT))
    for folder in (bento.path, bentoml.models.get(model).path):
        _make_readable(Path(folder))
        _make_parents_enterable(Path(folder))
    return str(bento.tag)


def matching_lock_file_name() -> str:
    """The name of the lock file that matches the onnxruntime package installed here.

    Raises:
        ConfigurationError: onnxruntime is not installed.
    """
    for package, name in LOCK_FILES.items():
        with suppress(PackageNotFoundError):
            distribution(package)
            return name
    raise ConfigurationError(
        f"Neither {' nor '.join(LOCK_FILES)} is installed, so the lock file of the Bento cannot be chosen.",
        hint="Run `make .venv/.serve-cpu`, or `make ACCELERATOR=gpu .venv/.serve-gpu`.",
    )


def read_locked_packages(lock: Path) -> list[str]:
    """Read the packages of a lock file, each as one line: `name==version`, marker and hashes.

    Included files (the build backend) are skipped, because a Bento is not built from source.
    """
    lines = lock.read_text(encoding="utf-8").replace("\\\n", " ").splitlines()
    return [" ".join(line.split()) for line in lines if line and not line.startswith(("#", "-"))]


def _make_readable(folder: Path) -> None:
    """Make the files readable for all users: an image keeps their modes and may run as any user.

    BentoML's folder above stays closed to other users of this machine.
    """
    for path in (folder, *folder.rglob("*")):
        mode = path.stat().st_mode
        path.chmod(mode | (0o555 if path.is_dir() or mode & 0o100 else 0o444))


def _make_parents_enterable(folder: Path) -> None:
    """Let all users enter `models/NAME/` and `models/`, which an image copies from the store."""
    for path in (folder.parent, folder.parent.parent):
        path.chmod(path.stat().st_mode | 0o555)


def bento_settings(settings: Settings, bento: bentoml.Bento) -> Settings:
    """Settings of a service that runs from `bento`.

    The bundle is the Bento's model unless the settings name another one. A Bento must not be modified, so a home inside
    the Bento is moved to the working directory. This happens with a relative `home`, because it is relative to the
    configuration file, which is part of the Bento.
    """
    if settings.model.bundle is None and bento.info.models:
        tag = str(bento.info.models[0].tag)
        model = settings.model.model_copy(update={"bundle": path_of(tag)})
        keys = (*settings.security.bundle_keys, signer_public_key(tag))
        security = settings.security.model_copy(update={"bundle_keys": keys})
        settings = settings.model_copy(update={"model": model, "security": security})
    code = Path(bento.path_of(_CODE)).resolve()
    if settings.home.is_relative_to(code):
        settings = settings.model_copy(update={"home": Path.cwd() / settings.home.relative_to(code)})
    return settings
