"""Generate the Python code of frontdesk.proto into its folder: python -m bentos.grpc.generate

The generated files are part of the repository, and a test fails if they are out of date. Needs grpcio-tools, which is
not installed on a server.
"""

from __future__ import annotations

import sys
from importlib.resources import files
from pathlib import Path

from google.rpc import status_pb2

ROOT = Path(__file__).resolve().parent.parent.parent
PROTO = "bentos/grpc/frontdesk.proto"
GENERATED = ("frontdesk_pb2.py", "frontdesk_pb2.pyi", "frontdesk_pb2_grpc.py")


def generate_protobuf_code(folder: Path) -> Path:
    """Write the generated files below `folder`, at the path of their package. Return the folder with the files."""
    from grpc_tools import protoc

    includes = [ROOT, files("grpc_tools") / "_proto", Path(status_pb2.__file__).parents[2]]
    outputs = [f"--{option}={folder}" for option in ("python_out", "pyi_out", "grpc_python_out")]
    code = protoc.main(["protoc", *(f"--proto_path={path}" for path in includes), *outputs, PROTO])
    if code != 0:
        raise SystemExit(code)
    return (folder / PROTO).parent


if __name__ == "__main__":
    print(f"Written to {generate_protobuf_code(ROOT)}", file=sys.stderr)  # noqa: T201 - a command for people
