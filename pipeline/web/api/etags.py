"""ETags, pure: all of ours are weak, since what differs only in its spaces or its packing is the same to a reader."""

import hashlib
import re

import msgspec

_LISTED = re.compile(r'(?:W/)?("[\x21\x23-\x7e\x80-\xff]*")')
ANY = "*"


def etag_of(body: bytes) -> str:
    """Return the ETag of an answer."""
    return f'W/"{hashlib.blake2b(body, digest_size=12).hexdigest()}"'


def etag_of_version(version: object, *seeds: object) -> str:
    """Return the ETag of an answer that is not made yet, from the version of its rows and all else it depends on."""
    return etag_of(msgspec.json.encode([version, seeds]))


def is_listed(etag: str, header: str) -> bool:
    """Return whether an If-Match or If-None-Match names an ETag, or any; W/ makes no difference (RFC 9110, 8.8.3.2)."""
    if header.strip() == ANY:
        return True
    return etag.removeprefix("W/") in _LISTED.findall(header)
