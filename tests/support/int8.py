"""Whether this processor multiplies int8 exactly.

Without VNNI, onnxruntime's kernel adds pairs of products in 16 bits, where large values saturate. A server detects this
with the golden rows of its bundle and uses fp32; tests of int8 graphs need a processor with exact products.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import onnxruntime
import pytest
from onnx import TensorProto, helper

DEPTH = 64


@cache
def is_exact() -> bool:
    """Whether the largest uint8 and int8 values have an exact product."""
    product = helper.make_graph(
        [helper.make_node("MatMulInteger", ["tokens", "weights"], ["out"])],
        "product",
        [
            helper.make_tensor_value_info("tokens", TensorProto.UINT8, [4, DEPTH]),
            helper.make_tensor_value_info("weights", TensorProto.INT8, [DEPTH, DEPTH]),
        ],
        [helper.make_tensor_value_info("out", TensorProto.INT32, [4, DEPTH])],
    )
    model = helper.make_model(product, opset_imports=[helper.make_opsetid("", 17)], ir_version=10)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    tokens, weights = np.full((4, DEPTH), 255, np.uint8), np.full((DEPTH, DEPTH), 127, np.int8)
    (out,) = session.run(None, {"tokens": tokens, "weights": weights})
    return bool((out == 255 * 127 * DEPTH).all())


needs_exact_int8 = pytest.mark.skipif(
    not is_exact(), reason="this processor (without VNNI) does not multiply int8 exactly"
)
