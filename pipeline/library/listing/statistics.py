"""A person's library in figures: reads it whole, and has it added up."""

from sqlalchemy import Connection

from pipeline.library.listing.adding_up import Game, Growth, Playing, Statistics, Total, add_up
from pipeline.library.listing.pages import Entry, Session, Through, load_entries, load_playthroughs, load_sessions
from pipeline.library.listing.works import ListedWork, load_works


def load_statistics(connection: Connection, person_id: int, year: int | None = None) -> Statistics:
    """Return the figures of a library, of all times or of one year; hidden games do not count."""
    works = [work for work in load_works(connection, person_id) if not work.is_hidden]
    ids = {work.work_id for work in works}
    throughs = [through for through in load_playthroughs(connection, person_id) if through.work_id in ids]
    sessions = [session for session in load_sessions(connection, person_id) if session.work_id in ids]
    entries = [entry for entry in load_entries(connection, person_id) if entry.work_id in ids and _counts(entry)]
    return add_up(
        [_game(work) for work in works],
        [_playing(through) for through in throughs],
        [_growth(session) for session in sessions],
        [_total(entry) for entry in entries],
        year,
    )


def _game(work: ListedWork) -> Game:
    return Game(
        work_id=work.work_id,
        name=work.name,
        is_owned=work.is_owned,
        is_wished="wished" in work.words,
        status=work.status,
        seconds=work.seconds or 0,
        rating=work.rating,
        added_at=work.added_at,
        stores=tuple(work.stores),
        platforms=tuple(work.platforms),
        genres=tuple(work.genres),
        series=work.series,
    )


def _playing(through: Through) -> Playing:
    return Playing(
        work_id=through.work_id,
        status=through.status,
        platform=through.platform,
        started=through.started,
        finished=through.finished,
        seconds=through.seconds or 0,
    )


def _growth(session: Session) -> Growth:
    return Growth(
        work_id=session.work_id,
        store=session.store,
        platform=session.platform,
        until_at=session.until_at,
        seconds=session.seconds,
    )


def _counts(entry: Entry) -> bool:
    return entry.removed_at is None and entry.hidden_at is None and entry.last_seen_at is None


def _total(entry: Entry) -> Total:
    seconds = entry.playtime_seconds or 0
    return Total(work_id=entry.work_id, store=entry.store, platform=entry.platform, seconds=seconds)
