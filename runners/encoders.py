"""Both encoders in one process, the single owner of a GPU, for placement `dedicated`."""

from __future__ import annotations

import bentoml

from runners.placement import ENCODERS, MEMBERS
from runners.serving import SETTINGS, Runner, RunnerService, member_scores, pinned_bundle
from runners.wire import texts_from_arrays


@bentoml.service(name=ENCODERS, service_class=RunnerService, workers=1, **SETTINGS.bentoml)
class Encoders(Runner):
    """The encoder members of the pinned bundle."""

    def __init__(self) -> None:
        bundle = pinned_bundle()
        super().__init__(bundle, member_scores(bundle, MEMBERS[ENCODERS], texts_from_arrays))
