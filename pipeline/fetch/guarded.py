"""Fetch from addresses that payloads or users gave, without being led to the machines around us.

A name is resolved once and all of its addresses are judged before anything is sent; the connection goes to one that was
judged, so a name that resolves to something else a moment later gains nothing. Each redirect is judged anew, and
proxies are not used: they would resolve names themselves.
"""

import functools
import ssl
from datetime import timedelta

import httpcore
import httpx

from pipeline.fetch.addresses import MAX_REDIRECTS, PUBLIC, REDIRECTS, Resolve, Rules, Unreachable, checked, resolve
from pipeline.fetch.http import USER_AGENT
from pipeline.fetch.wire import Wire, core_url, deadline

MAX_BYTES = 5 * 1024 * 1024
DEADLINE = timedelta(seconds=10)
# An address that swallows what is sent to it must leave time for the next one of the same name.
CONNECT_SECONDS = 4.0
# Refusals that time may cure; any other status from 400 to 499 says the same tomorrow.
_PASSING = frozenset({408, 425, 429})


def fetch(
    url: str,
    rules: Rules = PUBLIC,
    *,
    resolve: Resolve = resolve,
    max_bytes: int = MAX_BYTES,
    within: timedelta = DEADLINE,
) -> bytes:
    """Return what an http or https address gives, of at most `max_bytes` and `within` a time from first to last.

    Follows three redirects, none from https to http. Raises `Unreachable`.
    """
    wire = Wire(rules.allowed, resolve)
    target = checked(url, rules)
    # No connection is kept, so that each redirect is judged anew.
    pool = httpcore.ConnectionPool(_tls(), max_keepalive_connections=0, network_backend=wire)
    with deadline(within), pool:
        for _ in range(MAX_REDIRECTS + 1):
            answer = _ask(pool, target, max_bytes)
            if isinstance(answer, bytes):
                return answer
            target = checked(answer, rules, led_by=target)
    raise Unreachable(f"{target.host} leads on and on", permanent=True)


@functools.cache
def _tls() -> ssl.SSLContext:
    return httpcore.default_ssl_context()


def _ask(pool: httpcore.ConnectionPool, target: httpx.URL, max_bytes: int) -> bytes | str:
    """Return the body of an answer, or the address that it redirects to."""
    # Nothing is unpacked: what arrives is what there is.
    headers = {b"Host": target.netloc, b"User-Agent": USER_AGENT.encode(), b"Accept-Encoding": b"identity"}
    extensions = {"timeout": {"connect": CONNECT_SECONDS}}
    try:
        with pool.stream("GET", core_url(target), headers=list(headers.items()), extensions=extensions) as response:
            location = _location(response)
            if location is not None:
                return location
            _raise_for_status(response.status, target.host)
            return _body(response, max_bytes, target.host)
    except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
        raise Unreachable(f"{target.host}: no connection") from error
    except httpcore.TimeoutException as error:
        raise Unreachable(f"{target.host}: no whole answer in time") from error
    except (httpcore.NetworkError, httpcore.ProtocolError) as error:
        raise Unreachable(f"{target.host}: {type(error).__name__}") from error


def _location(response: httpcore.Response) -> str | None:
    if response.status not in REDIRECTS:
        return None
    locations = (value for name, value in response.headers if name.lower() == b"location")
    return next(locations, b"").decode("latin-1")


def _body(response: httpcore.Response, max_bytes: int, host: str) -> bytes:
    body = bytearray()
    for chunk in response.iter_stream():
        body += chunk
        if len(body) > max_bytes:
            raise Unreachable(f"{host}: larger than {max_bytes} bytes", permanent=True)
    return bytes(body)


def _raise_for_status(status: int, host: str) -> None:
    if status != 200:
        permanent = status < 500 and status not in _PASSING
        raise Unreachable(f"{host} answered {status}", permanent=permanent)
