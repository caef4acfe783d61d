"""Which duty each call of the operator needs: one of those in its row. What is not written here nobody may.

Who reads needs some duty; an auditor has no other use of his.
"""

from __future__ import annotations

from collections.abc import Mapping

from services.settlement.domain.duties import EVERY_DUTY, Duty

Duties = Mapping[str, frozenset[Duty]]

_PREPARE = frozenset({Duty.PREPARER})
_APPROVE = frozenset({Duty.APPROVER})
_RELEASE = frozenset({Duty.RELEASER})
_RECONCILE = frozenset({Duty.RECONCILER})
_READ = EVERY_DUTY


def _rows(service: str, duties: frozenset[Duty], methods: str) -> dict[str, frozenset[Duty]]:
    return {f"/coalition.settlement.v1.{service}/{method}": duties for method in methods.split()}


DUTIES: Duties = {
    **_rows("ContractService", _PREPARE, "PublishContractVersion"),
    **_rows("ContractService", _READ, "ListContractVersions GetPosition"),
    **_rows("WindowService", _PREPARE, "CloseWindow WaiveSuspense"),
    **_rows("WindowService", _READ, "GetWindow ListWindows GetIngestStatus VerifyBooks VerifyWindow"),
    **_rows("WindowService", _READ, "ListWindowEntries ListSuspense"),
    **_rows("StatementService", _READ, "GetStatement ListStatements"),
    **_rows("ApprovalService", _APPROVE, "Approve Decline"),
    **_rows("ApprovalService", _READ, "GetProposal ListProposals"),
    **_rows("ReferenceService", _PREPARE, "PublishCalendar LoadFxSet PublishModel"),
    **_rows("ReferenceService", _READ, "GetCalendar ListCalendars GetFxSet ListFxSets GetModel ListModels"),
    **_rows("StepService", _PREPARE | _RELEASE | _RECONCILE, "RetryBlocked"),
    **_rows("StepService", _RELEASE, "LiftQuarantine"),
    **_rows("StepService", _READ, "ListSteps ListTransitions GetQuarantine"),
    **_rows("BatchService", _PREPARE, "CreateBatch CalculateBatch SubmitBatch ReviseBatch CancelBatch OverrideBatch"),
    **_rows("BatchService", _PREPARE, "DeclareDefault"),
    **_rows("BatchService", _APPROVE, "ApproveBatch RejectBatch"),
    **_rows("BatchService", _RELEASE, "ReleaseBatch"),
    **_rows("BatchService", _READ, "SimulateBatch CompareRevisions GetBatch ListBatches ListOpenings"),
    **_rows("CapService", _PREPARE, "SetCap SuspendPartner"),
    **_rows("CapService", _APPROVE, "ResumePartner"),
    **_rows("CapService", _READ, "GetCap ListCaps"),
    **_rows("BankAccountService", _PREPARE, "AddBankAccount"),
    **_rows("BankAccountService", _APPROVE, "VerifyBankAccount"),
    **_rows("BankAccountService", _READ, "GetBankAccount ListBankAccounts"),
    **_rows("PaymentService", _PREPARE, "SupersedeInstruction CarryOver"),
    **_rows("PaymentService", _APPROVE, "ApproveFile"),
    **_rows("PaymentService", _RELEASE, "MarkTransmitted"),
    **_rows("PaymentService", _RECONCILE, "ResolveUnknown"),
    **_rows("PaymentService", _READ, "GetInstruction ListInstructions GetPaymentFile ListPaymentFiles DownloadFile"),
    **_rows("FundingService", _PREPARE, "AddPrefunding"),
    **_rows("FundingService", _READ, "GetPrefunding ListPrefundings GetFunding"),
    **_rows("ReconciliationService", _RECONCILE, "ImportBankFile UploadBankFile RunMatching MatchBankLine"),
    **_rows("ReconciliationService", _RECONCILE, "ExplainBreak RefuteBreak ResolveBreak WriteOffBreak"),
    **_rows("ReconciliationService", _READ, "ListBankLines GetBreak ListBreaks"),
    **_rows("ReportService", _READ, "GetLiability GetReserve GetRevenue ExportBooks GetReconciliation"),
    **_rows("ProofService", _READ, "ExplainEntry ExplainBankLine GetInclusionProof GetSeal ExportPack"),
    **_rows("CorrectionService", _PREPARE, "ProposeAdjustment AnswerDispute EscalateDispute"),
    **_rows("CorrectionService", _READ, "GetAdjustment ListAdjustments GetDispute ListDisputes"),
}
