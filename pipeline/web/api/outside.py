"""Where a request comes from: the name that it was sent to, the client behind proxies, the page in a browser."""

from collections.abc import Collection, Mapping, Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address
from urllib.parse import urlsplit

from pipeline.runtime.settings import is_loopback

Network = IPv4Network | IPv6Network
# What a page of another origin may send, and what it may read beside the body.
ALLOWED = "Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match"
EXPOSED = "ETag, Idempotent-Replayed, Link, RateLimit, RateLimit-Policy, Retry-After"
# How long a browser may remember that.
_REMEMBERED = "600"


class Hosts:
    """The names that the API answers to: those of its public address, of this machine itself, and those allowed.

    A page whose name was turned to this machine (DNS rebinding) sends its own, and is refused.
    """

    def __init__(self, public_url: str, allowed: Collection[str]) -> None:
        self._names = {name_of(urlsplit(public_url).netloc.rpartition("@")[2]), *map(name_of, allowed)}

    def has(self, host: str) -> bool:
        """Return whether a header Host names one of them, with any port."""
        name = name_of(host)
        return name in self._names or is_loopback(name)


def name_of(host: str) -> str:
    """Return the name in a header Host, without its port and the brackets of IPv6."""
    name = host.strip().lower()
    if name.startswith("["):
        return name[1:].partition("]")[0]
    return name.partition(":")[0].removesuffix(".")


def client_of(peer: str, forwarded: str, proxies: Sequence[Network]) -> str:
    """Return the address of a client: of the last hop that is none of our proxies, as those say by X-Forwarded-For."""
    address = peer
    for hop in reversed([each.strip() for each in forwarded.split(",") if each.strip()]):
        if not _is_within(address, proxies):
            break
        address = hop
    return address


def _is_within(address: str, networks: Sequence[Network]) -> bool:
    if not networks:
        return False
    try:
        parsed = ip_address(address)
    except ValueError:
        return False
    return any(parsed in network for network in networks)


class Origins:
    """The origins whose pages may call the API from a browser; none unless they are named."""

    def __init__(self, allowed: Collection[str]) -> None:
        self._allowed = frozenset(allowed)

    def headers(self, origin: str | None) -> Mapping[str, str]:
        """Return what an answer to a page says: that it may read it, if it may."""
        if not self._allowed:
            return {}
        if origin is None or origin.lower() not in self._allowed:
            return {"Vary": "Origin"}
        return {"Vary": "Origin", "Access-Control-Allow-Origin": origin, "Access-Control-Expose-Headers": EXPOSED}

    def preflight(self, origin: str | None, methods: str) -> Mapping[str, str]:
        """Return what a browser is answered that asks before a page's request."""
        headers = self.headers(origin)
        if "Access-Control-Allow-Origin" not in headers:
            return headers
        return {
            **headers,
            "Access-Control-Allow-Methods": methods,
            "Access-Control-Allow-Headers": ALLOWED,
            "Access-Control-Max-Age": _REMEMBERED,
        }
