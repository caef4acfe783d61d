"""A credential and its secret become a token of at most fifteen minutes, for the partner whose certificate asks."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
from coalition.identity.v1 import identity_pb2 as pb

from shared.credentials.tokens import TokenVerifier
from shared.refusal import Kind
from shared.rpc.channel import call
from shared.rpc.remote import RemoteRefusal
from shared.rpc.wire import instant
from tests.identity.house import House, Partner, refused


def issue(partner: Partner, credential: str, secret: str) -> pb.IssueTokenResponse:
    request = pb.IssueTokenRequest(credential=credential, secret=secret)
    return call(partner.tokens.IssueToken, request, timeout=20)


def test_the_token_is_good_at_all_four_services_and_for_fifteen_minutes(house: House, grocer: Partner) -> None:
    answer = issue(grocer, grocer.credential.name, grocer.credential.secret)
    verifier, now = TokenVerifier(house.settings.token_keys_folder), house.clock.now()
    for service in ("identity", "ledger", "catalogue", "settlement"):
        assert verifier.verify(answer.access_token, service, now) == grocer.id
    assert instant(answer.expire_time) - now.replace(microsecond=0) == timedelta(minutes=15)


def another_credential(house: House, partner: Partner) -> pb.Credential:
    """A second one, which the operator makes."""
    desk = house.operator
    return desk(desk.partners.CreateCredential, pb.CreateCredentialRequest(parent=partner.name))


def test_an_expired_token_is_refused_and_a_new_one_is_taken(house: House, grocer: Partner) -> None:
    answer = issue(grocer, grocer.credential.name, grocer.credential.secret)
    metadata = (("authorization", f"Bearer {answer.access_token}"),)
    ask = pb.GetPartnerRequest(name=grocer.name)
    assert grocer.partners.GetPartner(ask, timeout=20, metadata=metadata).name == grocer.name
    house.clock.pass_by(minutes=15)
    with pytest.raises(Exception, match="expired"):
        grocer.partners.GetPartner(ask, timeout=20, metadata=metadata)
    assert grocer(grocer.partners.GetPartner, ask).name == grocer.name


def test_unknown_wrong_revoked_and_foreign_credentials_look_alike(
    house: House, grocer: Partner, baker: Partner
) -> None:
    ended = another_credential(house, grocer)
    issue(grocer, ended.name, ended.secret)
    grocer(grocer.partners.RevokeCredential, pb.RevokeCredentialRequest(name=ended.name))
    good = grocer.credential
    attempts = [
        (good.name, good.secret[:-1] + "~"),
        (good.name, ended.secret),
        (ended.name, ended.secret),
        (f"{grocer.name}/credentials/{uuid.uuid4()}", good.secret),
        (f"{grocer.name}/credentials/{'-' * 36}", good.secret),
        (baker.credential.name, baker.credential.secret),
    ]
    refusals = []
    for name, secret in attempts:
        with pytest.raises(RemoteRefusal) as caught:
            issue(grocer, name, secret)
        refusals.append((caught.value.kind, caught.value.reason, str(caught.value), tuple(caught.value.metadata)))
    assert len(set(refusals)) == 1
    assert refusals[0][:2] == (Kind.UNAUTHENTICATED, "CREDENTIAL_REFUSED")
    assert issue(grocer, good.name, good.secret).access_token


def test_two_credentials_overlap_and_the_first_ends_alone(house: House, grocer: Partner) -> None:
    second = another_credential(house, grocer)
    first = grocer.credential
    assert issue(grocer, first.name, first.secret) != issue(grocer, second.name, second.secret)
    ended = grocer(grocer.partners.RevokeCredential, pb.RevokeCredentialRequest(name=first.name))
    assert ended.HasField("revoke_time")
    assert not ended.secret
    assert issue(grocer, second.name, second.secret).access_token


def test_revoking_twice_changes_nothing(house: House, grocer: Partner) -> None:
    request = pb.RevokeCredentialRequest(name=grocer.credential.name)
    first = house.operator(house.operator.partners.RevokeCredential, request)
    house.clock.pass_by(seconds=60)
    assert house.operator(house.operator.partners.RevokeCredential, request) == first


def test_another_partners_credential_cannot_be_revoked(grocer: Partner, baker: Partner) -> None:
    for name in (baker.credential.name, f"{grocer.name}/credentials/{uuid.uuid4()}"):
        refusal = refused(grocer, grocer.partners.RevokeCredential, pb.RevokeCredentialRequest(name=name))
        assert (refusal.kind, refusal.reason) == (Kind.NOT_THERE, "CREDENTIAL_NOT_FOUND")
    assert issue(baker, baker.credential.name, baker.credential.secret).access_token


def test_a_certificate_without_a_token_gets_a_token_and_nothing_else(grocer: Partner) -> None:
    with pytest.raises(Exception, match="needs an access token"):
        grocer.partners.GetPartner(pb.GetPartnerRequest(name=grocer.name), timeout=20)


def test_whoever_holds_a_revoked_credential_cannot_make_another_with_its_last_token(
    house: House, grocer: Partner
) -> None:
    assert grocer.token()
    desk = house.operator
    desk(desk.partners.RevokeCredential, pb.RevokeCredentialRequest(name=grocer.credential.name))
    refusal = refused(grocer, grocer.partners.CreateCredential, pb.CreateCredentialRequest(parent=grocer.name))
    assert (refusal.kind, refusal.reason) == (Kind.NOT_ALLOWED, "NOT_ALLOWED")
    house.clock.pass_by(minutes=15)
    with pytest.raises(RemoteRefusal) as caught:
        grocer.token()
    assert caught.value.reason == "CREDENTIAL_REFUSED"
