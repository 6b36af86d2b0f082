"""Keys of the API, pure: how they are made, read and compared.

A key is `lw_`, an id, 32 random bytes and a checksum, all in letters and digits: `lw_k3f9…_…`. The database keeps the
SHA-256 of the whole: a random key needs no slow hash, which would cost 50 ms a request for nothing. The checksum tells
a key that was cut short from one that was revoked, and lets a scanner of secrets know one when it sees it.
"""

import base64
import hashlib
import hmac
import re
import secrets
import zlib

import msgspec

PREFIX = "lw_"
ID_LENGTH = 12
_SECRET_BYTES = 32
_LETTERS = "abcdefghijklmnopqrstuvwxyz234567"
# 32 bytes and four of the checksum, in base32 without padding.
_KEY = re.compile(rf"lw_([{_LETTERS}]{{{ID_LENGTH}}})_([{_LETTERS}]{{58}})")


class NewKey(msgspec.Struct, frozen=True, kw_only=True):
    """A key that was made a moment ago: shown once, and kept as its digest."""

    key: str
    public_id: str
    digest: bytes

    def __repr__(self) -> str:
        return f"NewKey({self.public_id!r})"


def make_key() -> NewKey:
    """Return a new key, which nobody can guess."""
    public_id = "".join(secrets.choice(_LETTERS) for _ in range(ID_LENGTH))
    return _compose(public_id, secrets.token_bytes(_SECRET_BYTES))


def _compose(public_id: str, secret: bytes) -> NewKey:
    body = secret + _checksum(public_id, secret)
    key = f"{PREFIX}{public_id}_{base64.b32encode(body).decode().lower().rstrip('=')}"
    return NewKey(key=key, public_id=public_id, digest=digest_of(key))


def read_id(key: str) -> str | None:
    """Return the id of a key that is whole; None for one that was cut short, mistyped or never ours."""
    if (match := _KEY.fullmatch(key)) is None:
        return None
    public_id, body = match.groups()
    padded = body.upper() + "=" * (-len(body) % 8)
    decoded = base64.b32decode(padded)
    secret, checksum = decoded[:_SECRET_BYTES], decoded[_SECRET_BYTES:]
    return public_id if hmac.compare_digest(checksum, _checksum(public_id, secret)) else None


def digest_of(key: str) -> bytes:
    """Return what the database keeps of a key."""
    return hashlib.sha256(key.encode()).digest()


def is_same(digest: bytes, key: str) -> bool:
    """Whether a key is the one of a digest, in a time that does not depend on where they differ."""
    return hmac.compare_digest(digest, digest_of(key))


def _checksum(public_id: str, secret: bytes) -> bytes:
    return zlib.crc32(public_id.encode() + secret).to_bytes(4, "big")
