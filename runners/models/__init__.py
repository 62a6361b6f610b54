"""The models as plain classes around ONNX sessions. They know neither requests nor BentoML."""
