"""Pings an address after each healthy minute, so that a machine that is dead is noticed from outside.

As Healthchecks.io and its kin take it (https://healthchecks.io/docs/http_api/): the address itself says that all is
well, the same with `/fail` behind it that something is wrong, and what.
"""

from collections.abc import Sequence
from datetime import timedelta
from urllib.parse import urlsplit, urlunsplit

from pipeline.fetch.http import Client

# One try: the next minute is the second, and whoever pings must not be held up.
WITHIN = timedelta(seconds=10)
_MOST_OF_AN_ANSWER = 64 * 1024


def ping(address: str, troubles: Sequence[str]) -> None:
    """Tell an address that all is well, or what is wrong; raises `SourceError`, whose text names its host alone."""
    with Client(deadline=WITHIN, attempts=1, max_bytes=_MOST_OF_AN_ANSWER) as client:
        if not troubles:
            client.get(address)
            return
        body = "\n".join(troubles).encode()
        client.post(failure_address(address), body, content_type="text/plain; charset=utf-8", once=True)


def failure_address(address: str) -> str:
    """Return the address that is told that something is wrong."""
    parts = urlsplit(address)
    return urlunsplit(parts._replace(path=f"{parts.path.rstrip('/')}/fail"))
