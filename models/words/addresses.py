"""Web addresses that came from outside, made harmless for where they are shown. Pure."""

import re
from urllib.parse import SplitResult, quote, urlsplit

PAGE_ADDRESS_LENGTH = 2048
MESSAGE_ADDRESS_LENGTH = 1000
_CHANNELS = {"twitch": "www.twitch.tv", "kick": "kick.com", "chzzk": "chzzk.naver.com"}
_LOGIN = re.compile(r"[A-Za-z0-9_-]{1,60}")
# What the services give out: Twitch and Kick name a channel by its login, CHZZK by its id.
_NAMES = {
    "twitch": re.compile(r"\w{1,30}", re.ASCII),
    "kick": re.compile(r"[\w-]{1,60}", re.ASCII),
    "chzzk": re.compile(r"[0-9a-f]{32}"),
}
_SPACES = re.compile(r"\s")
_URL_SAFE = "%/:=&?~#+!$,;'@()*[]"
_LEGIBLE = re.compile(r"https?://[^\s\"'<>\\^`{|}\x00-\x20\x7f]+", re.IGNORECASE)
# Characters that end a Markdown link or ping somebody, although a URL may hold them.
_QUOTED = {character: f"%{ord(character):02X}" for character in "@()*[]"}
# What is there instead of a host leads nowhere, and whoever reads a page or a feed would take the link for a fault.
_HOST = re.compile(r"([A-Za-z0-9._~-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]*)?")


def page_address(url: str) -> str | None:
    """Return an http or https address in ASCII as feeds and pages show it, or None for `javascript:`, `data:`, junk."""
    if len(url) > PAGE_ADDRESS_LENGTH or _SPACES.search(url):
        return None
    parts = _web_parts(url)
    return quote(url, safe=_URL_SAFE) if parts and _HOST.fullmatch(parts.netloc) else None


def message_address(url: str | None) -> str | None:
    """Return an http or https address as messages show it, safe in text, HTML and Markdown, or None if it is none."""
    if url is None or len(url) > MESSAGE_ADDRESS_LENGTH or not _LEGIBLE.fullmatch(url):
        return None
    parts = _web_parts(url)
    if parts is None:
        return None
    tail = url[len(parts.scheme) + 3 + len(parts.netloc) :]
    return f"{parts.scheme}://{parts.netloc}" + "".join(_QUOTED.get(character, character) for character in tail)


def page_channel_address(service: str | None, name: str) -> str | None:
    """Return where a channel is watched as feeds and pages link it, or None where its service gives out no such name.

    The name is a login, on CHZZK an id.
    """
    names = _NAMES.get(service or "")
    return f"https://{_CHANNELS[service or '']}/{name.lower()}" if names and names.fullmatch(name) else None


def message_channel_address(service: str | None, login: str) -> str | None:
    """Return where a channel is watched as messages link it, or None where its address is not made of its login."""
    if service == "chzzk" or service not in _CHANNELS:
        return None
    return f"https://{_CHANNELS[service]}/{login.lower()}" if _LOGIN.fullmatch(login) else None


def category_address(service: str | None, game: str | None) -> str | None:
    """Return where the streams of a game are listed, or None where they are not listed by its name."""
    return f"https://www.twitch.tv/directory/game/{quote(game, safe='')}" if service == "twitch" and game else None


def _web_parts(url: str) -> SplitResult | None:
    """Return the parts of an absolute web address without a user name.

    A name before the host makes a link look as if it led elsewhere: `https://twitch.tv@example.com` leads to
    example.com.
    """
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        return None
    return parts if parts.scheme in {"http", "https"} and host and "@" not in parts.netloc else None
