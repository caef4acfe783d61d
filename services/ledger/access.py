"""Who may call what in the ledger. What is not written here nobody may."""

from __future__ import annotations

from collections.abc import Mapping

from shared.rpc.caller import Role

_LEDGER = "/coalition.ledger.v1.LedgerService"
_PEERS = "/coalition.ledger.v1.PeerService"

ACCESS: Mapping[str, frozenset[Role]] = {
    f"{_LEDGER}/AwardPoints": frozenset({Role.PARTNER, Role.CATALOGUE}),
    f"{_LEDGER}/BatchAwardPoints": frozenset({Role.PARTNER, Role.CATALOGUE}),
    f"{_LEDGER}/StreamAwardPoints": frozenset({Role.PARTNER, Role.CATALOGUE}),
    f"{_LEDGER}/HoldPoints": frozenset({Role.PARTNER}),
    f"{_LEDGER}/ExtendHold": frozenset({Role.PARTNER}),
    f"{_LEDGER}/CaptureHold": frozenset({Role.PARTNER}),
    f"{_LEDGER}/ReleaseHold": frozenset({Role.PARTNER}),
    f"{_LEDGER}/BatchReleaseHolds": frozenset({Role.PARTNER}),
    f"{_LEDGER}/RedeemPoints": frozenset({Role.PARTNER}),
    f"{_LEDGER}/ReverseAward": frozenset({Role.PARTNER, Role.CATALOGUE}),
    f"{_LEDGER}/RefundRedemption": frozenset({Role.PARTNER}),
    f"{_LEDGER}/ReleasePending": frozenset({Role.PARTNER, Role.CATALOGUE}),
    f"{_LEDGER}/TransferPoints": frozenset({Role.PARTNER}),
    f"{_LEDGER}/MergeWallets": frozenset({Role.OPERATOR}),
    f"{_LEDGER}/ProposeAdjustment": frozenset({Role.OPERATOR}),
    f"{_LEDGER}/DecideAdjustment": frozenset({Role.OPERATOR}),
    f"{_LEDGER}/ListAdjustments": frozenset({Role.OPERATOR}),
    f"{_LEDGER}/GetBalance": frozenset({Role.PARTNER}),
    f"{_LEDGER}/GetExpirySchedule": frozenset({Role.PARTNER}),
    f"{_LEDGER}/GetEntry": frozenset({Role.PARTNER, Role.CATALOGUE, Role.OPERATOR}),
    f"{_LEDGER}/GetHold": frozenset({Role.PARTNER, Role.OPERATOR}),
    f"{_LEDGER}/ListEntries": frozenset({Role.PARTNER, Role.OPERATOR}),
    f"{_LEDGER}/ReadJournal": frozenset({Role.SETTLEMENT, Role.OPERATOR}),
    f"{_LEDGER}/TakeCheckpoint": frozenset({Role.SETTLEMENT, Role.OPERATOR}),
    f"{_LEDGER}/GetCheckpoint": frozenset({Role.SETTLEMENT, Role.OPERATOR}),
    f"{_LEDGER}/GetTotals": frozenset({Role.OPERATOR}),
    f"{_LEDGER}/VerifyJournal": frozenset({Role.OPERATOR}),
    f"{_LEDGER}/GetInclusionProof": frozenset({Role.PARTNER, Role.SETTLEMENT, Role.OPERATOR}),
    f"{_LEDGER}/GetConsistencyProof": frozenset({Role.SETTLEMENT, Role.OPERATOR}),
    f"{_LEDGER}/SetAwardAllowance": frozenset({Role.SETTLEMENT, Role.OPERATOR}),
    f"{_LEDGER}/GetAwardAllowance": frozenset({Role.SETTLEMENT, Role.OPERATOR}),
    f"{_LEDGER}/SetPartnerPolicy": frozenset({Role.SETTLEMENT, Role.OPERATOR}),
    f"{_LEDGER}/GetPartnerPolicy": frozenset({Role.SETTLEMENT, Role.OPERATOR}),
    f"{_LEDGER}/ThawBucket": frozenset({Role.OPERATOR}),
    f"{_LEDGER}/ListFreezes": frozenset({Role.OPERATOR}),
    f"{_PEERS}/Post": frozenset({Role.LEDGER}),
}

_MIB = 1024 * 1024
METHOD_BYTES: Mapping[str, int] = {
    f"{_LEDGER}/BatchAwardPoints": 4 * _MIB,
    f"{_LEDGER}/StreamAwardPoints": 4 * _MIB,
    f"{_LEDGER}/BatchReleaseHolds": 256 * 1024,
    f"{_LEDGER}/ReadJournal": _MIB,
    f"{_PEERS}/Post": 4 * _MIB,
}
"""Batches of 500, and cursors over all buckets; everything else keeps to the limit of small messages."""
