"""Steam's library of an account: `GetOwnedGames`, one request for all of it."""

import msgspec

from pipeline.errors import SourceChanged
from pipeline.fetch.http import Client
from pipeline.fetch.shapes import UNREADABLE, read_value
from pipeline.library.formats.steam import OwnedGames
from pipeline.library.records import Reading
from pipeline.library.sources.answers import Facts, read_answer
from pipeline.library.sources.shop import Member
from pipeline.services.steam.accounts import read_key
from pipeline.services.steam.client import KEY_PAGE, NAME, Steam


class _App(msgspec.Struct):
    appid: int


class _Listed(msgspec.Struct):
    game_count: int | None = None
    games: list[msgspec.Raw] = []


class _Answer(msgspec.Struct):
    response: _Listed


_ANSWER = msgspec.json.Decoder(_Answer)
_APP = msgspec.json.Decoder(_App)


class SteamLibrary:
    """What accounts own at Steam; `url` is that of its Web API."""

    source = "steam.library"
    service = "steam"
    title = NAME
    key_page = KEY_PAGE
    account_hint = "the address of your profile, the name in it, or its 17 digits"

    def __init__(self, url: str) -> None:
        self._url = url

    def read_key(self, written: str) -> str:
        """Return a key as a person wrote it; raises `UsageError`."""
        return read_key(written)

    def member(self, client: Client, key: str, written: str) -> Member:
        """Return the account that a person wrote; raises `SourceError`, also where its games are private."""
        steam = Steam(client, self._url, key)
        profile = steam.profile(written)
        games = len(self.read(steam.owned_games(profile.steam_id)).records)
        return Member(external_id=profile.steam_id, name=profile.name, games=games)

    def ask(self, client: Client, key: str, external_id: str) -> bytes:
        """Return `GetOwnedGames` of an account; raises `SourceError`, also where its games are private."""
        return Steam(client, self._url, key).owned_games(external_id)

    def read(self, body: bytes) -> Reading:
        """Read `GetOwnedGames`; raises `SourceChanged`."""
        try:
            listed = _ANSWER.decode(body).response
        except UNREADABLE as error:
            raise SourceChanged(f"{NAME}: the games of an account cannot be read ({error})", payload=body) from error
        apps = [read_value(_APP, raw) for raw in listed.games]
        facts = [None if app is None else Facts(app.appid) for app in apps]
        # Steam counts what it lists.
        is_whole = listed.game_count in {None, len(listed.games)}
        return read_answer(body, NAME, OwnedGames(), facts, is_whole=is_whole)
