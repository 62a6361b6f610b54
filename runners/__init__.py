"""Model serving, in the process of the server or in separate processes.

server/     the model side of an API worker, and its outermost layer, the cache
balancing/  the layer below: forwards work to less busy workers of the same server
batching/   the innermost layer: which requests run together, and which are refused
ensemble/   one prediction: base models, meta-learner, calibration
models/     the models as plain classes, independent of requests and BentoML
remote/     models in other processes: placements, and the client that calls them
services/   these processes as BentoML services, heartbeats, and the settings that a server's processes share
layer.py    the interface of the layers: Cached(Balanced(Batched(ensemble)))
"""

import frontdesk  # noqa: F401 - imported first: it disables the usage reports of libraries
