"""Partners for trying out: made through the public API, with all they need to call it in one folder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from coalition.identity.v1 import identity_pb2 as pb
from coalition.identity.v1.identity_pb2_grpc import TokenServiceStub

from services.sandbox.clients import Calls, Token, channel
from services.sandbox.home import read_json, write_json
from services.sandbox.platform import Platform
from services.sandbox.refusals import FileDamaged
from shared.credentials.authority import Leaf
from shared.credentials.files import read_password, write_secret
from shared.refusal import Kind
from shared.rpc.channel import RemoteRefusal, call

_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Kit:
    """What a partner's developer is handed: certificate, key, authority, credential and secret."""

    partner: str
    folder: Path
    credential: str

    @property
    def leaf(self) -> Leaf:
        """The certificate to connect with."""
        return Leaf(self.folder / "tls.pem", self.folder / "tls.key", self.folder / "ca.pem")

    @property
    def secret_file(self) -> Path:
        """The secret that identity exchanges for tokens."""
        return self.folder / "secret"


def admit(platform: Platform, partner: str, display_name: str = "") -> Kit:
    """Add a partner to the programme and give it a kit; one that has a kit already keeps it."""
    kit = kit_of(platform, partner)
    if kit is None:
        try:
            wanted = pb.Partner(display_name=display_name or partner)
            call(
                platform.operator.partners.CreatePartner,
                pb.CreatePartnerRequest(partner_id=partner, partner=wanted),
                timeout=_SECONDS,
            )
        except RemoteRefusal as refusal:
            if refusal.kind is not Kind.ALREADY:
                raise
        kit = _issue(platform, partner)
    _renew(platform, kit)
    return kit


def kit_of(platform: Platform, partner: str) -> Kit | None:
    """The kit that was made before, if there is one."""
    folder = platform.home.partners / partner
    content = read_json(folder / "credential.json")
    if content is None or not (folder / "secret").exists():
        return None
    credential = content.get("credential")
    if not isinstance(credential, str):
        raise FileDamaged(file=folder / "credential.json", meaning="the credential that coalition wrote")
    return Kit(partner, folder, credential)


def calls_of(platform: Platform, kit: Kit) -> Calls:
    """The services as this partner calls them: its certificate, and a token that is renewed by the sandbox's time."""
    identity = TokenServiceStub(channel(platform.targets["identity"], kit.leaf))
    request = pb.IssueTokenRequest(credential=kit.credential, secret=read_password(kit.secret_file))
    token = Token(lambda: identity.IssueToken(request, timeout=_SECONDS), platform.now)
    return Calls(platform.targets, kit.leaf, token)


def _issue(platform: Platform, partner: str) -> Kit:
    made = call(
        platform.operator.partners.CreateCredential,
        pb.CreateCredentialRequest(parent=f"partners/{partner}", display_name="sandbox"),
        timeout=_SECONDS,
    )
    kit = Kit(partner, platform.home.partners / partner, made.name)
    write_secret(kit.secret_file, made.secret.encode() + b"\n")
    return kit


def _renew(platform: Platform, kit: Kit) -> None:
    """Certificates end after some weeks and ports may have changed: what can be renewed is, on every call."""
    leaf = platform.authority.partner(kit.partner)
    for source, copy in ((leaf.certificate_file, "tls.pem"), (leaf.key_file, "tls.key"), (leaf.ca_file, "ca.pem")):
        write_secret(kit.folder / copy, source.read_bytes())
    content = {"partner": kit.partner, "credential": kit.credential, "targets": platform.targets}
    write_json(kit.folder / "credential.json", content)
