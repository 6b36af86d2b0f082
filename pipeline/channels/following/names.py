"""Read the names that people give to a channel: a login, a numeric id, or any address of it at Twitch. Pure."""

import re
from urllib.parse import parse_qs, urlsplit

import msgspec

from pipeline.fetch.shapes import clean

_LOGIN = re.compile(r"[A-Za-z0-9_]{1,25}")
_ID = re.compile(r"[0-9]{1,20}")
_ADDRESS = re.compile(r"(?:https?://)?(?:[a-z0-9-]+\.)?twitch\.tv(?:[/?#]|$)", re.IGNORECASE)
# Addresses that name the channel after a word of Twitch's own.
_BEFORE_LOGIN = frozenset({"popout", "moderator", "embed", "u"})
_NO_CHANNEL = frozenset(
    {
        "bits",
        "clip",
        "collections",
        "creatorcamp",
        "directory",
        "downloads",
        "drops",
        "event",
        "friends",
        "inventory",
        "jobs",
        "login",
        "messages",
        "p",
        "payments",
        "prime",
        "products",
        "search",
        "settings",
        "signup",
        "store",
        "subs",
        "subscriptions",
        "team",
        "turbo",
        "user",
        "videos",
        "wallet",
    }
)


class Name(msgspec.Struct, frozen=True):
    """A text as a login, as an id, as both where digits alone leave it open, or as neither."""

    text: str
    login: str | None = None
    external_id: str | None = None
    problem: str | None = None


def parse_name(text: str) -> Name:
    """Return the login or id that a person means by a text; `problem` says why it can be neither."""
    written = clean(text) or ""
    if _ADDRESS.match(written):
        return _from_address(written)
    bare = written.removeprefix("@")
    if "/" in bare or "." in bare:
        return Name(written, problem="is no address of a channel at Twitch")
    return _from_login(written, bare, may_be_id=bare == written)


def _from_address(written: str) -> Name:
    address = urlsplit(written if "://" in written else f"https://{written}")
    host = (address.hostname or "").lower()
    if host == "player.twitch.tv":
        return _from_login(written, *parse_qs(address.query).get("channel", [""])[:1], may_be_id=False)
    parts = [part for part in address.path.split("/") if part]
    if parts and parts[0].lower() in _BEFORE_LOGIN:
        parts = parts[1:]
    if not parts or parts[0].lower() in _NO_CHANNEL or host == "clips.twitch.tv":
        return Name(written, problem="is no address of a channel at Twitch")
    return _from_login(written, parts[0], may_be_id=False)


def _from_login(written: str, login: str, *, may_be_id: bool) -> Name:
    if _ID.fullmatch(login) and may_be_id:
        return Name(written, login=login if _LOGIN.fullmatch(login) else None, external_id=login)
    if _LOGIN.fullmatch(login):
        return Name(written, login=login.lower())
    return Name(written, problem="is no login: letters a to z, digits and _, 25 at most")
