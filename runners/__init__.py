"""The models as a server runs them, in its own process or in processes of their own.

server/     the model side of an API worker, and its outermost layer, the cache
balancing/  the layer below: forwards work to less busy workers of the same server
batching/   the innermost layer: which requests run together, and which are refused
ensemble/   one prediction: base models, meta-learner, calibration
models/     the models as plain classes, which know neither requests nor BentoML
remote/     models in other processes: where each runs, and how it is called
services/   these processes as BentoML services, and what all processes of a server share
port.py     what each layer implements around the next: Cached(Balanced(Batched(ensemble)))
"""

import frontdesk  # noqa: F401 - imported first: it switches off the usage reports of libraries
