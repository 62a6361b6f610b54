"""The taxonomy of a team's own labels: without policies to train with, and as YAML to write policies into.

Knows nothing of files; what a policy is, `frontdesk/taxonomy.py` says.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import yaml

from frontdesk.errors import DataError
from frontdesk.taxonomy import IntentPolicy, Taxonomy
from training.data.examples import Example, list_intents

_HEAD = """\
# What customers write about ({intents} intents), and what the team allows for it.
#
# An intent with nothing behind its name has no policy: it is understood, and never automated. A policy looks like this:
#
#   cancel_order:
#     description: The customer wants to cancel an order that was placed.
#     urgency: high            # low | medium | high: the base of the priority score
#     automate: false          # may a reply be sent without a person, once the model is sure enough?
#     escalate: false          # always hand over to a person, however sure the model is
#     actions: [look_up_order] # what an agent may do next, from the list at the end of this file

intents:
"""
_FOOT = """
actions:
#  look_up_order: Look up the order and what became of it.
"""


def build_taxonomy(examples: Sequence[Example]) -> Taxonomy:
    """Every intent that the rows have, in order of name, without a policy.

    Raises:
        DataError: when no row has an intent.
    """
    return Taxonomy(tuple(IntentPolicy(name, is_defined=False) for name in _require_intents(examples)), {})


def render_taxonomy(examples: Sequence[Example]) -> str:
    """The same as YAML to be edited, with the number of rows beside each intent; `Taxonomy.read` reads it.

    Raises:
        DataError: when no row has an intent.
    """
    intents, row_counts = _require_intents(examples), Counter(example.intent for example in examples)
    lines = (f"  {_key(name)}:  # {row_counts[name]} rows\n" for name in intents)
    return _HEAD.format(intents=len(intents)) + "".join(lines) + _FOOT


def _require_intents(examples: Sequence[Example]) -> tuple[str, ...]:
    if intents := list_intents(examples, ()):
        return intents
    raise DataError("No row has an intent.", hint="Say which column holds it: --intent COLUMN")


def _key(name: str) -> str:
    """The name in quotes where YAML would take it for something else, as it does with yes, no and 1."""
    quoted: str = yaml.safe_dump([name], default_flow_style=True, allow_unicode=True, width=float("inf"))
    return quoted.strip()[1:-1]
