"""What events of libraries show. Pure."""

from collections.abc import Sequence
from datetime import UTC, datetime, time

import msgspec

from models.details import LibraryDetail, LibraryLine
from models.events import EventKind
from models.periods import read_period
from pipeline.events.event import NewEvent

# A feed's item lists them; a message names fewer.
NAMED_AT_MOST = 20
# Who has a game in one of these ways has it; who wishes for it, or has lent or sold it, has not.
HAD = frozenset({"owned", "subscription", "shared"})


class Happened(msgspec.Struct, frozen=True, kw_only=True):
    """A game that something happened to: `identity` tells it from the other ones of its kind."""

    identity: str
    game_id: int
    name: str
    store: str | None = None
    platform: str = ""


class Finish(msgspec.Struct, frozen=True, kw_only=True):
    """A playthrough that has its end now."""

    identity: str
    game_id: int
    name: str
    platform: str
    finished: str
    completion: str | None = None
    seconds: int | None = None
    rating: float | None = None


def of_several(
    kind: EventKind, games: Sequence[Happened], person_id: int, origin: str, now: datetime
) -> list[NewEvent]:
    """Return the one event of games that are new, gone or back; none where there are no games."""
    if not games:
        return []
    by_name = sorted(games, key=lambda game: (game.name.casefold(), game.identity))
    names = list(dict.fromkeys(game.name for game in by_name))
    stores = {game.store for game in games}
    detail = LibraryDetail(
        origin=origin,
        store=stores.pop() if len(stores) == 1 else None,
        game=names[0] if len(names) == 1 else None,
        total=len(names),
        games=tuple(LibraryLine(name=name) for name in names[:NAMED_AT_MOST]),
    )
    ids = {game.game_id for game in games}
    # Gone and back happen again; a game is new once.
    moment = [] if kind is EventKind.LIBRARY_ADDED else [now.isoformat()]
    event = NewEvent(
        kind=kind,
        subject=f"person/{person_id}",
        occurred_at=now,
        detail=detail,
        identity=[*sorted(game.identity for game in games), *moment],
        game_id=ids.pop() if len(ids) == 1 else None,
        person_id=person_id,
    )
    return [event]


def happened(key: Sequence[str], game_id: int, name: str) -> Happened:
    """Return what happened to an entry: `key` is its store, its id there and its platform."""
    store, _, platform = key
    return Happened(identity="\n".join(key), game_id=game_id, name=name, store=store, platform=platform)


def of_start(game: Happened, person_id: int, origin: str, now: datetime) -> NewEvent:
    """Return the event of the first time that a game was played."""
    return NewEvent(
        kind=EventKind.PLAY_STARTED,
        subject=f"person/{person_id}",
        occurred_at=now,
        detail=LibraryDetail(game=game.name, store=game.store, platform=game.platform or None, origin=origin),
        identity=game.identity,
        game_id=game.game_id,
        person_id=person_id,
    )


def of_finish(finish: Finish, person_id: int, origin: str, now: datetime) -> NewEvent:
    """Return the event of a playthrough's end, at noon (UTC) of the last day that it may have been on."""
    period = read_period(finish.finished)
    last = period.last if period is not None else None
    at = now if last is None else min(now, datetime.combine(last, time(12), UTC))
    return NewEvent(
        kind=EventKind.PLAY_FINISHED,
        subject=f"person/{person_id}",
        occurred_at=at,
        detail=LibraryDetail(
            game=finish.name,
            platform=finish.platform or None,
            finished=finish.finished,
            completion=finish.completion,
            seconds=finish.seconds,
            rating=None if finish.rating is None else round(finish.rating),
            origin=origin,
        ),
        identity=finish.identity,
        game_id=finish.game_id,
        person_id=person_id,
    )


def key_of_finish(person_id: int, identity: str) -> str:
    """Return the key of the event of a playthrough's end."""
    finish = Finish(identity=identity, game_id=0, name="", platform="", finished="")
    return of_finish(finish, person_id, "", datetime.min.replace(tzinfo=UTC)).event_key
