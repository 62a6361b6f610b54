"""The models as they run in a server, in its own processes or in processes beside them.

`ensemble.py` is the map of one prediction, `placement.py` of what runs where. `models/` are plain classes that know
neither requests nor BentoML; `batcher.py` and `champion.py` stand in front of them in an API worker. A part in another
process is a service (`encoders.py`, `distilbert.py`, `roberta.py`, `trees.py`, `meta_learner.py`) on what
`serving.py` makes of it, reached through `remote.py` and `connection.py`; `heartbeats.py` tells who is alive.
"""

import frontdesk  # noqa: F401 - imported first: it switches off the usage reports of libraries
