"""Default deny holds only when nobody can forget a row: every RPC of a contract stands in its service's table."""

import importlib

import pytest
from google.protobuf.descriptor import FileDescriptor

from shared.rpc.caller import Role
from tests.architecture.sources import ROOT

CONTRACTS = ROOT / "protos" / "coalition"
SERVICES = sorted({path.relative_to(CONTRACTS).parts[0] for path in CONTRACTS.rglob("*.proto")})


def rpcs(service: str) -> set[str]:
    """Full names of all methods that a service's contracts declare, in every version."""
    names = set()
    for contract in (CONTRACTS / service).rglob("*.proto"):
        path = contract.relative_to(CONTRACTS.parent).with_suffix("")
        file: FileDescriptor = importlib.import_module(".".join(path.parts) + "_pb2").DESCRIPTOR
        for declared in file.services_by_name.values():
            names |= {f"/{declared.full_name}/{method.name}" for method in declared.methods}
    return names


@pytest.mark.parametrize("service", SERVICES)
def test_every_rpc_has_its_row_and_every_row_its_rpc(service: str) -> None:
    table = importlib.import_module(f"services.{service}.access").ACCESS
    assert set(table) == rpcs(service)


@pytest.mark.parametrize("service", SERVICES)
def test_every_row_names_somebody_and_only_roles(service: str) -> None:
    table = importlib.import_module(f"services.{service}.access").ACCESS
    assert [method for method, roles in table.items() if not roles or not roles <= set(Role)] == []
