"""How far an account of RetroAchievements has come in which games: `GetUserCompletionProgress`, all of its pages.

Who has earned something has played: that says what was begun and finished, and not what somebody owns.
"""

from datetime import datetime

import msgspec

from pipeline.errors import SourceChanged
from pipeline.fetch.http import Client
from pipeline.fetch.shapes import UNREADABLE, Time, read_value
from pipeline.library.formats.retroachievements import RetroAchievements as Progress
from pipeline.library.records import Reading
from pipeline.library.sources.answers import Facts, read_answer
from pipeline.library.sources.shop import Member
from pipeline.services.retroachievements.client import KEY_PAGE, NAME, RetroAchievements, read_key


class _Game(msgspec.Struct, rename={"game_id": "GameID", "awarded_at": "MostRecentAwardedDate"}):
    game_id: int
    awarded_at: Time | None = None


class _Answer(msgspec.Struct, rename={"results": "Results"}):
    results: list[msgspec.Raw]


_ANSWER = msgspec.json.Decoder(_Answer)
_GAME = msgspec.json.Decoder(_Game)


class RetroAchievementsLibrary:
    """What accounts earned at RetroAchievements; `url` is that of the site."""

    source = "retroachievements.library"
    service = "retroachievements"
    title = NAME
    key_page = KEY_PAGE
    account_hint = "your name there, as it stands on your page"

    def __init__(self, url: str) -> None:
        self._url = url

    def read_key(self, written: str) -> str:
        """Return a key as a person wrote it; raises `UsageError`."""
        return read_key(written)

    def member(self, client: Client, key: str, written: str) -> Member:
        """Return the account that a person wrote; raises `SourceError`."""
        service = RetroAchievements(client, self._url, key)
        member = service.member(written)
        games = len(self.read(service.progress(member.external_id)).records)
        return Member(external_id=member.external_id, name=member.name, games=games)

    def ask(self, client: Client, key: str, external_id: str) -> bytes:
        """Return `GetUserCompletionProgress` of an account, all pages as one; raises `SourceError`."""
        return RetroAchievements(client, self._url, key).progress(external_id)

    def read(self, body: bytes) -> Reading:
        """Read all pages as one; raises `SourceChanged`."""
        try:
            games = [read_value(_GAME, raw) for raw in _ANSWER.decode(body).results]
        except UNREADABLE as error:
            raise SourceChanged(f"{NAME}: the games of an account cannot be read ({error})", payload=body) from error
        facts = [None if game is None else Facts(game.game_id, _in_reach(game.awarded_at)) for game in games]
        return read_answer(body, NAME, Progress(), facts, is_whole=True)


def _in_reach(at: datetime | None) -> datetime | None:
    """Return a time that is one; the calendar's ends are none."""
    return at if at is not None and 2000 < at.year < 9000 else None
