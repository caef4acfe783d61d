"""Who may call what in settlement. What is not written here nobody may."""

from __future__ import annotations

from collections.abc import Mapping

from shared.rpc.caller import Role

_CONTRACTS = "/coalition.settlement.v1.ContractService"
_WINDOWS = "/coalition.settlement.v1.WindowService"
_STATEMENTS = "/coalition.settlement.v1.StatementService"
_OPERATOR = frozenset({Role.OPERATOR})
_OPERATOR_AND_PARTNER = frozenset({Role.OPERATOR, Role.PARTNER})

ACCESS: Mapping[str, frozenset[Role]] = {
    f"{_CONTRACTS}/PublishContractVersion": _OPERATOR,
    f"{_CONTRACTS}/ListContractVersions": _OPERATOR_AND_PARTNER,
    f"{_CONTRACTS}/GetPosition": _OPERATOR_AND_PARTNER,
    f"{_WINDOWS}/CloseWindow": _OPERATOR,
    f"{_WINDOWS}/GetWindow": _OPERATOR,
    f"{_WINDOWS}/ListWindows": _OPERATOR,
    f"{_WINDOWS}/GetIngestStatus": _OPERATOR,
    f"{_WINDOWS}/VerifyBooks": _OPERATOR,
    f"{_STATEMENTS}/GetStatement": _OPERATOR_AND_PARTNER,
    f"{_STATEMENTS}/ListStatements": _OPERATOR_AND_PARTNER,
}
