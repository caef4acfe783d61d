"""Who may call what in settlement. What is not written here nobody may. Which of the operator's people: `duties`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from shared.rpc.caller import Role

_OPERATOR = frozenset({Role.OPERATOR})
_PARTNER = frozenset({Role.PARTNER})
_BOTH = _OPERATOR | _PARTNER


def _rows(service: str, roles: frozenset[Role], methods: str) -> dict[str, frozenset[Role]]:
    return {f"/coalition.settlement.v1.{service}/{method}": roles for method in methods.split()}


ACCESS: Mapping[str, frozenset[Role]] = {
    **_rows("ContractService", _OPERATOR, "PublishContractVersion"),
    **_rows("ContractService", _BOTH, "ListContractVersions GetPosition"),
    **_rows("WindowService", _OPERATOR, "CloseWindow GetWindow ListWindows GetIngestStatus VerifyBooks VerifyWindow"),
    **_rows("WindowService", _OPERATOR, "ListWindowEntries ListSuspense WaiveSuspense"),
    **_rows("StatementService", _BOTH, "GetStatement ListStatements"),
    **_rows("ApprovalService", _OPERATOR, "GetProposal ListProposals Approve Decline"),
    **_rows("ReferenceService", _OPERATOR, "PublishCalendar GetCalendar ListCalendars LoadFxSet GetFxSet ListFxSets"),
    **_rows("ReferenceService", _OPERATOR, "PublishModel GetModel ListModels"),
    **_rows("StepService", _OPERATOR, "ListSteps RetryBlocked ListTransitions GetQuarantine LiftQuarantine"),
    **_rows("BatchService", _OPERATOR, "CreateBatch CalculateBatch SimulateBatch SubmitBatch ApproveBatch RejectBatch"),
    **_rows("BatchService", _OPERATOR, "ReleaseBatch ReviseBatch CancelBatch OverrideBatch DeclareDefault"),
    **_rows("BatchService", _OPERATOR, "CompareRevisions GetBatch ListBatches ListOpenings"),
    **_rows("CapService", _OPERATOR, "SetCap ListCaps SuspendPartner ResumePartner"),
    **_rows("CapService", _BOTH, "GetCap"),
    **_rows("BankAccountService", _OPERATOR, "AddBankAccount VerifyBankAccount GetBankAccount ListBankAccounts"),
    **_rows(
        "PaymentService", _OPERATOR, "GetInstruction ListInstructions GetPaymentFile ListPaymentFiles DownloadFile"
    ),
    **_rows("PaymentService", _OPERATOR, "SupersedeInstruction CarryOver ResolveUnknown ApproveFile MarkTransmitted"),
    **_rows("FundingService", _OPERATOR, "AddPrefunding GetPrefunding ListPrefundings GetFunding"),
    **_rows("ReconciliationService", _OPERATOR, "ImportBankFile UploadBankFile ListBankLines RunMatching"),
    **_rows("ReconciliationService", _OPERATOR, "MatchBankLine GetBreak ListBreaks ExplainBreak RefuteBreak"),
    **_rows("ReconciliationService", _OPERATOR, "ResolveBreak WriteOffBreak"),
    **_rows("ReportService", _OPERATOR, "GetLiability GetReserve GetRevenue ExportBooks GetReconciliation"),
    **_rows("ProofService", _OPERATOR, "ExplainEntry ExplainBankLine GetSeal ExportPack"),
    **_rows("ProofService", _BOTH, "GetInclusionProof"),
    **_rows("CorrectionService", _OPERATOR, "ProposeAdjustment GetAdjustment ListAdjustments AnswerDispute"),
    **_rows("CorrectionService", _PARTNER, "OpenDispute WithdrawDispute"),
    **_rows("CorrectionService", _BOTH, "EscalateDispute GetDispute ListDisputes"),
}

METHOD_BYTES: Final[Mapping[str, int]] = {
    "/coalition.settlement.v1.PaymentService/ResolveUnknown": 1200 * 1024,
    "/coalition.settlement.v1.ReconciliationService/ImportBankFile": 4 * 1024 * 1024,
    "/coalition.settlement.v1.ReconciliationService/UploadBankFile": 1100 * 1024,
}
"""A document of a megabyte, a bank's file of some 5,000 lines, a piece of a larger one; the rest is small."""
