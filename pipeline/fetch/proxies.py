"""Connections to services, straight or through the proxy that the environment names (HTTPS_PROXY, NO_PROXY)."""

import ssl
from urllib.request import getproxies, proxy_bypass

import httpcore
import httpx

from pipeline.errors import SourceUnavailable

_KEPT_SECONDS = 5.0
# More than any worker has open at a time; a thread of the full pass has a client of its own.
_MOST_OPEN = 20


def proxy_of(url: httpx.URL) -> str | None:
    """Return the proxy by which the environment has an address asked; None for none."""
    proxies = getproxies()
    proxy = proxies.get(url.scheme) or proxies.get("all")
    return None if not proxy or proxy_bypass(url.host) else proxy


def pool_of(proxy: str | None, certificates: ssl.SSLContext, wire: httpcore.NetworkBackend) -> httpcore.ConnectionPool:
    """Return connections that are kept for some seconds; raises `SourceUnavailable` for a proxy that is none."""
    if proxy is None:
        return httpcore.ConnectionPool(
            certificates, max_connections=_MOST_OPEN, keepalive_expiry=_KEPT_SECONDS, network_backend=wire
        )
    address = _address(proxy)
    return httpcore.HTTPProxy(
        httpcore.URL(scheme=address.raw_scheme, host=address.raw_host, port=address.port, target=b"/"),
        proxy_auth=(address.username, address.password) if address.userinfo else None,
        ssl_context=certificates,
        max_connections=_MOST_OPEN,
        keepalive_expiry=_KEPT_SECONDS,
        network_backend=wire,
    )


def _address(proxy: str) -> httpx.URL:
    try:
        address = httpx.URL(proxy if "://" in proxy else f"http://{proxy}")
    except httpx.InvalidURL as error:
        raise SourceUnavailable("the environment names a proxy whose address cannot be read") from error
    if address.scheme not in {"http", "https"} or not address.host:
        raise SourceUnavailable(f"the environment names a proxy of a kind that is not known: {address.scheme}")
    return address
