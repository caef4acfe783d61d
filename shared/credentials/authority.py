"""The development authority: a CA of our own and a leaf for each caller, so that everything is mTLS from the first run.

Your CA or SPIRE replaces it by configuration: services only read files. A service's leaf serves and calls; a partner's
or an operator's leaf only calls, so none of them can pose as a service. Validity is real time, because TLS asks the
machine's clock and no other.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from shared.clock import Clock, SystemClock
from shared.credentials.files import make_private_folder, read_secret, write_secret
from shared.rpc.caller import CALLER_PATH, TRUST_DOMAIN

HERE = ("localhost", "127.0.0.1")
_CA_LIFETIME = timedelta(days=3650)
_LEAF_LIFETIME = timedelta(days=90)
_BACKDATED = timedelta(minutes=5)  # a neighbour's clock may be a little behind


@dataclass(frozen=True, slots=True)
class Leaf:
    """Where one caller's certificate, key and the authority's certificate lie."""

    certificate_file: Path
    key_file: Path
    ca_file: Path


class AuthorityMissing(Exception):
    """There is no authority to open, or only a part of it; another one would be worth nothing to those who trust it."""

    def __init__(self, file: Path) -> None:
        super().__init__(f"{file} is missing: there is no authority without it")
        self.file = file


class Authority:
    """A certificate authority in a folder: `ca.pem`, `ca.key`, and a folder per caller with `tls.pem`, `tls.key`."""

    def __init__(self, folder: Path, clock: Clock | None = None) -> None:
        """Open the authority that was founded in the folder. Raises AuthorityMissing."""
        self._folder = folder
        self._clock = clock or SystemClock()
        for file in (_key_file(folder), _ca_file(folder)):
            if not file.exists():
                raise AuthorityMissing(file)
        self._key = _private_key(_key_file(folder))
        self._certificate = x509.load_pem_x509_certificate(self.ca_file.read_bytes())

    @classmethod
    def founded(cls, folder: Path, clock: Clock | None = None) -> Authority:
        """The authority of the folder; a folder that never had one gets it.

        Where anything of an authority is left, a leaf of its own included, nothing is founded: AuthorityMissing.
        """
        if not any(folder.rglob("*.pem")) and not any(folder.rglob("*.key")):
            make_private_folder(folder)
            _found(folder, clock or SystemClock())
        return cls(folder, clock)

    @property
    def ca_file(self) -> Path:
        """What everybody trusts."""
        return _ca_file(self._folder)

    def service(self, name: str, hosts: Sequence[str] = HERE) -> Leaf:
        """A leaf that serves at `hosts` and calls other services."""
        return self._leaf(_path("service", name), hosts)

    def operator(self, user: str) -> Leaf:
        """A leaf for a person who runs the programme."""
        return self._leaf(_path("operator", user), ())

    def partner(self, partner: str) -> Leaf:
        """A leaf for a partner business."""
        return self._leaf(_path("partner", partner), ())

    def _leaf(self, path: str, hosts: Sequence[str]) -> Leaf:
        """The caller's leaf; one that is missing, old, or made for other names is made afresh."""
        folder = self._folder / path
        leaf = Leaf(folder / "tls.pem", folder / "tls.key", self.ca_file)
        names = _names(path, hosts)
        if not self._still_good(leaf, names):
            key = ec.generate_private_key(ec.SECP256R1())
            certificate = self._signed(path, key, names, serves=bool(hosts))
            write_secret(leaf.key_file, _key_pem(key))
            write_secret(leaf.certificate_file, certificate.public_bytes(serialization.Encoding.PEM))
        return leaf

    def _still_good(self, leaf: Leaf, names: x509.SubjectAlternativeName) -> bool:
        if not (leaf.certificate_file.exists() and leaf.key_file.exists()):
            return False
        certificate = x509.load_pem_x509_certificate(leaf.certificate_file.read_bytes())
        has = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        third = _LEAF_LIFETIME / 3
        fresh = certificate.not_valid_after_utc - self._clock.now() > third
        ours = certificate.issuer == self._certificate.subject and _signed_by(certificate, self._certificate)
        matches = certificate.public_key() == _private_key(leaf.key_file).public_key()
        return fresh and ours and matches and has == names

    def _signed(
        self, path: str, key: ec.EllipticCurvePrivateKey, names: x509.SubjectAlternativeName, *, serves: bool
    ) -> x509.Certificate:
        uses = [ExtendedKeyUsageOID.CLIENT_AUTH, *([ExtendedKeyUsageOID.SERVER_AUTH] if serves else [])]
        issuer_key_id = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        return (
            _builder(_subject(path), self._certificate.subject, key, self._clock.now(), _LEAF_LIFETIME)
            .add_extension(names, critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_key_usage(signs_certificates=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage(uses), critical=False)
            .add_extension(issuer_key_id, critical=False)
            .sign(self._key, hashes.SHA256())
        )


def _ca_file(folder: Path) -> Path:
    return folder / "ca.pem"


def _key_file(folder: Path) -> Path:
    return folder / "ca.key"


def _found(folder: Path, clock: Clock) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = _subject("development authority")
    key_id = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    certificate = (
        _builder(name, name, key, clock.now(), _CA_LIFETIME)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage(signs_certificates=True), critical=True)
        .add_extension(key_id, critical=False)
        .sign(key, hashes.SHA256())
    )
    write_secret(_key_file(folder), _key_pem(key))
    write_secret(_ca_file(folder), certificate.public_bytes(serialization.Encoding.PEM))


def _path(kind: str, name: str) -> str:
    """The caller's path in the trust domain, and of its folder: checked, because it is both."""
    path = f"{kind}/{name}"
    if not CALLER_PATH.fullmatch(path):
        raise ValueError(f"{name!r} cannot name a {kind}: small letters, digits and hyphens, two at least")
    return path


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, now: datetime, lifetime: timedelta
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _BACKDATED)
        .not_valid_after(now + lifetime)
    )


def _subject(common_name: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Coalition"),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name[:64]),
        ]
    )


def _names(path: str, hosts: Sequence[str]) -> x509.SubjectAlternativeName:
    return x509.SubjectAlternativeName(
        [x509.UniformResourceIdentifier(TRUST_DOMAIN + path), *(_host_name(host) for host in hosts)]
    )


def _host_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _signed_by(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature):  # another authority's, in one of three ways
        return False
    return True


def _key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _private_key(path: Path) -> ec.EllipticCurvePrivateKey:
    key = serialization.load_pem_private_key(read_secret(path), password=None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise TypeError(f"{path} holds no elliptic curve key")
    return key
