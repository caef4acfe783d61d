"""pain.008.001.08: what the operator asks its bank to collect by direct debit, under the partners' mandates.

`pyiso20022` has no types of this message: those in `pain_008_001_08_generated` were made once with
`xsdata generate pain.008.001.08.xsd -ds Blank`.
"""

from __future__ import annotations

from xsdata.models.datatype import XmlDate, XmlDateTime

from services.settlement.domain.account import Account
from services.settlement.domain.instruction import Payment, PaymentFile
from services.settlement.domain.refusals import MandateMissing
from services.settlement.formats import bank_numbers, xsd
from services.settlement.formats import pain_008_001_08_generated as pain
from services.settlement.formats.amounts import decimal_of

MESSAGE = "pain.008.001.08"
_SCHEME = "SEPA"
_INSTRUMENT = "B2B"


def written(file: PaymentFile) -> bytes:
    """The file's bytes. Raises BankAccountInvalid, MandateMissing, FileNotValid: then there is no file."""
    for account in (file.clearing, *(payment.account for payment in file.payments)):
        bank_numbers.check(account)
    count, total = str(len(file.payments)), decimal_of(file.control_sum_minor, file.currency)
    header = pain.GroupHeader83(
        msg_id=file.message_id,
        cre_dt_tm=XmlDateTime.from_datetime(file.created_at.replace(microsecond=0)),
        nb_of_txs=count,
        ctrl_sum=total,
        initg_pty=pain.PartyIdentification135(nm=file.clearing.holder),
    )
    instruction = pain.PaymentInstruction29(
        pmt_inf_id=file.message_id,
        pmt_mtd=pain.PaymentMethod2Code.DD,
        btch_bookg=False,
        nb_of_txs=count,
        ctrl_sum=total,
        pmt_tp_inf=pain.PaymentTypeInformation29(
            svc_lvl=[pain.ServiceLevel8Choice(cd=_SCHEME)],
            lcl_instrm=pain.LocalInstrument2Choice(cd=_INSTRUMENT),
            seq_tp=pain.SequenceType3Code.RCUR,
        ),
        reqd_colltn_dt=XmlDate.from_date(file.on),
        cdtr=pain.PartyIdentification135(nm=file.clearing.holder),
        cdtr_acct=_account(file.clearing, with_currency=True),
        cdtr_agt=_bank(file.clearing),
        chrg_br=pain.ChargeBearerType1Code.SLEV,
        cdtr_schme_id=_creditor(file.clearing),
        drct_dbt_tx_inf=[_collection(payment, file.currency) for payment in file.payments],
    )
    initiation = pain.CustomerDirectDebitInitiationV08(grp_hdr=header, pmt_inf=[instruction])
    return xsd.written(MESSAGE, pain.Document(cstmr_drct_dbt_initn=initiation))


def _collection(payment: Payment, currency: str) -> pain.DirectDebitTransactionInformation23:
    mandate = payment.account.mandate
    if mandate is None:
        raise MandateMissing(partner=payment.account.partner)
    amount = pain.ActiveOrHistoricCurrencyAndAmount(value=decimal_of(payment.amount_minor, currency), ccy=currency)
    related = pain.MandateRelatedInformation14(mndt_id=mandate.id, dt_of_sgntr=XmlDate.from_date(mandate.signed_on))
    return pain.DirectDebitTransactionInformation23(
        pmt_id=pain.PaymentIdentification6(instr_id=payment.end_to_end_id, end_to_end_id=payment.end_to_end_id),
        instd_amt=amount,
        drct_dbt_tx=pain.DirectDebitTransaction10(mndt_rltd_inf=related),
        dbtr_agt=_bank(payment.account),
        dbtr=pain.PartyIdentification135(nm=payment.account.holder),
        dbtr_acct=_account(payment.account),
        rmt_inf=pain.RemittanceInformation16(ustrd=[payment.end_to_end_id]),
    )


def _creditor(account: Account) -> pain.PartyIdentification135 | None:
    """The operator's number in the direct debit scheme, where its clearing account has one."""
    if not account.creditor_id:
        return None
    scheme = pain.PersonIdentificationSchemeName1Choice(prtry=_SCHEME)
    number = pain.GenericPersonIdentification1(id=account.creditor_id, schme_nm=scheme)
    return pain.PartyIdentification135(id=pain.Party38Choice(prvt_id=pain.PersonIdentification13(othr=[number])))


def _account(account: Account, *, with_currency: bool = False) -> pain.CashAccount38:
    number = pain.AccountIdentification4Choice(iban=account.iban)
    return pain.CashAccount38(id=number, ccy=account.currency if with_currency else None)


def _bank(account: Account) -> pain.BranchAndFinancialInstitutionIdentification6:
    bank = pain.FinancialInstitutionIdentification18(bicfi=account.bic)
    return pain.BranchAndFinancialInstitutionIdentification6(fin_instn_id=bank)
