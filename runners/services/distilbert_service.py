"""DistilBERT as a separate service, for placement `distributed`."""

from __future__ import annotations

import bentoml

from runners.remote.placement import DISTILBERT, MEMBERS
from runners.remote.tensor_codec import texts_from_arrays
from runners.services.runner_service import SETTINGS, Runner, RunnerService, load_member_handler, open_pinned_bundle


@bentoml.service(name=DISTILBERT, service_class=RunnerService, workers=1, **SETTINGS.bentoml)
class DistilBert(Runner):
    """DistilBERT of the pinned bundle."""

    def __init__(self) -> None:
        bundle = open_pinned_bundle()
        super().__init__(bundle, load_member_handler(bundle, MEMBERS[DISTILBERT], texts_from_arrays))
