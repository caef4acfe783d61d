"""Build hook: turns the contracts in this folder into stubs beside them, each time the wheel is built or synced.

It also writes `coalition/contracts.binpb`, the descriptor set of all contracts with their comments: what `buf lint` and
`buf breaking` read, and what a partner without Python feeds to a generator of their own.
"""

import os
import sys
import sysconfig
import tempfile
from importlib.metadata import distribution
from importlib.resources import files
from pathlib import Path

from google.protobuf.descriptor_pb2 import FileDescriptorSet
from grpc_tools import protoc
from hatchling.builders.hooks.plugin.interface import BuildHookInterface
from protovalidate._gen.buf.validate import validate_pb

IMAGE = "coalition/contracts.binpb"
RULES = "buf/validate/validate.proto"


class Stubs(BuildHookInterface):  # type: ignore[misc]  # hatchling is there only while building
    """Generates before every build; hatchling finds it as the one hook class in this file."""

    def initialize(self, version: str, build_data: dict[str, object]) -> None:
        """Run protoc over the contracts and over the field rules they import."""
        generate(Path(self.root))


def generate(root: Path) -> None:
    """Write stubs, their types and the image into `root`; stop the build when protoc refuses a contract."""
    os.chdir(root)  # protoc names a fault by the path we give it
    os.environ["PATH"] = sysconfig.get_path("scripts") + os.pathsep + os.environ["PATH"]  # protoc-gen-mypy_grpc
    contracts = sorted(path.as_posix() for path in Path("coalition").rglob("*.proto"))
    with tempfile.TemporaryDirectory() as folder:
        rules = Path(folder) / "validate.binpb"
        rules.write_bytes(field_rules())
        run(rules, "--python_out=.", "--pyi_out=.", RULES)
        outputs = ("--python_out=.", "--pyi_out=.", "--grpc_python_out=.", "--mypy_grpc_out=.")
        image = ("--include_imports", "--include_source_info", f"--descriptor_set_out={IMAGE}")
        run(rules, *outputs, *image, *contracts)


def field_rules() -> bytes:
    """`validate.proto` as a descriptor set: the protovalidate wheel carries it, so it need not be vendored."""
    rules = FileDescriptorSet()
    rules.file.add().ParseFromString(validate_pb.desc().proto.to_binary())
    return rules.SerializeToString()


def run(rules: Path, *arguments: str) -> None:
    """Call protoc; its own message has gone to stderr when it answers anything but zero."""
    well_known = files("grpc_tools") / "_proto"
    google_apis = distribution("googleapis-common-protos").locate_file("")
    places = ("-I.", f"-I{well_known}", f"-I{google_apis}", f"--descriptor_set_in={rules}")
    if protoc.main(["protoc", *places, *arguments]) != 0:
        sys.exit("protoc refused the contracts; its message stands above.")
