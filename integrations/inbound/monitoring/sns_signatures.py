"""Verify the signature of SNS messages. A separate module, because it loads cryptography, which few doors need.

The rules: https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from datetime import UTC, datetime

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from integrations.inbound.monitoring.sns import ForgedError, Message, string_to_sign

# SNS signs with SHA-1 unless the topic is set to version 2.
_HASHES: Mapping[str, hashes.HashAlgorithm] = {"1": hashes.SHA1(), "2": hashes.SHA256()}  # noqa: S303


def check_signature(message: Message, certificate_pem: bytes, *, now: float) -> None:
    """Check that this certificate is valid now and signed the message. Raises ForgedError otherwise."""
    algorithm = _HASHES.get(message.signature_version)
    if algorithm is None:
        raise ForgedError(f"the signature version {message.signature_version[:10]!r} is not known")
    try:
        certificate = x509.load_pem_x509_certificate(certificate_pem)
        signature = base64.b64decode(message.signature, validate=True)
    except (ValueError, binascii.Error) as error:
        raise ForgedError("its certificate or its signature cannot be read") from error
    if not certificate.not_valid_before_utc <= datetime.fromtimestamp(now, UTC) <= certificate.not_valid_after_utc:
        raise ForgedError("its certificate is not valid now")
    public_key = certificate.public_key()
    if not isinstance(public_key, rsa.RSAPublicKey):
        raise ForgedError("its certificate holds no RSA key")
    try:
        public_key.verify(signature, string_to_sign(message), padding.PKCS1v15(), algorithm)
    except InvalidSignature as error:
        raise ForgedError("the signature does not fit the message") from error
