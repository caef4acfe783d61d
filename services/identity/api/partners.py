"""PartnerService: partners, their stores and the credentials they call with."""

from __future__ import annotations

import grpc
from coalition.identity.v1 import identity_pb2 as pb
from coalition.identity.v1 import identity_pb2_grpc as rpc

from services.identity.api.names import credential_name, partner_in, partner_name, store_name, uuid_in
from services.identity.api.texts import legible
from services.identity.domain.partners import Credential, CredentialNotFound, Partner, Store
from services.identity.store.credentials import Credentials
from services.identity.store.fresh import Fresh
from services.identity.store.partners import Partners
from services.identity.store.secrets import Secrets
from shared.clock import Clock
from shared.rpc.caller import caller
from shared.rpc.deadline import time_left
from shared.rpc.pages import open_page, page_size, query_fingerprint, seal_page
from shared.rpc.wire import timestamp


class PartnerService(rpc.PartnerServiceServicer):
    """The operator keeps partners; a partner keeps its own stores and credentials."""

    def __init__(
        self,
        partners: Partners,
        credentials: Credentials,
        secrets: Secrets,
        fresh: Fresh,
        clock: Clock,
        page_key: bytes,
    ) -> None:
        self._partners = partners
        self._credentials = credentials
        self._secrets = secrets
        self._fresh = fresh
        self._clock = clock
        self._page_key = page_key

    def CreatePartner(self, request: pb.CreatePartnerRequest, context: grpc.ServicerContext) -> pb.Partner:
        name = legible(request.partner.display_name, "partner.display_name")
        partner = Partner(request.partner_id, name, self._clock.now())
        self._partners.add(partner, time_left(context))
        return _partner(partner)

    def GetPartner(self, request: pb.GetPartnerRequest, context: grpc.ServicerContext) -> pb.Partner:
        return _partner(self._partners.get(partner_in(request.name, caller(context)), time_left(context)))

    def ListPartners(self, request: pb.ListPartnersRequest, context: grpc.ServicerContext) -> pb.ListPartnersResponse:
        query = query_fingerprint("ListPartners", caller(context), request)
        size = page_size(request.page_size)
        after = open_page(self._page_key, query, request.page_token) or ("",)
        found = self._partners.page(str(after[0]), size + 1, time_left(context))
        more = seal_page(self._page_key, query, (found[size - 1].partner_id,)) if len(found) > size else ""
        return pb.ListPartnersResponse(partners=map(_partner, found[:size]), next_page_token=more)

    def CreateStore(self, request: pb.CreateStoreRequest, context: grpc.ServicerContext) -> pb.Store:
        partner = partner_in(request.parent, caller(context))
        name = legible(request.store.display_name, "store.display_name")
        store = Store(partner, request.store_id, name, self._clock.now())
        self._partners.add_store(store, time_left(context))
        return _store(store)

    def ListStores(self, request: pb.ListStoresRequest, context: grpc.ServicerContext) -> pb.ListStoresResponse:
        partner = partner_in(request.parent, caller(context))
        query = query_fingerprint("ListStores", caller(context), request)
        size = page_size(request.page_size)
        after = open_page(self._page_key, query, request.page_token) or ("",)
        found = self._partners.stores_page(partner, str(after[0]), size + 1, time_left(context))
        more = seal_page(self._page_key, query, (found[size - 1].store_id,)) if len(found) > size else ""
        return pb.ListStoresResponse(stores=map(_store, found[:size]), next_page_token=more)

    def CreateCredential(self, request: pb.CreateCredentialRequest, context: grpc.ServicerContext) -> pb.Credential:
        partner, at = partner_in(request.parent, caller(context)), self._clock.now()
        name = legible(request.display_name, "display_name")
        secret = self._secrets.fresh()
        credential = Credential(partner, self._fresh.id(at), name, self._secrets.hash_of(secret), at)
        self._credentials.add(credential, time_left(context))
        return _credential(credential, secret)

    def RevokeCredential(self, request: pb.RevokeCredentialRequest, context: grpc.ServicerContext) -> pb.Credential:
        partner, credential_id, by = request.name.split("/")[1], uuid_in(request.name), caller(context)
        if credential_id is None or by.partner not in (None, partner):
            raise CredentialNotFound(credential=request.name)
        return _credential(self._credentials.revoke(partner, credential_id, self._clock.now(), time_left(context)))


def _partner(partner: Partner) -> pb.Partner:
    return pb.Partner(
        name=partner_name(partner.partner_id),
        display_name=partner.display_name,
        create_time=timestamp(partner.created_at),
    )


def _store(store: Store) -> pb.Store:
    return pb.Store(
        name=store_name(store.partner_id, store.store_id),
        display_name=store.display_name,
        create_time=timestamp(store.created_at),
    )


def _credential(credential: Credential, secret: str = "") -> pb.Credential:
    return pb.Credential(
        name=credential_name(credential.partner_id, credential.credential_id),
        display_name=credential.display_name,
        secret=secret,
        create_time=timestamp(credential.created_at),
        revoke_time=timestamp(credential.revoked_at) if credential.revoked_at else None,
    )
