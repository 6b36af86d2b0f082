"""RetroAchievements' web API, as the key of a person may ask it: who an account is, and how far it has come in games.

https://api-docs.retroachievements.org/. The key is `y` in the address: no error and no line of a log shows more of an
address than its host. An account is asked for by its name or by its ULID, which stays when the name changes.
"""

import re
from collections.abc import Sequence
from urllib.parse import urlencode

import msgspec

from models.errors import UsageError
from pipeline.errors import SourceRefused, SourceUnavailable
from pipeline.fetch.http import Client, Reply
from pipeline.fetch.shapes import Id, clean, identity, read_value
from pipeline.services.answers import decoded, raise_if_too_many

NAME = "RetroAchievements"
KEY_PAGE = "https://retroachievements.org/settings"
WAY_OUT = "`lootwire sources login retroachievements`"
# The most that it gives of a list.
PAGE = 500
# How often a list is asked for that changed while its pages were read.
ROUNDS = 3
MOST_PAGES = 100
_KEY = re.compile(r"[0-9A-Za-z]{16,64}")
_ULID = re.compile(r"[0-9A-HJKMNP-TV-Z]{26}")
_USER = re.compile(r"[0-9A-Za-z_-]{2,26}")
_ADDRESS = re.compile(
    r"(?:https?://)?(?:www\.)?retroachievements\.org/user/(?P<name>[^/?#\s]+)(?:[/?#].*)?", re.IGNORECASE
)
_REFUSED = {401, 403, 419}
_NO_SUCH = {404, 422}


class Member(msgspec.Struct, frozen=True, kw_only=True):
    """An account; `external_id` is what it is asked for by."""

    external_id: str
    name: str | None


class WireProfile(msgspec.Struct, rename={"user": "User", "ulid": "ULID"}):
    user: str | None = None
    ulid: str | None = None


class WirePage(msgspec.Struct, rename={"total": "Total", "results": "Results"}):
    total: int
    results: list[msgspec.Raw]


class _GameId(msgspec.Struct, rename={"game_id": "GameID"}):
    game_id: Id


_PROFILE = msgspec.json.Decoder(WireProfile)
_PAGE = msgspec.json.Decoder(WirePage)
_GAME_ID = msgspec.json.Decoder(_GameId)


class RetroAchievements:
    """RetroAchievements, asked with a person's key. All methods raise `SourceError`."""

    def __init__(self, client: Client, url: str, key: str) -> None:
        self._client = client
        self._url = url
        self._key = key

    def member(self, written: str) -> Member:
        """Return the account with a name; raises `UsageError` where there is none such."""
        address = _ADDRESS.fullmatch(written.strip())
        name = address["name"] if address else written.strip()
        if not _USER.fullmatch(name):
            raise UsageError(f"{written!r} is no account of RetroAchievements: give the name, as it stands on its page")
        member = self._profile(name)
        if member is None:
            raise UsageError(
                f"RetroAchievements knows no account {written!r}: give the name, as it stands on its page, "
                "https://retroachievements.org/user/NAME"
            )
        return member

    def progress(self, external_id: str) -> bytes:
        """Return how far an account has come in every game that it earned something in, all pages as one.

        The list is whole: one that changed while its pages were read is read again. Of an account that is not there
        any more RetroAchievements lists nothing; here that is `SourceRefused`.
        """
        for _ in range(ROUNDS):
            total, results = self._pages(external_id)
            if len({_key_of(result) for result in results}) == total:
                break
        else:
            raise SourceUnavailable("RetroAchievements: the list of games changes each time that it is read")
        if not results and self._profile(external_id) is None:
            raise SourceRefused(
                f"RetroAchievements knows no account {external_id} any more, and nothing of its library was changed: "
                f"{WAY_OUT} takes another"
            )
        return msgspec.json.encode({"Count": len(results), "Total": total, "Results": results})

    def _pages(self, external_id: str) -> tuple[int, Sequence[msgspec.Raw]]:
        results: list[msgspec.Raw] = []
        total = 0
        for _ in range(MOST_PAGES):
            reply = self._get("API_GetUserCompletionProgress.php", u=external_id, c=str(PAGE), o=str(len(results)))
            page = decoded(_PAGE, reply, NAME, "the games of an account")
            total, results = page.total, [*results, *page.results]
            if not page.results or len(results) >= total:
                break
        return total, results

    def _profile(self, name: str) -> Member | None:
        reply = self._get("API_GetUserProfile.php", u=name)
        if reply.status in _NO_SUCH:
            return None
        profile = decoded(_PROFILE, reply, NAME, "an account")
        user = clean(profile.user)
        if user is None:
            return None
        is_ulid = profile.ulid is not None and _ULID.fullmatch(profile.ulid) is not None
        return Member(external_id=(profile.ulid if is_ulid else None) or user, name=user)

    def _get(self, file: str, **parameters: str) -> Reply:
        url = f"{self._url}/API/{file}?{urlencode({**parameters, 'y': self._key})}"
        reply = self._client.ask("GET", url, headers={})
        raise_if_too_many(reply, NAME)
        if reply.status in _REFUSED:
            raise SourceRefused(
                f"RetroAchievements refuses the key ({reply.status}): {KEY_PAGE} shows the one that is valid, and "
                f"{WAY_OUT} takes it",
                status=reply.status,
            )
        return reply


def read_key(written: str) -> str:
    """Return a key of the web API; raises `UsageError`, which does not repeat it, where it can be none."""
    key = written.strip()
    if not _KEY.fullmatch(key):
        raise UsageError(f"a key of RetroAchievements is letters and digits, and this is none: {KEY_PAGE} shows yours")
    return key


def _key_of(result: msgspec.Raw) -> str | bytes:
    """Return the game of a result; one that cannot be read stands for itself."""
    wire = read_value(_GAME_ID, result)
    return (identity(wire.game_id) if wire else None) or bytes(result)
