"""pain.001.001.09: what the operator asks its bank to pay. One file, one clearing account, one currency, one day."""

from __future__ import annotations

from pyiso20022.pain import pain_001_001_09 as pain
from xsdata.models.datatype import XmlDate, XmlDateTime

from services.settlement.domain.account import Account
from services.settlement.domain.instruction import Payment, PaymentFile
from services.settlement.formats import bank_numbers, xsd
from services.settlement.formats.amounts import decimal_of

MESSAGE = "pain.001.001.09"


def written(file: PaymentFile) -> bytes:
    """The file's bytes. Raises BankAccountInvalid, FileNotValid: then there is no file."""
    for account in (file.clearing, *(payment.account for payment in file.payments)):
        bank_numbers.check(account)
    count, total = str(len(file.payments)), decimal_of(file.control_sum_minor, file.currency)
    header = pain.GroupHeader85(
        msg_id=file.message_id,
        cre_dt_tm=XmlDateTime.from_datetime(file.created_at.replace(microsecond=0)),
        nb_of_txs=count,
        ctrl_sum=total,
        initg_pty=pain.PartyIdentification135(nm=file.clearing.holder),
    )
    instruction = pain.PaymentInstruction30(
        pmt_inf_id=file.message_id,
        pmt_mtd=pain.PaymentMethod3Code.TRF,
        btch_bookg=False,
        nb_of_txs=count,
        ctrl_sum=total,
        reqd_exctn_dt=pain.DateAndDateTime2Choice(dt=XmlDate.from_date(file.on)),
        dbtr=pain.PartyIdentification135(nm=file.clearing.holder),
        dbtr_acct=_account(file.clearing, with_currency=True),
        dbtr_agt=_bank(file.clearing),
        chrg_br=pain.ChargeBearerType1Code.SLEV,
        cdt_trf_tx_inf=[_transfer(payment, file.currency) for payment in file.payments],
    )
    initiation = pain.CustomerCreditTransferInitiationV09(grp_hdr=header, pmt_inf=[instruction])
    return xsd.written(MESSAGE, pain.Document(cstmr_cdt_trf_initn=initiation))


def _transfer(payment: Payment, currency: str) -> pain.CreditTransferTransaction34:
    amount = pain.ActiveOrHistoricCurrencyAndAmount(value=decimal_of(payment.amount_minor, currency), ccy=currency)
    return pain.CreditTransferTransaction34(
        pmt_id=pain.PaymentIdentification6(instr_id=payment.end_to_end_id, end_to_end_id=payment.end_to_end_id),
        amt=pain.AmountType4Choice(instd_amt=amount),
        cdtr_agt=_bank(payment.account),
        cdtr=pain.PartyIdentification135(nm=payment.account.holder),
        cdtr_acct=_account(payment.account),
        rmt_inf=pain.RemittanceInformation16(ustrd=[payment.end_to_end_id]),
    )


def _account(account: Account, *, with_currency: bool = False) -> pain.CashAccount38:
    number = pain.AccountIdentification4Choice(iban=account.iban)
    return pain.CashAccount38(id=number, ccy=account.currency if with_currency else None)


def _bank(account: Account) -> pain.BranchAndFinancialInstitutionIdentification6:
    bank = pain.FinancialInstitutionIdentification18(bicfi=account.bic)
    return pain.BranchAndFinancialInstitutionIdentification6(fin_instn_id=bank)
