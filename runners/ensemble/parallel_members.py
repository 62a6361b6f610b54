"""All members of a batch: one after another, or an encoder beside the others on a core that is free.

Two encoders take nine tenths of a batch's time. One after the other costs the least CPU, which is what counts while all
cores are busy; beside each other they cost a hundredth more and take half as long, which is what counts for a lone
message on an idle machine.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Executor

from frontdesk.scores import Scores
from runners.models.base_model import Batch, Member
from runners.models.onnx_encoder import Encoder


def score_members(
    members: Sequence[Member], batch: Batch, encoder_executor: Executor | None = None
) -> tuple[Scores, ...]:
    """The scores of each of `members`; with `encoder_executor`, the first encoder of this process runs there meanwhile."""
    encoder = next((member for member in members if isinstance(member, Encoder)), None)
    if encoder_executor is None or encoder is None:
        return tuple(member.scores(batch) for member in members)
    future = encoder_executor.submit(encoder.scores, batch)
    others = {member.name: member.scores(batch) for member in members if member is not encoder}
    return tuple(future.result() if member is encoder else others[member.name] for member in members)
