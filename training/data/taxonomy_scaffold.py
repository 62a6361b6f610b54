"""Taxonomy from the labels of the data: without policies for training, and as a YAML template for writing policies.

`frontdesk/taxonomy.py` defines the policies.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import yaml

from frontdesk.errors import DataError
from frontdesk.taxonomy import IntentPolicy, Taxonomy
from training.data.examples import Example, list_intents

_HEAD = """\
# Intents of customers' messages ({intents} intents) and the team's policies for them.
#
# An intent without a policy (only its name) is recognised but never automated. A policy looks like this:
#
#   cancel_order:
#     description: The customer wants to cancel an order that was placed.
#     urgency: high            # low | medium | high: the base of the priority score
#     automate: false          # true: a reply may be sent without a person if the confidence is high enough
#     escalate: false          # true: always hand over to a person, regardless of the confidence
#     actions: [look_up_order] # possible next steps of an agent, from the list at the end of this file

intents:
"""
_FOOT = """
actions:
#  look_up_order: Look up the order and its status.
"""


def build_taxonomy(examples: Sequence[Example]) -> Taxonomy:
    """Create a taxonomy of all intents of the rows, in order of name, without policies.

    Raises:
        DataError: no row has an intent.
    """
    return Taxonomy(tuple(IntentPolicy(name, is_defined=False) for name in _require_intents(examples)), {})


def render_taxonomy(examples: Sequence[Example]) -> str:
    """Render the same taxonomy as a YAML template, with the number of rows of each intent in a comment.

    Raises:
        DataError: no row has an intent.
    """
    intents, row_counts = _require_intents(examples), Counter(example.intent for example in examples)
    lines = (f"  {_yaml_key(name)}:  # {row_counts[name]} rows\n" for name in intents)
    return _HEAD.format(intents=len(intents)) + "".join(lines) + _FOOT


def _require_intents(examples: Sequence[Example]) -> tuple[str, ...]:
    if intents := list_intents(examples, ()):
        return intents
    raise DataError("No row has an intent.", hint="Say which column holds it: --intent COLUMN")


def _yaml_key(name: str) -> str:
    """A YAML key for the name, quoted if YAML would read it as another type, such as yes, no and 1."""
    quoted: str = yaml.safe_dump([name], default_flow_style=True, allow_unicode=True, width=float("inf"))
    return quoted.strip()[1:-1]
