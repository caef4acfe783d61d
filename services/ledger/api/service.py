"""The servicer: one class for gRPC, made of the parts of this folder."""

from __future__ import annotations

import threading

from coalition.ledger.v1 import ledger_pb2_grpc as rpc

from services.ledger.api.correcting import Correcting
from services.ledger.api.evidence import Evidence
from services.ledger.api.feed import Feed
from services.ledger.api.journal import Journal
from services.ledger.api.moving import Moving
from services.ledger.api.posting import Posting
from services.ledger.api.questions import Questions
from services.ledger.api.terms import PartnerTerms
from services.ledger.api.upkeep import Upkeep
from services.ledger.api.wishes import Wishes
from services.ledger.domain.programme import Programme
from services.ledger.store.adjustments import Adjustments
from services.ledger.store.allowances import Allowances
from services.ledger.store.balances import Balances
from services.ledger.store.checker import Checker
from services.ledger.store.checkpoints import Checkpoints
from services.ledger.store.history import History
from services.ledger.store.policies import Policies
from services.ledger.store.readers import Readers
from services.ledger.store.transfers import Transfers
from services.ledger.store.verifier import Verifier
from services.ledger.store.writer import Writer
from shared.clock import Clock


class LedgerServicer(Posting, Questions, Moving, Correcting, Journal, PartnerTerms, Upkeep, rpc.LedgerServiceServicer):
    """Each part translates, calls, translates; what the parts share is set here."""

    def __init__(
        self,
        *,
        wishes: Wishes,
        writer: Writer,
        readers: Readers,
        balances: Balances,
        history: History,
        transfers: Transfers,
        adjustments: Adjustments,
        checkpoints: Checkpoints,
        verifier: Verifier,
        evidence: Evidence,
        allowances: Allowances,
        policies: Policies,
        checker: Checker,
        feed: Feed,
        programme: Programme,
        clock: Clock,
        page_key: bytes,
        streams: int,
    ) -> None:
        self._wishes = wishes
        self._writer = writer
        self._readers = readers
        self._balances = balances
        self._history = history
        self._transfers = transfers
        self._adjustments = adjustments
        self._checkpoints = checkpoints
        self._verifier = verifier
        self._evidence = evidence
        self._allowances = allowances
        self._policies = policies
        self._checker = checker
        self._feed = feed
        self._programme = programme
        self._clock = clock
        self._page_key = page_key
        self._streams = threading.BoundedSemaphore(streams)
