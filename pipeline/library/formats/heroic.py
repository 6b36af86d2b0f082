"""Heroic Games Launcher: the caches of its stores, `store_cache/*_library.json`. Pure.

`runner` is the store's program: legendary for Epic, gog, nile for Amazon, zoom, sideload. At GOG `app_name` is the id
of the product, which IGDB knows. https://github.com/Heroic-Games-Launcher/HeroicGamesLauncher, src/common/types.ts
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from models.errors import UsageError
from pipeline.library.formats.building import read_elements, reading
from pipeline.library.formats.format import refuse
from pipeline.library.formats.look import Look, first_keys, listed
from pipeline.library.formats.no_games import DLC, RUNTIME, no_game_by_name
from pipeline.library.formats.values import title_of, unix_moment, words_of
from pipeline.library.records import Reading, ReadOptions, Record, Store

_STORES: Mapping[str, Store] = {"legendary": "epic", "gog": "gog", "nile": "amazon", "zoom": "other"}
_LONGEST_ID = 100


class _Install(msgspec.Struct):
    is_dlc: bool | None = None


class _Extra(msgspec.Struct):
    releaseDate: Any = None  # noqa: N815 - as Heroic writes it


class _Game(msgspec.Struct):
    app_name: str
    title: str
    runner: str = ""
    install: _Install | None = None
    extra: _Extra | None = None


class Heroic:
    """A cache of one of Heroic's stores."""

    name = "heroic"
    taken_for = "a library of Heroic"

    def recognises(self, look: Look) -> bool:
        keys = first_keys(_games(look))
        return {"runner", "app_name"} <= keys or ("__timestamp" in look.members and bool(_held(look)))

    def read(self, look: Look, options: ReadOptions) -> Reading:
        if not _held(look):
            refuse(look, self.taken_for, "lacks both `games` and `library`")
        games = _games(look)
        if not games:
            raise UsageError(
                f"{look.name} was taken for {self.taken_for}, and names no game: sign in to its store there"
            )
        records, broken = read_elements(games, _Game, _record)
        return reading(self.name, self.taken_for, records, broken, name=look.name, options=options)


def _held(look: Look) -> Sequence[str]:
    return [key for key in ("games", "library") if key in look.members]


def _games(look: Look) -> Sequence[msgspec.Raw]:
    return [game for key in _held(look) for game in listed(look.members[key])]


def _record(line: int, game: _Game) -> Record:
    title = title_of(game.title)
    store = _STORES.get(game.runner, "other")
    return Record(
        line=line,
        written=title,
        no_game=_no_game(game) or no_game_by_name(title),
        year=_year(game.extra),
        store=store,
        external_id=_external_id(game, store),
        ownership="owned",
    )


def _no_game(game: _Game) -> str | None:
    if game.app_name == "gog-redist":
        return RUNTIME
    return DLC if game.install is not None and game.install.is_dlc else None


def _external_id(game: _Game, store: Store) -> str | None:
    """Return the shop's id: of a game that was added by hand there is none, and GOG's are figures."""
    name = next(iter(words_of([game.app_name])), "")
    if store == "other" or not name or len(name) > _LONGEST_ID or (store == "gog" and not name.isdecimal()):
        return None
    return name


def _year(extra: _Extra | None) -> int | None:
    value = None if extra is None else extra.releaseDate
    if not isinstance(value, int | float) or isinstance(value, bool) or value <= 0:
        return None
    at = unix_moment(value if value < 10**11 else value / 1000)
    return None if at is None else at.year
