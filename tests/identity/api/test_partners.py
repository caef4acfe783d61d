"""The operator keeps partners; a partner keeps its own stores and credentials and sees nobody else's."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest
from coalition.identity.v1 import identity_pb2 as pb

from shared.refusal import Kind
from tests.identity.house import House, Partner, refused


def create(partner_id: str, name: str = "Corner shop") -> pb.CreatePartnerRequest:
    return pb.CreatePartnerRequest(partner_id=partner_id, partner=pb.Partner(display_name=name))


def test_a_partner_is_found_under_its_name(house: House, grocer: Partner) -> None:
    ask = pb.GetPartnerRequest(name=grocer.name)
    found = grocer(grocer.partners.GetPartner, ask)
    assert (found.name, found.display_name) == (grocer.name, "Corner shop")
    assert house.operator(house.operator.partners.GetPartner, ask) == found
    for service in ("catalogue", "settlement"):
        desk = house.service(service)
        assert desk(desk.partners.GetPartner, ask) == found


@pytest.mark.parametrize("taken", ["grocer", "operator"])
def test_a_taken_id_is_refused(house: House, grocer: Partner, taken: str) -> None:
    partner_id = grocer.id if taken == "grocer" else taken
    refusal = refused(house.operator, house.operator.partners.CreatePartner, create(partner_id))
    assert (refusal.kind, refusal.reason) == (Kind.ALREADY, "PARTNER_ALREADY_EXISTS")


def test_of_twenty_that_create_one_partner_at_once_one_succeeds(house: House) -> None:
    partner_id = f"p-{uuid.uuid4().hex[:12]}"

    def attempt(_: int) -> str:
        try:
            house.operator(house.operator.partners.CreatePartner, create(partner_id))
        except Exception as error:
            return type(error).__name__
        return "created"

    with ThreadPoolExecutor(12) as pool:
        assert list(pool.map(attempt, range(20))).count("created") == 1


@pytest.mark.parametrize("partner_id", ["Grocer", "g", "1grocer", "gro cer", "x" * 64, "", "grocer\n"])
def test_an_id_that_is_no_slug_is_malformed(house: House, partner_id: str) -> None:
    refusal = refused(house.operator, house.operator.partners.CreatePartner, create(partner_id))
    assert (refusal.kind, refusal.reason) == (Kind.MALFORMED, "INVALID_REQUEST")


@pytest.mark.parametrize("name", ["", "x" * 201, "Corner\x00shop", "Corner\nshop"])
def test_a_name_that_is_empty_too_long_or_unprintable_is_malformed(house: House, name: str) -> None:
    refusal = refused(house.operator, house.operator.partners.CreatePartner, create(f"p-{uuid.uuid4().hex[:12]}", name))
    assert (refusal.kind, refusal.reason) == (Kind.MALFORMED, "INVALID_REQUEST")


def test_another_partner_looks_like_none(house: House, grocer: Partner, baker: Partner) -> None:
    for name in (baker.name, "partners/nobody-at-all"):
        asks = [
            refused(grocer, grocer.partners.GetPartner, pb.GetPartnerRequest(name=name)),
            refused(grocer, grocer.partners.CreateStore, pb.CreateStoreRequest(parent=name, store_id="1")),
            refused(grocer, grocer.partners.ListStores, pb.ListStoresRequest(parent=name)),
        ]
        assert {(refusal.kind, refusal.reason) for refusal in asks} == {(Kind.NOT_THERE, "PARTNER_NOT_FOUND")}


def test_the_operator_is_told_of_partners_that_do_not_exist(house: House) -> None:
    desk, nobody = house.operator, "partners/nobody-at-all"
    asks = [
        refused(desk, desk.partners.GetPartner, pb.GetPartnerRequest(name=nobody)),
        refused(desk, desk.partners.CreateStore, pb.CreateStoreRequest(parent=nobody, store_id="1")),
        refused(desk, desk.partners.ListStores, pb.ListStoresRequest(parent=nobody)),
        refused(desk, desk.partners.CreateCredential, pb.CreateCredentialRequest(parent=nobody)),
    ]
    assert {refusal.reason for refusal in asks} == {"PARTNER_NOT_FOUND"}


def test_all_partners_are_listed_once_over_pages(house: House) -> None:
    made = {house.partner().name for _ in range(5)}
    desk, seen, token = house.operator, list[str](), ""
    while True:
        page = desk(desk.partners.ListPartners, pb.ListPartnersRequest(page_size=2, page_token=token))
        assert len(page.partners) <= 2
        seen += [partner.name for partner in page.partners]
        token = page.next_page_token
        if not token:
            break
    assert seen == sorted(set(seen))
    assert made <= set(seen)


def test_stores_are_added_once_and_listed_in_pages(grocer: Partner, baker: Partner) -> None:
    for partner in (grocer, baker):
        for store in ("10", "9", "main-street"):
            request = pb.CreateStoreRequest(parent=partner.name, store_id=store, store=pb.Store(display_name=store))
            assert partner(partner.partners.CreateStore, request).name == f"{partner.name}/stores/{store}"
    again = refused(grocer, grocer.partners.CreateStore, pb.CreateStoreRequest(parent=grocer.name, store_id="10"))
    assert (again.kind, again.reason) == (Kind.ALREADY, "STORE_ALREADY_EXISTS")
    first = grocer(grocer.partners.ListStores, pb.ListStoresRequest(parent=grocer.name, page_size=2))
    rest = grocer(
        grocer.partners.ListStores,
        pb.ListStoresRequest(parent=grocer.name, page_size=2, page_token=first.next_page_token),
    )
    names = [store.name for store in (*first.stores, *rest.stores)]
    assert names == [f"{grocer.name}/stores/{store}" for store in ("10", "9", "main-street")]
    assert rest.next_page_token == ""


def test_a_page_token_of_another_list_is_refused(house: House, grocer: Partner, baker: Partner) -> None:
    for partner in (grocer, baker):
        for store in "ab":
            partner(partner.partners.CreateStore, pb.CreateStoreRequest(parent=partner.name, store_id=store))
    theirs = baker(baker.partners.ListStores, pb.ListStoresRequest(parent=baker.name, page_size=1)).next_page_token
    for token in (theirs, "made up", "A" * 60):
        request = pb.ListStoresRequest(parent=grocer.name, page_size=1, page_token=token)
        refusal = refused(grocer, grocer.partners.ListStores, request)
        assert (refusal.kind, refusal.reason) == (Kind.MALFORMED, "INVALID_PAGE_TOKEN")
