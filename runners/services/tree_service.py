"""RandomForest, XGBoost and LogisticRegression as one service, for placement `distributed`."""

from __future__ import annotations

import bentoml

from runners.remote.placement import MEMBERS, TREES
from runners.remote.tensor_codec import rows_from_arrays
from runners.services.runner_service import SETTINGS, Runner, RunnerService, load_member_handler, open_pinned_bundle


@bentoml.service(name=TREES, service_class=RunnerService, workers=1, **SETTINGS.bentoml)
class TreesAndLinear(Runner):
    """The members of the pinned bundle that use feature rows."""

    def __init__(self) -> None:
        bundle = open_pinned_bundle()
        super().__init__(bundle, load_member_handler(bundle, MEMBERS[TREES], rows_from_arrays))
