"""Names that are stored or public: tables, JSON keys, metrics, routes, settings, commands and others.

    python -m tests.unit.stable_names     writes stable_names.yaml

`collect` reads them from the code. A database, a bundle, a client, a dashboard or a script of a user depends on each of
them, so a change needs a reviewer's consent, which the change of stable_names.yaml shows.
"""

from __future__ import annotations

import sys

import yaml

from tests.support.source_tree import sources
from tests.unit.stable_names.collectors import FILE, collect, settled


def main() -> int:
    content = {kind: settled(kind, names) for kind, names in collect().items()}
    head = "# Names that are stored or public. Written by: python -m tests.unit.stable_names\n"
    FILE.write_text(head + yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=1000), encoding="utf-8")
    sys.stdout.write(f"{sum(map(len, content.values()))} names of {len(sources())} modules are in {FILE.name}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
