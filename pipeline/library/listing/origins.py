"""Whose word each value of a work is: the person's own, a file's line, a shop's account, or what follows from them."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, func, select

from models import Game, GameState, LibraryAccount, LibraryImport, Playthrough, TitleDecision, Work
from models.moments import Moment
from models.words.units import service_name
from pipeline.games.store.links import load_links
from pipeline.library.listing.pages import Entry, Through, load_entries, load_playthroughs
from pipeline.library.listing.works import ListedWork, load_works
from pipeline.library.standing import PLAYING_FOR

HAND = "hand"
BY_YOU = "you, by hand"
# What `library set` sets, and how a person calls it.
_FIELDS = (
    *("name", "year", "genres", "cover_url", "series"),
    *("status", "rating", "is_favourite", "tags", "notes"),
)
_SHOWN = {"is_favourite": "favourite", "cover_url": "cover"}


class Origin(msgspec.Struct, frozen=True, kw_only=True):
    """A value, who said it, and when that was (UTC; None where it is not known)."""

    what: str
    value: str
    by: str
    at: Moment | None = None


def load_origins(connection: Connection, person_id: int, work_id: int) -> list[Origin]:
    """Return every value that a work has for a person, with who said so; also of what was removed or is hidden."""
    entries = load_entries(connection, person_id, work_id)
    throughs = load_playthroughs(connection, person_id, work_id)
    state = _state(connection, person_id, work_id)
    listed = load_works(connection, person_id, work_id)
    files = dict.fromkeys(
        [*(entry.origin for entry in entries if entry.line is not None), *_files(connection, work_id, person_id)]
    )
    accounts = _accounts(connection, person_id)
    origins = [*_which_game(connection, person_id, work_id)]
    for entry in entries:
        origins += _of_entry(entry, accounts)
    origins += _of_state(state, files)
    if listed and (state is None or state["status"] is None) and listed[0].status is not None:
        followed = _why_status(listed[0], entries, throughs)
        origins.append(Origin(what="status", value=listed[0].status, by=followed))
    origins += [_of_through(through) for through in throughs]
    return origins


def _state(connection: Connection, person_id: int, work_id: int) -> Mapping[str, Any] | None:
    query = select(*GameState.__table__.c).where(GameState.person_id == person_id, GameState.work_id == work_id)
    row = connection.execute(query).mappings().one_or_none()
    return None if row is None else dict(row)


def _files(connection: Connection, work_id: int, person_id: int) -> Sequence[str]:
    """Return the names of files that said something of a work's games, the first one first."""
    of_work = select(Game.id).where(Game.work_id == work_id)
    query = (
        select(LibraryImport.name)
        .join(Playthrough, Playthrough.import_id == LibraryImport.id)
        .where(Playthrough.person_id == person_id, Playthrough.game_id.in_(of_work))
        .group_by(LibraryImport.id)
        .order_by(LibraryImport.id)
    )
    return list(connection.scalars(query))


def _accounts(connection: Connection, person_id: int) -> Mapping[str, str]:
    """Return what a person's accounts are called, by their service; several of one service as one text."""
    query = (
        select(LibraryAccount.service, func.coalesce(LibraryAccount.name, LibraryAccount.external_id))
        .where(LibraryAccount.person_id == person_id)
        .order_by(LibraryAccount.id)
    )
    accounts: dict[str, str] = {}
    for service, name in connection.execute(query):
        accounts[service] = f"{accounts[service]} or {name}" if service in accounts else name
    return accounts


def _which_game(connection: Connection, person_id: int, work_id: int) -> Iterator[Origin]:
    work = connection.execute(select(*Work.__table__.c).where(Work.id == work_id)).one()
    number = "which IGDB lacks" if work.root_igdb_id is None else f"IGDB {work.root_igdb_id}"
    yield Origin(what="game", value=work.name, by="you said so" if work.root_igdb_id is None else number)
    if work.series is not None:
        yield Origin(what="series", value=work.series, by="IGDB")
    games = connection.execute(select(Game.id, Game.name, Game.work_pinned_at).where(Game.work_id == work_id)).all()
    links = load_links(connection, [game.id for game in games])
    for game in games:
        link = links.get(game.id)
        if game.work_pinned_at is not None:
            yield Origin(what="belongs to it", value=game.name, by=BY_YOU, at=game.work_pinned_at)
        if link is not None and link.pinned_at is not None:
            entry = "no entry of IGDB" if link.igdb_id is None else f"IGDB {link.igdb_id}"
            yield Origin(what="link", value=f"{game.name}: {entry}", by=BY_YOU, at=link.pinned_at)
    ids = [link.igdb_id for link in links.values() if link.igdb_id is not None]
    decisions = select(*TitleDecision.__table__.c).where(
        TitleDecision.person_id == person_id,
        TitleDecision.igdb_id.in_(ids) | TitleDecision.game_id.in_([game.id for game in games]),
    )
    for row in connection.execute(decisions.order_by(TitleDecision.id)):
        meant = f"{row.store} {row.external_id}" if row.external_id else row.name_key
        yield Origin(what="answer", value=f"{meant} is this game", by="you, when it was unsure", at=row.made_at)


def _of_entry(entry: Entry, accounts: Mapping[str, str]) -> Iterator[Origin]:
    place = f"{entry.store}, {entry.platform}" if entry.platform else entry.store
    by = _by(entry, accounts)
    title = "" if entry.title == entry.game else f", called {entry.title}"
    yield Origin(what=entry.ownership, value=f"{place}{title}", by=by, at=entry.first_seen_at)
    if entry.playtime_seconds:
        yield Origin(what="time", value=f"{entry.playtime_seconds / 3600:.1f} h ({place})", by=by)
    if entry.last_played_at is not None:
        yield Origin(what="last played", value=f"{entry.last_played_at:%Y-%m-%d} ({place})", by=by)
    if entry.last_seen_at is not None:
        yield Origin(what="gone", value=place, by=f"{by}: it is listed no longer", at=entry.last_seen_at)
    if entry.hidden_at is not None:
        yield Origin(what="hidden", value=place, by="you, or the file", at=entry.hidden_at)
    if entry.removed_at is not None:
        yield Origin(what="forgotten", value=place, by=BY_YOU, at=entry.removed_at)


def _by(entry: Entry, accounts: Mapping[str, str]) -> str:
    service = entry.origin.partition(".")[0]
    if service in accounts:
        return f"{service_name(service)}, account {accounts[service]}"
    if entry.origin == HAND:
        return BY_YOU
    return entry.origin if entry.line is None else f"{entry.origin}, line {entry.line}"


def _of_state(state: Mapping[str, Any] | None, files: Collection[str]) -> Iterator[Origin]:
    if state is None:
        return
    file = f"a file ({', '.join(files)})" if files else "a file that you imported"
    for field in _FIELDS:
        whose = state["set_by"].get(field)
        if whose is None:
            continue
        shown = _shown(state[field])
        if field == "rating" and state[field] is not None:
            shown = f"{state[field]:g} of 100, given on a scale to {state['rating_scale'] or 100}"
        by = BY_YOU if whose == HAND else file
        yield Origin(what=_SHOWN.get(field, field), value=shown, by=by, at=state["updated_at"])


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(value) or "none"
    return "nothing" if value is None else str(value)


def _why_status(work: ListedWork, entries: Sequence[Entry], throughs: Sequence[Through]) -> str:
    """Say what a status follows from where nobody says it, as `pipeline.library.standing` derives it."""
    states = Counter(through.status for through in throughs)
    if states["playing"]:
        return "follows from a playthrough that is under way"
    if work.finishes:
        return "follows from a playthrough that has its end"
    if throughs:
        return "follows from the last playthrough"
    if work.status == "playing":
        return f"follows from the last time it was played, less than {PLAYING_FOR.days} days ago"
    if work.status == "paused":
        return "follows from its having been played, but not lately"
    return "follows from your having it and never playing it" if entries else "follows from nothing else being known"


def _of_through(through: Through) -> Origin:
    where = f" on {through.platform}" if through.platform else ""
    by = BY_YOU if through.origin == HAND else through.origin
    if through.edited_at is not None and through.origin != HAND:
        by = f"{by}, then you"
    value = f"{through.status}{where}{f', {through.when}' if through.when else ''}"
    return Origin(what=f"playthrough {through.id}", value=value, by=by, at=through.edited_at or through.created_at)
