"""The source `igdb.links`: finds the entries of IGDB for the games that have a campaign or are streamed now.

First it asks Twitch itself (Helix' `igdb_id`), then IGDB's ids of Twitch (external_games, source 14), then it goes by
the name, where a match is sure (`games.matching`). The categories of Kick and CHZZK have only their names. A game that
is not found is tried again, less and less often; so is one found by its name, since a service may know better by now.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Literal

import msgspec
from sqlalchemy import ARRAY, Connection, Engine, RowMapping, Text, bindparam, func, select, text

from models import ExternalGame
from models.due import is_due
from pipeline.fetch.http import Client
from pipeline.fetch.shapes import Time
from pipeline.games.matching.matching import match_title
from pipeline.games.matching.records import wanted
from pipeline.games.mirror.state import is_kept
from pipeline.games.store.links import Link, attach, link
from pipeline.games.store.works import give_works
from pipeline.games.take_in import AppendNews, Clock, Intake
from pipeline.ingest.source import Answer, Ingested, Validators
from pipeline.services.igdb.apicalypse import MOST_QUERIES, MOST_ROWS, any_of, both, equal, query
from pipeline.services.igdb.client import Igdb, decode_rows
from pipeline.services.igdb.documents import document, split_documents
from pipeline.services.igdb.shapes import GAME_FIELDS, Id
from pipeline.services.twitch.helix import Helix

TWITCH = 14
POLL_EVERY = timedelta(seconds=60)
MOST_GAMES = 200
# How many entries of one name are looked at.
MOST_FOUND = 10
# How long to wait after the first try, the second, and so on; the last one also after all later tries.
AGAIN_AFTER = (timedelta(hours=1), timedelta(hours=6), timedelta(days=1), timedelta(days=7), timedelta(days=30))
# Twitch says of "Chess" and "Music" that IGDB has no such game, which an obscure game of that name does not disprove.
LEAST_KNOWN = 20
# The address of a box art that Twitch took from IGDB has this in it: there is an entry, whatever else is said.
FROM_IGDB = "_IGDB-"
_RUNNING = text("""
    SELECT g.id, g.name, g.box_art_url, link.how,
        array_agg(DISTINCT ids.external_id) FILTER (WHERE ids.service = 'twitch') AS twitch_ids
    FROM games g
    JOIN game_external_ids ids ON ids.game_id = g.id
    LEFT JOIN game_external_ids link ON link.game_id = g.id AND link.service = 'igdb'
    WHERE (link.game_id IS NULL OR (link.how = 'name' AND link.pinned_at IS NULL)) AND (
        EXISTS (SELECT FROM drop_campaigns c WHERE c.game_id = g.id AND c.ended_at IS NULL AND c.withdrawn_at IS NULL)
        OR EXISTS (SELECT FROM reward_campaigns r WHERE r.game_id = g.id AND r.ended_at IS NULL)
        OR EXISTS (SELECT FROM stream_sessions s WHERE s.game_id = g.id AND s.ended_at IS NULL))
    GROUP BY g.id, g.name, g.box_art_url, link.how ORDER BY g.id
""")
_KNOWN_AT_TWITCH = (
    select(ExternalGame.uid, func.min(ExternalGame.igdb_id))
    .where(ExternalGame.source == TWITCH, ExternalGame.uid == func.any(bindparam("uids", type_=ARRAY(Text))))
    .group_by(ExternalGame.uid)
    # An id that two entries claim is neither's.
    .having(func.count(ExternalGame.igdb_id.distinct()) == 1)
)


class Unlinked(msgspec.Struct, frozen=True, kw_only=True):
    """A game whose entry is looked for; `guessed` where its name has given it one already.

    `from_igdb` is whether its box art is IGDB's.
    """

    game_id: int
    name: str
    twitch_ids: tuple[str, ...] = ()
    from_igdb: bool = False
    guessed: bool = False


class Statement(msgspec.Struct, frozen=True):
    """The entry that a service names for a game."""

    game_id: int
    igdb_id: int
    how: Literal["igdb_id", "external_game"]


class Round(msgspec.Struct, frozen=True, kw_only=True):
    """The results of a round: services' statements, the games that have only names, and entries that may be theirs."""

    asked_at: datetime
    statements: Sequence[Statement] = msgspec.field(name="told", default=())
    by_name: Sequence[Unlinked] = ()
    documents: Sequence[msgspec.Raw] = ()


class Tried(msgspec.Struct, frozen=True):
    """How often a game was looked for, and when to look again."""

    times: int
    next_at: datetime


class _External(msgspec.Struct):
    uid: str | int = ""
    game: Id | None = None


_ROUND = msgspec.json.Decoder(Round)
_EXTERNAL = msgspec.json.Decoder(_External)


class IgdbLinks:
    """A source of links. `open_helix` and `open_igdb` make clients of these services.

    `append_news` appends events of entries that are wanted already and turn out to have changed.
    """

    name = "igdb.links"
    service: Literal["igdb"] = "igdb"
    asks = "igdb"

    def __init__(
        self,
        engine: Engine,
        open_helix: Callable[[Client], Helix],
        open_igdb: Callable[[Client], Igdb],
        clock: Clock,
        append_news: AppendNews,
    ) -> None:
        self._engine = engine
        self._open_helix = open_helix
        self._open_igdb = open_igdb
        self._clock = clock
        self._append_news = append_news

    def fetch(self, client: Client, validators: Validators) -> Answer:
        """Ask Twitch and IGDB for the games that are due; raises `SourceError`."""
        now = self._clock()
        with self._engine.connect() as connection:
            games = unlinked_games(connection)
            mirrored = is_kept(connection)
        tried = read_tries(validators.cursor)
        due = [game for game in games if _is_due(tried.get(game.game_id), now)][:MOST_GAMES]
        if not due:
            return Answer(payload=None, refresh_after=POLL_EVERY, validators=validators)
        fetched = self._ask(client, due, now, mirrored=mirrored)
        still = {game.game_id for game in games}
        tries = {key: attempt for key, attempt in tried.items() if key in still}
        tries |= {game.game_id: _tried_again(tried.get(game.game_id), now) for game in due}
        cursor = {"tried": {str(key): [attempt.times, attempt.next_at.isoformat()] for key, attempt in tries.items()}}
        return Answer(
            payload=msgspec.json.encode(fetched), refresh_after=POLL_EVERY, validators=Validators(cursor=cursor)
        )

    def take_in(self, connection: Connection, row: RowMapping, answer: Answer, now: datetime) -> Ingested:
        """Store the links that were found, and match the rest by name."""
        if answer.payload is None:
            changed = attach(connection)
            return Ingested(outcome="ok" if changed else "unchanged", changed=changed)
        fetched = _ROUND.decode(answer.payload)
        intake = Intake(
            connection=connection, source_id=row["id"], origin=self.name, append_news=self._append_news, now=now
        )
        if fetched.documents:
            intake.take(split_documents(msgspec.json.encode(fetched.documents)), fetched.asked_at, silent=True)
        links = [
            Link(game_id=statement.game_id, igdb_id=statement.igdb_id, how=statement.how, confidence=1.0)
            for statement in fetched.statements
        ]
        links += _by_name(connection, fetched.by_name)
        linked = link(connection, links)
        give_works(connection, [new.game_id for new in linked])
        changed = len(linked) + attach(connection)
        items = len(fetched.statements) + len(fetched.by_name)
        return Ingested(outcome="ok" if changed else "unchanged", items=items, changed=changed)

    def _ask(self, client: Client, due: Sequence[Unlinked], now: datetime, *, mirrored: bool) -> Round:
        uids = sorted({uid for game in due for uid in game.twitch_ids})
        statements = list(_statements(due, self._according_to_twitch(client, uids), "igdb_id"))
        left = _without(due, statements)
        uids = sorted({uid for game in left for uid in game.twitch_ids})
        statements += _statements(left, self._according_to_igdb(client, uids), "external_game")
        left = [game for game in _without(due, statements) if not game.guessed]
        documents = [] if mirrored or not left else search_entries(self._open_igdb(client), [g.name for g in left])
        return Round(asked_at=now, statements=statements, by_name=left, documents=documents)

    def _according_to_twitch(self, client: Client, uids: Sequence[str]) -> dict[str, int]:
        if not uids:
            return {}
        categories = self._open_helix(client).categories(ids=uids)
        return {
            category.external_id: int(category.igdb_id)
            for category in categories
            if category.igdb_id and category.igdb_id.isdigit()
        }

    def _according_to_igdb(self, client: Client, uids: Sequence[str]) -> dict[str, int]:
        if not uids:
            return {}
        with self._engine.connect() as connection:
            known: dict[str, int] = dict(connection.execute(_KNOWN_AT_TWITCH, {"uids": uids}).all())
        unknown = [uid for uid in uids if uid not in known]
        if not unknown:
            return known
        where = both(equal("external_game_source", TWITCH), any_of("uid", unknown))
        rows = self._open_igdb(client).rows("external_games", query(("uid", "game"), where=where, limit=MOST_ROWS))
        games: dict[str, set[int]] = {}
        for row in decode_rows(rows, _EXTERNAL):
            if row.game is not None:
                games.setdefault(str(row.uid), set()).add(row.game)
        return known | {uid: ids.pop() for uid, ids in games.items() if len(ids) == 1}


def unlinked_games(connection: Connection) -> list[Unlinked]:
    """Return the games with a campaign or a stream that are linked with nothing, or only by their names."""
    return [
        Unlinked(
            game_id=row.id,
            name=row.name,
            twitch_ids=tuple(sorted(row.twitch_ids or ())),
            from_igdb=FROM_IGDB in (row.box_art_url or ""),
            guessed=row.how == "name",
        )
        for row in connection.execute(_RUNNING)
    ]


def search_entries(igdb: Igdb, names: Iterable[str]) -> list[msgspec.Raw]:
    """Return IGDB's entries that names may mean, each once, by its own search: ten names with each request."""
    listed = list(dict.fromkeys(names))
    rows: dict[int, msgspec.Raw] = {}
    for start in range(0, len(listed), MOST_QUERIES):
        queries = {
            str(nth): ("games", query(GAME_FIELDS, search=name, limit=MOST_FOUND))
            for nth, name in enumerate(listed[start : start + MOST_QUERIES])
        }
        rows |= {document(entry).igdb_id: entry for answer in igdb.several(queries).values() for entry in answer}
    return list(rows.values())


def read_tries(cursor: Mapping[str, object]) -> dict[int, Tried]:
    """Return the tries that a cursor remembers, by game; a cursor that cannot be read remembers none."""
    try:
        tries = msgspec.convert(cursor.get("tried", {}), dict[str, tuple[int, Time]], strict=False)
        return {int(key): Tried(*attempt) for key, attempt in tries.items()}
    except (msgspec.ValidationError, ValueError):
        return {}


def _by_name(connection: Connection, games: Iterable[Unlinked]) -> Iterator[Link]:
    for game in games:
        decision = match_title(connection, wanted(game.name, official=True))
        if decision.igdb_id is None or decision.best is None:
            continue
        # Where Twitch knows the game and names no entry, a name alone is not enough.
        if game.twitch_ids and not game.from_igdb and decision.best.candidate.rating_count < LEAST_KNOWN:
            continue
        yield Link(game_id=game.game_id, igdb_id=decision.igdb_id, how="name", confidence=decision.best.score)


def _statements(
    games: Iterable[Unlinked], igdb_ids: Mapping[str, int], how: Literal["igdb_id", "external_game"]
) -> Iterator[Statement]:
    for game in games:
        entries = {igdb_ids[uid] for uid in game.twitch_ids if uid in igdb_ids}
        if len(entries) == 1:
            yield Statement(game.game_id, entries.pop(), how)


def _without(games: Iterable[Unlinked], statements: Iterable[Statement]) -> list[Unlinked]:
    done = {statement.game_id for statement in statements}
    return [game for game in games if game.game_id not in done]


def _is_due(tried: Tried | None, now: datetime) -> bool:
    return tried is None or is_due(tried.next_at, now, _pause_after(tried.times))


def _tried_again(tried: Tried | None, now: datetime) -> Tried:
    times = 0 if tried is None else tried.times
    return Tried(times + 1, now + _pause_after(times + 1))


def _pause_after(times: int) -> timedelta:
    return AGAIN_AFTER[min(max(times, 1), len(AGAIN_AFTER)) - 1]
