"""The domain types of Frontdesk and its use case: understand a customer's message and answer it.

This package imports none of the others (`runners`, `model_store`, `training`, `bentos`, `cli`). They import it before
any library, because it disables telemetry of libraries, and some libraries start recording when they are imported.
"""

import os

__version__ = "0.1.0"

USAGE_REPORTS_OFF = {
    "ORT_DISABLE_TELEMETRY": "1",  # onnxruntime stores events in ~/.cache/Microsoft and sends them
    "BENTOML_DO_NOT_TRACK": "True",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "DO_NOT_TRACK": "1",
}

for _name, _value in USAGE_REPORTS_OFF.items():
    os.environ.setdefault(_name, _value)
