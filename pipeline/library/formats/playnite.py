"""Playnite: what its export extensions write, a bare list or `{"Games": [...]}`. Pure.

`Playtime` is in seconds. References are objects with a name (`{"Id", "Name"}`) or texts, as the extension has it.
`GameId` is the shop's id; `SourceId` is Playnite's own where it is a GUID, and the shop's where it is not.
https://api.playnite.link/docs/api/Playnite.SDK.Models.Game.html
"""

import re
from collections.abc import Sequence
from typing import Any

import msgspec

from pipeline.library.formats.building import read_elements, reading
from pipeline.library.formats.format import refuse
from pipeline.library.formats.look import Look, first_keys, listed
from pipeline.library.formats.no_games import no_game_by_name
from pipeline.library.formats.values import (
    MOST_SECONDS,
    count_of,
    moment_of,
    note_of,
    rating_of,
    title_of,
    words_of,
    year_of,
)
from pipeline.library.formats.words import is_blank, ownership_of, status_of, store_of
from pipeline.library.records import Reading, ReadOptions, Record, Store

_GUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
# Shops whose ids are figures, and nothing else.
_FIGURES: tuple[Store, ...] = ("steam", "gog")
_LONGEST_ID = 100
_TELLING = frozenset({"Playtime", "Source", "CompletionStatus", "GameId", "LastActivity"})

# An object with a name, or a text.
_Reference = str | dict[str, Any] | None
_References = list[str | dict[str, Any]] | str | None


class _Game(msgspec.Struct, rename="pascal"):
    name: str
    game_id: str | int | None = None
    source: _Reference = None
    source_id: str | int | None = None
    playtime: int | float | None = None
    last_activity: str | None = None
    release_date: _Reference = None
    platforms: _References = None
    platform: _Reference = None
    completion_status: _Reference = None
    user_score: int | float | None = None
    favorite: bool | None = None
    hidden: bool | None = None
    notes: str | None = None
    tags: _References = None
    series: _References = None


class Playnite:
    """A library of Playnite as JSON."""

    name = "playnite"
    taken_for = "a Playnite export"

    def recognises(self, look: Look) -> bool:
        games = _games(look)
        keys = first_keys(games)
        return ("Name" in keys and bool(keys & _TELLING)) or (not games and look.members.keys() == {"Games"})

    def read(self, look: Look, options: ReadOptions) -> Reading:
        games = _games(look)
        if not games and "Games" in look.members:
            refuse(look, self.taken_for, "has no game in its list `Games`")
        if not games:
            refuse(look, self.taken_for, "holds neither a list of games nor `Games`")
        records, broken = read_elements(games, _Game, _record)
        return reading(self.name, self.taken_for, records, broken, name=look.name, options=options)


def _games(look: Look) -> Sequence[msgspec.Raw]:
    return listed(look.members.get("Games")) or look.elements


def _record(line: int, game: _Game) -> Record:
    title = title_of(game.name)
    source = _name(game.source)
    store = _store(source)
    rating = rating_of(game.user_score, 100)
    seconds = count_of(game.playtime, "Playtime", MOST_SECONDS)
    return Record(
        line=line,
        written=title,
        no_game=no_game_by_name(title),
        year=year_of(_release(game.release_date)),
        store=store,
        external_id=_external_id(game, store),
        platforms=words_of(_names(game.platforms) or [_name(game.platform)]),
        ownership=ownership_of(source) or "owned",
        playtime_seconds=seconds,
        last_played_at=moment_of(game.last_activity),
        is_hidden=bool(game.hidden),
        status=status_of(_name(game.completion_status)),
        rating=rating[0] if rating else None,
        rating_scale=rating[1] if rating else None,
        is_favourite=bool(game.favorite),
        tags=words_of(_names(game.tags)),
        notes=note_of(game.notes),
        series=next(iter(words_of(_names(game.series))), None),
    )


def _name(reference: _Reference) -> str:
    value = reference.get("Name") if isinstance(reference, dict) else reference
    return value.strip() if isinstance(value, str) else ""


def _names(references: _References) -> list[str]:
    each = references.split(",") if isinstance(references, str) else references or []
    return [_name(reference) for reference in each]


def _release(reference: _Reference) -> str | None:
    value = reference.get("ReleaseDate") or reference.get("Year") if isinstance(reference, dict) else reference
    return str(value) if value is not None else None


def _store(source: str) -> Store | None:
    if is_blank(source):
        return None
    return store_of(source) or "other"


def _external_id(game: _Game, store: Store | None) -> str | None:
    """Return the shop's own id: figures alone at Steam and GOG, whatever it is elsewhere, and no GUID of Playnite's."""
    ids = [str(value).strip() for value in (game.source_id, game.game_id) if value is not None]
    for value in ids:
        if not value or len(value) > _LONGEST_ID or not value.isprintable() or _GUID.fullmatch(value):
            continue
        if store is not None and store != "other" and (store not in _FIGURES or (value.isascii() and value.isdigit())):
            return value
    return None
