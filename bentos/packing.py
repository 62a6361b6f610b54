"""The Bento: how it is built around a bundle, and what is different for a service that is served from one.

The bundle travels as a BentoML model that the Bento names, not as files beside the code. BentoML then does the rest:
`bentoml serve TAG` reads it from the store the Bento lies in, `containerize` and `export` copy it into the Bento, and
two Bentos of one bundle keep one copy. A `BentoModel` as attribute of the service class would do the same but is looked
up whenever the service is, and a plain checkout has no such model.
"""

from __future__ import annotations

from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from tempfile import NamedTemporaryFile

import bentoml
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from frontdesk.config import PROJECT, Settings
from frontdesk.errors import ConfigurationError
from model_store.bento_models import path_of, signer_of, store
from model_store.bundle import Bundle

RECIPE = "bentofile.yaml"
_CODE = "src"  # where BentoML puts what the recipe includes


def pack(bundle: Bundle) -> str:
    """Put the bundle into the model store and build the Bento of this checkout that carries it.

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
    recipe["python"]["packages"] = pinned(recipe["python"]["packages"])
    recipe["models"] = [store(bundle)]
    with NamedTemporaryFile("w", suffix=".yaml", encoding="utf-8") as written:  # `build` itself converts no `envs`
        yaml.safe_dump(recipe, written)
        written.flush()
        return str(bentoml.bentos.build_bentofile(written.name, build_ctx=str(PROJECT)).tag)


def pinned(packages: Iterable[str]) -> list[str]:
    """The packages and all that they and BentoML need, each as `name==version` of what is installed here.

    So an image gets what this environment was tested with. BentoML could lock them itself (`lock_packages`), but asks
    the package index for that, and takes whatever is newest on that day. What is not installed here keeps its range.
    """
    pins: dict[str, str] = {}
    seen: set[tuple[str, frozenset[str]]] = set()
    waiting = [Requirement(line) for line in (*packages, bentoml.__name__)]
    while waiting:
        wanted = waiting.pop()
        name, extras = canonicalize_name(wanted.name), frozenset(wanted.extras)
        if (name, extras) in seen:
            continue
        seen.add((name, extras))
        try:
            found = distribution(name)
        except PackageNotFoundError:
            pins[name] = str(wanted)
            continue
        pins[name] = f"{name}=={found.version}"
        needs = [Requirement(line) for line in found.requires or ()]
        waiting += [need for need in needs if _applies(need, extras)]
    del pins[bentoml.__name__]  # BentoML adds itself
    return sorted(pins.values())


def _applies(need: Requirement, extras: frozenset[str]) -> bool:
    return need.marker is None or any(need.marker.evaluate({"extra": extra}) for extra in extras | {""})


def placed(settings: Settings, bento: bentoml.Bento) -> Settings:
    """Settings for a service that is served from `bento`: the bundle it carries, unless another one is named, and a
    home outside of it. A Bento is not to be written to, so a home that would lie in it (the configuration file does,
    and `home` is relative to that) lies in the working directory instead.
    """
    if settings.model.bundle is None and bento.info.models:
        tag = str(bento.info.models[0].tag)
        model = settings.model.model_copy(update={"bundle": path_of(tag)})
        keys = (*settings.security.bundle_keys, signer_of(tag))
        security = settings.security.model_copy(update={"bundle_keys": keys})
        settings = settings.model_copy(update={"model": model, "security": security})
    code = Path(bento.path_of(_CODE)).resolve()
    if settings.home.is_relative_to(code):
        settings = settings.model_copy(update={"home": Path.cwd() / settings.home.relative_to(code)})
    return settings
