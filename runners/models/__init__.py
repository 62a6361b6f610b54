"""The models as plain classes around ONNX sessions, independent of requests and BentoML."""
