"""Certificates of this run: an authority that nobody knows, and one of its certificates for this machine."""

import datetime
import ipaddress

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


class Certificates:
    """Files in PEM form: `authority`, and `chain` with its `key` for localhost and 127.0.0.1."""

    def __init__(self, folder):
        folder.mkdir(parents=True, exist_ok=True)
        self.authority, self.chain, self.key = folder / "authority.pem", folder / "chain.pem", folder / "key.pem"
        signing, serving = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "an authority of the tests")])
        constraints = x509.BasicConstraints(ca=True, path_length=None)
        authority = self._signed(name, name, signing.public_key(), signing, constraints)
        names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
        leaf = self._signed(subject, name, serving.public_key(), signing, x509.SubjectAlternativeName(names))
        form = serialization.Encoding.PEM
        self.authority.write_bytes(authority.public_bytes(form))
        self.chain.write_bytes(leaf.public_bytes(form) + authority.public_bytes(form))
        plain = serialization.NoEncryption()
        self.key.write_bytes(serving.private_bytes(form, serialization.PrivateFormat.PKCS8, plain))

    @staticmethod
    def _signed(subject, issuer, key, signing, extension):
        now = datetime.datetime.now(datetime.timezone.utc)
        builder = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key)
        builder = builder.serial_number(x509.random_serial_number()).not_valid_before(now - datetime.timedelta(days=1))
        builder = builder.not_valid_after(now + datetime.timedelta(days=2)).add_extension(extension, critical=True)
        return builder.sign(signing, hashes.SHA256())
