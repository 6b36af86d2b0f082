"""IGDB's entries of the invented games: when and where each comes out, its DLC, a remaster, ids of shops. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from pipeline.demo.igdb.tables import Table
from pipeline.demo.world import GAMES, Game, slug, stable_number

STEAM, TWITCH = 1, 14
PLATFORMS: Mapping[int, tuple[str, str]] = {
    6: ("PC (Microsoft Windows)", "PC"),
    130: ("Nintendo Switch", "Switch"),
    167: ("PlayStation 5", "PS5"),
    169: ("Xbox Series X|S", "Series X|S"),
}
# IGDB's numbers: https://api-docs.igdb.com/#game-type.
_DLC, _REMASTER = 1, 9
# Games that are still to come out, in days from the demo's day on.
_AHEAD: Mapping[str, int] = {"paper-dragon": 12, "whisker": 40, "dune-courier": 95}
_SERIES: Mapping[str, str] = {"tramline": "Tramline Tycoon", "nine-lanterns": "Nine Lanterns"}
# Entries of their own that belong to a game: what they are called behind its name, their type, platform, days ahead.
_PARTS: Mapping[str, Sequence[tuple[str, int, int, int]]] = {
    "sporeways": (("Deep Roots", _DLC, 6, 26),),
    "cinderhold": (("Remastered", _REMASTER, 167, -400),),
    "frostbarrow": (("Thaw", _DLC, 6, -30),),
}


def entry_id(key: str) -> int:
    """Return the id of an invented game's entry."""
    return stable_number(f"igdb/{key}", 20_000, 380_000)


def steam_id(key: str) -> str:
    """Return what the invented Steam calls a game."""
    return str(stable_number(f"steam/{key}", 100_000, 3_000_000))


def tables(now: datetime) -> dict[str, Table]:
    """Return the rows of IGDB's endpoints as of an aware time."""
    games = {row["id"]: row for row in documents(now)}
    external = {
        each["id"]: each | {"game": row["id"]} for row in games.values() for each in row.get("external_games", ())
    }
    platforms = {key: _platform(key) for key in PLATFORMS}
    rows: dict[str, dict[int, dict[str, Any]]] = {"games": games, "external_games": external, "platforms": platforms}
    return {name: Table(by_id) for name, by_id in rows.items()}


def documents(now: datetime) -> list[dict[str, Any]]:
    """Return all entries as documents with everything expanded."""
    return [row for game in GAMES.values() for row in _entries(game, now)]


def _entries(game: Game, now: datetime) -> Iterator[dict[str, Any]]:
    days = _AHEAD.get(game.key, -stable_number(f"age/{game.key}", 120, 3000))
    places = [6, 167] if game.key in {"cinderhold", "paper-dragon", "mossgate"} else [6]
    yield _document(
        entry_id(game.key),
        game.name,
        now,
        game_type=0,
        summary=f"A game by {game.organization.name} that exists in this demo alone.",
        involved_companies=[{"id": entry_id(game.key), "company": {"id": 1, "name": game.organization.name}}],
        genres=[{"id": 31, "name": "Adventure"}],
        total_rating=float(stable_number(f"rating/{game.key}", 55, 94)),
        total_rating_count=stable_number(f"ratings/{game.key}", 30, 900),
        external_games=[
            _external(game.key, TWITCH, game.id),
            _external(game.key, STEAM, steam_id(game.key)),
        ],
        **({"collections": [{"id": 1, "name": _SERIES[game.key]}]} if game.key in _SERIES else {}),
        **_out(entry_id(game.key), places, now + timedelta(days=days)),
    )
    for name, kind, place, ahead in _PARTS.get(game.key, ()):
        key = f"{game.key}/{name}"
        yield _document(
            entry_id(key),
            f"{game.name}: {name}",
            now,
            game_type=kind,
            parent_game=entry_id(game.key),
            **_out(entry_id(key), [place], now + timedelta(days=ahead)),
        )


def _document(igdb_id: int, name: str, now: datetime, **more: Any) -> dict[str, Any]:
    return {
        "id": igdb_id,
        "name": name,
        "slug": slug(name),
        "url": f"https://igdb.demo.example/games/{slug(name)}",
        "updated_at": int((now - timedelta(days=3)).timestamp()),
        **more,
    }


def _out(igdb_id: int, platforms: Sequence[int], at: datetime) -> dict[str, Any]:
    """Return on which platforms an entry comes out, and the day on which it does."""
    day = at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    dates = [
        {
            "id": igdb_id * 10 + nth,
            "date": int(day.timestamp()),
            "date_format": 0,
            "y": day.year,
            "m": day.month,
            "platform": key,
            "release_region": 8,
        }
        for nth, key in enumerate(platforms)
    ]
    return {
        "first_release_date": int(day.timestamp()),
        "platforms": [_platform(key) for key in platforms],
        "release_dates": dates,
    }


def _platform(key: int) -> dict[str, Any]:
    name, abbreviation = PLATFORMS[key]
    return {"id": key, "name": name, "abbreviation": abbreviation, "slug": slug(name)}


def _external(key: str, source: int, uid: str) -> dict[str, Any]:
    return {
        "id": stable_number(f"external/{key}/{source}", 1_000, 9_000_000),
        "external_game_source": source,
        "uid": uid,
    }
