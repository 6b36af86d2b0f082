"""Takes out of a service's own words what must not be stored or logged: all parts of the target's address. Pure."""

import re
from base64 import b64encode
from collections.abc import Iterable, Iterator
from urllib.parse import unquote

from notifiers.escape import clean

WORDS_LENGTH = 200

_GONE = "…"
# Addresses of mail, of the web and of machines.
_ADDRESSES = re.compile(
    r"[^\s<>()\"',;:]+@[^\s<>()\"',;]+|\S*://\S*|\[[0-9a-f:.]*[:.][0-9a-f:.]*\]|\b\d{1,3}(?:\.\d{1,3}){3}\b",
    re.IGNORECASE,
)
# Tokens, keys, and passwords as a login sends them: long words with a digit.
_OPAQUE = re.compile(r"(?=[A-Za-z+/=_-]*\d)[A-Za-z0-9+/=_-]{20,}")
_SEPARATORS = re.compile(r"[/:@?&,;=\s]+")
_OPTION = re.compile(r"[?&]([^=&]*)=([^&]*)")
# Values of options that say nothing, and that answers may well contain.
_HARMLESS = frozenset(
    {"insecure", "starttls", "ssl", "markdown", "text", "html", "yes", "no", "true", "false", "on", "off", "truncate"}
)
_LEAST = 3
# A port, or a number that any answer may hold.
_SHORT_NUMBER = re.compile(r"\d{1,5}")


def safe_words(words: str, url: str) -> str:
    """Return what a service wrote as one short line without anything of the target's address.

    Also without any other address, and without long words that may be a token.
    """
    # First, for a longer address may stand around a part of ours.
    words = _ADDRESSES.sub(_GONE, words)
    secrets = sorted(set(_secrets(url)), key=len, reverse=True)
    for secret in secrets:
        # With the names of machines before a domain.
        words = re.sub(rf"(?<!\w)(?:[\w-]+\.)*{re.escape(secret)}(?!\w)", _GONE, words, flags=re.IGNORECASE)
        if len(secret) > 2 * _LEAST:
            words = re.sub(re.escape(secret), _GONE, words, flags=re.IGNORECASE)
    words = _OPAQUE.sub(_GONE, words)
    return clean(words, WORDS_LENGTH)


def _secrets(url: str) -> Iterator[str]:
    """Yield the parts of an address that could be seen in an answer, as they are and as they may be sent."""
    _, _, rest = url.partition("://")
    path, mark, options = rest.partition("?")
    for part in (*_parts([path]), *_parts(value for _, value in _OPTION.findall(mark + options))):
        yield part
        yield b64encode(part.encode()).decode()
        if "." in part:
            # Other machines of the same domain.
            yield ".".join(part.split(".")[-2:])


def _parts(texts: Iterable[str]) -> Iterator[str]:
    for text in texts:
        for whole in {text, unquote(text)}:
            for part in (whole, *_SEPARATORS.split(whole)):
                if len(part) >= _LEAST and part.lower() not in _HARMLESS and not _SHORT_NUMBER.fullmatch(part):
                    yield part
