"""Read YAML files of a team: taxonomy, policies, questions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from frontdesk.errors import ConfigurationError


def read_yaml(path: Path, name: str) -> Any:
    """Return the contents of a YAML (or JSON) file.

    Args:
        path: the file.
        name: what the file contains, for the error message if it is missing.

    Raises:
        ConfigurationError: the file does not exist, or is not valid YAML.
    """
    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigurationError(f"There is no {name} at {path}.") from None
    except yaml.YAMLError as error:
        raise ConfigurationError(f"{path} is not valid YAML: {error}") from None
