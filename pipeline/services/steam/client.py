"""Steam's Web API, as the key of a person may ask it: who an account is, and which games it has.

https://partner.steamgames.com/doc/webapi/IPlayerService and ISteamUser. The key goes in the header `x-webapi-key`
(https://partner.steamgames.com/doc/webapi_overview/auth), so that no address holds it. A key may ask 100,000 times a
day.
"""

from collections.abc import Sequence
from urllib.parse import urlencode

import msgspec

from models.errors import UsageError
from pipeline.errors import SourceChanged, SourceRefused
from pipeline.fetch.http import Client, Reply
from pipeline.fetch.shapes import clean
from pipeline.services.answers import decoded, raise_if_too_many
from pipeline.services.steam.accounts import SteamAccount, read_account

NAME = "Steam"
KEY_PAGE = "https://steamcommunity.com/dev/apikey"
PRIVACY_PAGE = "https://steamcommunity.com/my/edit/settings"
WAY_OUT = "`lootwire sources login steam`"
# ResolveVanityURL's `success` for a name that somebody has.
_FOUND = 1
_BAD_REQUEST, _UNAUTHORISED, _FORBIDDEN = 400, 401, 403


class Profile(msgspec.Struct, frozen=True, kw_only=True):
    """An account as Steam names it; `name` is the one that its friends see."""

    steam_id: str
    name: str | None


class WireVanity(msgspec.Struct):
    success: int
    steamid: str | None = None


class WirePlayer(msgspec.Struct):
    steamid: str
    personaname: str | None = None


class WirePlayers(msgspec.Struct):
    players: Sequence[WirePlayer]


class WireGames(msgspec.Struct):
    """Of a profile that keeps its games private neither is there."""

    game_count: int | None = None
    games: list[msgspec.Raw] | None = None


class _Vanity(msgspec.Struct):
    response: WireVanity


class _Players(msgspec.Struct):
    response: WirePlayers


class _Games(msgspec.Struct):
    response: WireGames


_VANITY = msgspec.json.Decoder(_Vanity)
_PLAYERS = msgspec.json.Decoder(_Players)
_GAMES = msgspec.json.Decoder(_Games)


class Steam:
    """Steam, asked with a person's key. All methods raise `SourceError`."""

    def __init__(self, client: Client, url: str, key: str) -> None:
        self._client = client
        self._url = url
        self._key = key

    def profile(self, written: str) -> Profile:
        """Return the account that a person wrote: its number, its address, or the name in that.

        Raises `UsageError` where Steam knows none such.
        """
        account = read_account(written)
        steam_id = account.steam_id or self._number(account)
        reply = self._get("ISteamUser/GetPlayerSummaries/v2", steamids=steam_id)
        players = decoded(_PLAYERS, reply, NAME, "an account").response.players
        player = next((each for each in players if each.steamid == steam_id), None)
        if player is None:
            raise _unknown(written)
        return Profile(steam_id=steam_id, name=clean(player.personaname))

    def owned_games(self, steam_id: str) -> bytes:
        """Return what Steam says an account owns, free games that it played among it, as it came: `GetOwnedGames`.

        A profile that keeps its games private, which Steam shows as an answer without games, is `SourceRefused`.
        """
        reply = self._get(
            "IPlayerService/GetOwnedGames/v1", steamid=steam_id, include_appinfo="1", include_played_free_games="1"
        )
        if reply.status in {_UNAUTHORISED, _FORBIDDEN}:
            raise private(steam_id)
        if reply.status == _BAD_REQUEST:
            raise SourceRefused(f"Steam knows no account {steam_id}: sign in again with {WAY_OUT}", status=_BAD_REQUEST)
        listed = decoded(_GAMES, reply, NAME, "the games of an account").response
        if listed.game_count is None and listed.games is None:
            raise private(steam_id)
        if listed.game_count and listed.games is None:
            raise SourceChanged(f"Steam counts {listed.game_count} games and lists none", payload=reply.body)
        return reply.body

    def _number(self, account: SteamAccount) -> str:
        reply = self._get("ISteamUser/ResolveVanityURL/v1", vanityurl=account.vanity or "")
        answer = decoded(_VANITY, reply, NAME, "the number of an account").response
        if answer.success != _FOUND or answer.steamid is None:
            raise _unknown(account.vanity or "")
        return answer.steamid

    def _get(self, method: str, **parameters: str) -> Reply:
        url = f"{self._url}/{method}/?{urlencode(parameters)}"
        reply = self._client.ask("GET", url, headers={"x-webapi-key": self._key})
        raise_if_too_many(reply, NAME)
        # It says so in HTML, with one status or the other.
        if reply.status in {_UNAUTHORISED, _FORBIDDEN} and (b"key=" in reply.body or "GetOwned" not in method):
            raise SourceRefused(
                f"Steam refuses the key ({reply.status}): {KEY_PAGE} shows the one that is valid, and "
                f"{WAY_OUT} takes it",
                status=reply.status,
            )
        return reply


def private(steam_id: str) -> SourceRefused:
    """Return the error that says that an account keeps its games private."""
    return SourceRefused(
        f"the Steam account {steam_id} keeps its games private, and nothing of its library was changed: set "
        f'"Game details" to public at {PRIVACY_PAGE}'
    )


def _unknown(written: str) -> UsageError:
    return UsageError(
        f"Steam knows no account {written!r}: give the address of its profile, such as "
        "https://steamcommunity.com/id/NAME, or the 17 digits of its number"
    )
