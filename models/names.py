"""Turn names that people write into keys that compare and file names that are safe."""

import hashlib
import re
import unicodedata
from collections.abc import Iterable

from models.printable import NAME_LENGTH, on_a_line

_NOT_ALNUM = dict.fromkeys(code for code in range(128) if not chr(code).isalnum())
_NOT_ASCII_WORD = re.compile(r"[^a-z0-9]+")
SLUG_LENGTH = 60
# "Rsut" is "Rust" with two letters in the other order, 0.75 alike; half of the letters say nothing.
NEAR = 0.6
# A name that holds what was written, as "Counter-Strike 2" holds "Counter": better than a few letters in common.
HOLDS = 0.8
# A name that is so much less alike than another is not meant.
MUCH_LESS = 0.05
LONGEST_KEY = 500


def name_key(name: str) -> str:
    """Return the form under which two spellings of one name are equal.

    Case, accents, spaces, punctuation and trademark signs do not count: "Tom Clancy's™ XDefiant" and
    "TOM CLANCYS XDEFIANT" share a key. Letters of every script stay, so Korean names keep theirs. A name
    made of signs alone is its own key.
    """
    if name.isascii() and (key := name.lower().translate(_NOT_ALNUM)):
        return key[:LONGEST_KEY]
    decomposed = unicodedata.normalize("NFKD", name.replace("™", "").replace("®", ""))
    key = "".join(c for c in decomposed.casefold() if c.isalnum())
    # An index holds no entry of over 2,704 bytes.
    return (unicodedata.normalize("NFC", key) or name.strip())[:LONGEST_KEY]


def nearest(written: str, names: Iterable[str], limit: int = 3) -> list[str]:
    """Return the names that a person who mistyped one of them may have meant, the most alike first, each as a line."""
    # Imported late: only typing errors need it.
    from rapidfuzz.distance import OSA

    key = name_key(written)
    alike: dict[str, float] = {}
    for name in names:
        other = name_key(name)
        score = OSA.normalized_similarity(key, other)
        if len(key) > 3 and key in other:
            score = max(score, HOLDS)
        if score >= NEAR:
            alike[name] = score
    best = max(alike.values(), default=0.0)
    close = [name for name, score in alike.items() if score >= best - MUCH_LESS]
    likeliest = sorted(close, key=lambda name: (-alike[name], len(name), name))[:limit]
    return [on_a_line(name, NAME_LENGTH) for name in likeliest]


def slug(name: str) -> str:
    """Return `name` as lower-case ASCII words joined by hyphens, at most 60 characters, or "" if none are left.

    A slug is for people and file names, never for identity.
    """
    ascii_name = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return _NOT_ASCII_WORD.sub("-", ascii_name.lower()).strip("-")[:SLUG_LENGTH].rstrip("-")


def public_id(*identity: str) -> str:
    """Return eight hexadecimal digits that stand for an outside identity in file names.

    Unlike a row's number they are the same in every database that saw the same things.
    """
    return hashlib.blake2b("\0".join(identity).encode(), digest_size=4).hexdigest()
