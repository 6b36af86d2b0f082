"""What front ends have counted and a person marked in them: favourites, stars, play times, when played last. Pure.

Of a gamelist no rating is taken: scrapers write there what others think. LaunchBox keeps those apart, so its stars are
the person's. Times without a zone are of the machine that the front end ran on.
"""

import json
import re
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import PurePosixPath
from typing import Literal

import msgspec

from pipeline.roms.exports.gamelist import GAMELIST
from pipeline.roms.exports.launchbox import LAUNCHBOX
from pipeline.roms.exports.markup import Unreadable
from pipeline.roms.exports.xml_entries import XmlEntries

FrontEnd = Literal["gamelist", "launchbox", "retroarch"]
LOG = ".lrtl"
_WHOLE = re.compile(r"\d{1,12}")
_RUNTIME = re.compile(r"(\d{1,6}):([0-5]?\d):([0-5]?\d)")
_LAST = re.compile(r"(\d{4})-?(\d\d)-?(\d\d)[T ](\d\d):?(\d\d):?(\d\d)(?:\.\d+)?(Z|[+-]\d\d:?\d\d)?")
# A log of RetroArch is some lines; what is longer is none.
_LONGEST_LOG = 65536


class PlayedGame(msgspec.Struct, frozen=True, kw_only=True):
    """What a file says of a game: by the path that it has there, or (`is_stem`) by a file's name without its ending.

    `rating` goes from 0 to 100. What the file does not say is None, or false.
    """

    path: str
    is_stem: bool = False
    is_favourite: bool = False
    rating: float | None = None
    plays: int | None = None
    seconds: int | None = None
    last_played_at: datetime | None = None

    @property
    def says_anything(self) -> bool:
        """Whether anybody played the game, or marked it."""
        return bool(self.is_favourite or self.rating or self.plays or self.seconds or self.last_played_at)


def read_played(name: str, data: bytes, zone: tzinfo) -> tuple[FrontEnd, list[PlayedGame]]:
    """Return what a file of a front end says of games, those of which it says anything.

    It is known by what it has in it, a log of RetroArch by its name. Raises `Unreadable`.
    """
    if name.casefold().endswith(LOG):
        return "retroarch", [game for game in (_log(name, data, zone),) if game.says_anything]
    try:
        games = _gamelist(XmlEntries(data, GAMELIST), zone)
        kind: FrontEnd = "gamelist"
    except Unreadable as problem:
        try:
            games = _launchbox(XmlEntries(data, LAUNCHBOX), zone)
            kind = "launchbox"
        except Unreadable:
            raise problem from None
    return kind, [game for game in games if game.says_anything]


def _gamelist(entries: XmlEntries, zone: tzinfo) -> list[PlayedGame]:
    return [
        PlayedGame(
            path=key,
            is_favourite=(entries.value(entry, "favorite") or "").strip().casefold() == "true",
            plays=_number(entries.value(entry, "playcount")),
            seconds=_number(entries.value(entry, "gametime")) or _number(entries.value(entry, "playtime")),
            last_played_at=_moment(entries.value(entry, "lastplayed"), zone),
        )
        for entry, key in enumerate(entries.keys())
        if key
    ]


def _launchbox(entries: XmlEntries, zone: tzinfo) -> list[PlayedGame]:
    return [
        PlayedGame(
            path=key,
            is_favourite=(entries.value(entry, "Favorite") or "").strip().casefold() == "true",
            rating=_stars(entries.value(entry, "StarRatingFloat")) or _stars(entries.value(entry, "StarRating")),
            plays=_number(entries.value(entry, "PlayCount")),
            seconds=_number(entries.value(entry, "PlayTime")),
            last_played_at=_moment(entries.value(entry, "LastPlayedDate"), zone),
        )
        for entry, key in enumerate(entries.keys())
        if key
    ]


def _log(name: str, data: bytes, zone: tzinfo) -> PlayedGame:
    if len(data) > _LONGEST_LOG:
        raise Unreadable("it is too long for a log of RetroArch's")
    try:
        log = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise Unreadable("it is no log of RetroArch's: it is no JSON", getattr(error, "lineno", None)) from error
    runtime = log.get("runtime") if isinstance(log, dict) else None
    match = _RUNTIME.fullmatch(runtime.strip()) if isinstance(runtime, str) else None
    if match is None:
        raise Unreadable("it is no log of RetroArch's: it has no `runtime` like 1:02:03")
    hours, minutes, seconds = map(int, match.groups())
    last = log.get("last_played")
    return PlayedGame(
        path=PurePosixPath(name).name[: -len(LOG)],
        is_stem=True,
        seconds=hours * 3600 + minutes * 60 + seconds or None,
        last_played_at=_moment(last if isinstance(last, str) else None, zone),
    )


def _number(text: str | None) -> int | None:
    """Return a whole number above 0."""
    text = (text or "").strip()
    return int(text) or None if _WHOLE.fullmatch(text) else None


def _stars(text: str | None) -> float | None:
    """Return 1 to 5 stars as 20 to 100."""
    try:
        stars = float(text or "0")
    except ValueError:
        return None
    return round(stars * 20, 2) if 0 < stars <= 5 else None


def _moment(text: str | None, zone: tzinfo) -> datetime | None:
    """Return a time, of this zone where it names none; None for what is none."""
    match = _LAST.fullmatch((text or "").strip())
    if match is None:
        return None
    *parts, offset = match.groups()
    try:
        at = datetime(*map(int, parts), tzinfo=zone)  # type: ignore[misc,arg-type] # six numbers
    except ValueError:
        return None
    if offset is None:
        return at
    sign = -1 if offset[0] == "-" else 1
    digits = offset.strip("Z+-").replace(":", "") or "0000"
    own = timedelta(hours=int(digits[:2]), minutes=int(digits[2:])) * sign
    return at.replace(tzinfo=UTC) - own
