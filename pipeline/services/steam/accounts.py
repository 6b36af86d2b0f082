"""The ways in which a person writes a Steam account: its number, its address, the name in that. Pure."""

import re
from typing import NamedTuple

from models.errors import UsageError

# Accounts of people: universe 1, type 1, instance 1 in the upper half of the number.
_NUMBER = re.compile(r"7656119[0-9]{10}")
_ADDRESS = re.compile(
    r"(?:https?://)?(?:www\.)?steamcommunity\.com/(?P<kind>id|profiles)/(?P<name>[^/?#\s]+)(?:[/?#].*)?", re.IGNORECASE
)
# What Steam allows in the address that a person chooses.
_NAME = re.compile(r"[0-9A-Za-z_-]{2,32}")
_KEY = re.compile(r"[0-9A-Fa-f]{32}")


class SteamAccount(NamedTuple):
    """An account by its number (`steam_id`), or by the name in its address, for which Steam knows the number."""

    steam_id: str | None
    vanity: str | None


def read_account(written: str) -> SteamAccount:
    """Return the account that a person wrote; raises `UsageError` where it can be none."""
    text = written.strip()
    address = _ADDRESS.fullmatch(text)
    name = address["name"] if address else text
    is_number = _NUMBER.fullmatch(name) is not None
    if is_number and (address is None or address["kind"].lower() == "profiles"):
        return SteamAccount(name, None)
    if _NAME.fullmatch(name) and (address is None or address["kind"].lower() == "id"):
        return SteamAccount(None, name)
    raise UsageError(
        f"{written!r} is no Steam account: give the address of the profile, such as "
        "https://steamcommunity.com/id/NAME, or the 17 digits of its number"
    )


def read_key(written: str) -> str:
    """Return a key of Steam's Web API; raises `UsageError`, which does not repeat it, where it can be none."""
    key = written.strip()
    if not _KEY.fullmatch(key):
        raise UsageError(
            "a key of Steam's Web API is 32 digits and letters from A to F, and this is none: "
            "https://steamcommunity.com/dev/apikey shows yours"
        )
    return key
