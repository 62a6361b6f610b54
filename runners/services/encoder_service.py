"""Both encoders in one process, which is the only user of a GPU, for placement `dedicated`."""

from __future__ import annotations

import bentoml

from runners.remote.placement import ENCODERS, MEMBERS
from runners.remote.tensor_codec import texts_from_arrays
from runners.services.runner_service import SETTINGS, Runner, RunnerService, load_member_handler, open_pinned_bundle


@bentoml.service(name=ENCODERS, service_class=RunnerService, workers=1, **SETTINGS.bentoml)
class Encoders(Runner):
    """The encoder members of the pinned bundle."""

    def __init__(self) -> None:
        bundle = open_pinned_bundle()
        super().__init__(bundle, load_member_handler(bundle, MEMBERS[ENCODERS], texts_from_arrays))
