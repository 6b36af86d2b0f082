"""Find games by what a person calls them: ours by name, slug or id, IGDB's by title, slug or id."""

from collections.abc import Callable, Collection
from datetime import datetime

import msgspec
from sqlalchemy import BigInteger, Connection, Engine, bindparam, exists, func, or_, select

from feeds.public import is_game_seen_by
from models import Game, GameExternalId, GameMetadata, LibraryEntry, Source, WantedGame
from models.errors import UsageError
from models.names import name_key
from pipeline.games.matching.matching import match_title, search_titles
from pipeline.games.matching.records import Scored, wanted
from pipeline.games.mirror.state import is_kept
from pipeline.games.releases.news import append_releases
from pipeline.games.sources.links import search_entries
from pipeline.games.sources.wanted import IgdbWanted
from pipeline.games.take_in import Intake
from pipeline.services.igdb.client import Igdb
from pipeline.services.igdb.documents import Documents, split_documents

# A name goes before an id: "1942" is a game.
_OURS = (
    select(Game.id)
    .outerjoin(GameExternalId, GameExternalId.game_id == Game.id)
    .where(
        (Game.name_key == bindparam("key"))
        | (Game.public_id == bindparam("written"))
        | ((GameExternalId.external_id == bindparam("written")) & (GameExternalId.service != "igdb"))
    )
    .order_by((Game.name_key == bindparam("key")).desc(), (Game.public_id == bindparam("written")).desc(), Game.id)
    .limit(1)
)
_PERSON = bindparam("person_id", type_=BigInteger)
_OURS_SEEN = _OURS.where(is_game_seen_by(_PERSON))
# Of a catalogue that is no mirror: what it has of a game says that somebody asked for it.
_IS_HIDDEN = or_(
    exists(select(1).where(Game.id == GameMetadata.game_id, ~is_game_seen_by(_PERSON))).correlate(GameMetadata),
    GameMetadata.game_id.is_(None)
    & exists(select(1).where(WantedGame.igdb_id == GameMetadata.igdb_id, WantedGame.reasons == ["library"])).correlate(
        GameMetadata
    )
    & ~exists(
        select(1).where(LibraryEntry.igdb_id == GameMetadata.igdb_id, LibraryEntry.person_id == _PERSON)
    ).correlate(GameMetadata),
)


def find_ours(connection: Connection, written: str, *, person_id: int | None = None) -> int | None:
    """Return our game with this name or slug, or with this id (ours in file names, a category's at its service).

    For a person only one that they may see.
    """
    parameters = {"key": name_key(written), "written": written.strip()}
    if person_id is None:
        return connection.scalar(_OURS, parameters)
    return connection.scalar(_OURS_SEEN, {**parameters, "person_id": person_id})


def hidden_entries(connection: Connection, igdb_ids: Collection[int], person_id: int) -> set[int]:
    """Return those of these entries that are here for other people's libraries alone; of a mirror none are."""
    if not igdb_ids or is_kept(connection):
        return set()
    of_these = select(GameMetadata.igdb_id).where(GameMetadata.igdb_id == func.any(list(igdb_ids)), _IS_HIDDEN)
    return set(connection.scalars(of_these, {"person_id": person_id}))


def find_entry(connection: Connection, written: str) -> int | None:
    """Return the entry of the catalogue with this slug or IGDB id, or the one that a title surely means."""
    slug = (
        select(GameMetadata.igdb_id).where(GameMetadata.slug == written.strip().lower()).order_by(GameMetadata.igdb_id)
    )
    igdb_id = connection.scalar(slug.limit(1)) or match_title(connection, wanted(written)).igdb_id
    if igdb_id is None and written.isascii() and written.isdigit() and len(written) < 18:
        return connection.scalar(select(GameMetadata.igdb_id).where(GameMetadata.igdb_id == int(written)))
    return igdb_id


def search(engine: Engine, text: str, limit: int, igdb: Callable[[], Igdb] | None, now: datetime) -> list[Scored]:
    """Return the entries that a person may look for, best first.

    Where the catalogue is no mirror and IGDB may be asked, its matches are stored and ranked too.
    Raises `SourceError` where IGDB does not answer.
    """
    with engine.connect() as connection:
        mirrored = is_kept(connection)
    if not mirrored and igdb is not None and text.strip():
        add_entries(engine, igdb(), [text], now)
    with engine.connect() as connection:
        return search_titles(connection, wanted(text), limit=limit)


def add_entries(engine: Engine, igdb: Igdb, names: list[str], now: datetime) -> None:
    """Store the entries that IGDB's own search finds for names; raises `SourceError`.

    They are stored under the source `igdb.wanted`, which has to be registered.
    """
    documents = split_documents(msgspec.json.encode(search_entries(igdb, names)))
    with engine.begin() as connection:
        _keep(connection, documents, now)


def check_entry(engine: Engine, igdb_id: int, igdb: Callable[[], Igdb], now: datetime) -> str:
    """Return an entry's name, from the catalogue or else from IGDB, which is then stored.

    Raises `UsageError` where IGDB has no such game.
    """
    name = select(GameMetadata.name).where(GameMetadata.igdb_id == igdb_id)
    with engine.connect() as connection:
        known = connection.scalar(name)
    if known is not None:
        return known
    pages = list(igdb().games([igdb_id]))
    with engine.begin() as connection:
        for page in pages:
            _keep(connection, page.documents, now)
        known = connection.scalar(name)
    if known is None:
        raise UsageError(f"IGDB has no game with the id {igdb_id}; `lootwire games search TITLE` finds ids")
    return known


def refresh_entry(engine: Engine, igdb_id: int, igdb: Igdb, now: datetime) -> None:
    """Ask IGDB for an entry anew and store its answer; changes of a wanted game are news, as in every other answer.

    Raises `UsageError` where IGDB has no such game any more, `SourceError` where it does not answer.
    """
    pages = list(igdb.games([igdb_id]))
    if not any(page.documents.documents for page in pages):
        raise UsageError(f"IGDB has no game with the id {igdb_id}")
    with engine.begin() as connection:
        for page in pages:
            _keep(connection, page.documents, now)


def _keep(connection: Connection, documents: Documents, asked_at: datetime) -> None:
    """Store IGDB's answer; changes of wanted games are news, as they are in every other answer."""
    source_id = connection.scalars(select(Source.id).where(Source.name == IgdbWanted.name)).one()
    intake = Intake(
        connection=connection, source_id=source_id, origin="games search", append_news=append_releases, now=asked_at
    )
    intake.take(documents, asked_at, silent=True)


def names_of_linked(connection: Connection, scored: list[Scored], *, person_id: int | None = None) -> dict[int, str]:
    """Return the names of our games by the ids of their entries; for a person those that they may see."""
    linked = (
        select(func.split_part(GameExternalId.external_id, "/", 1), Game.name)
        .join(Game, Game.id == GameExternalId.game_id)
        .where(
            GameExternalId.service == "igdb",
            func.split_part(GameExternalId.external_id, "/", 1).in_([str(s.candidate.igdb_id) for s in scored]),
        )
        .order_by(Game.id.desc())
    )
    if person_id is not None:
        linked = linked.where(is_game_seen_by(_PERSON))
    by_game = connection.execute(linked, {} if person_id is None else {"person_id": person_id})
    return {int(igdb_id): name for igdb_id, name in by_game}
