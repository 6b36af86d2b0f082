"""Begins and stops following what a file of rules names: channels, categories, games, lists of games, all drops."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection, and_, case, func, select, update

from models import Channel, Follow, Game, GameList
from models.errors import LootwireError, UsageError
from models.names import name_key
from models.people import OWNER_ID
from notifiers.rules.difference import Change, WantedFollow, follow_name
from pipeline.channels.following.adding import add_category, add_channels
from pipeline.channels.following.follows import follow_drops, unfollow, unfollow_category, unfollow_drops
from pipeline.channels.following.names import parse_name
from pipeline.fetch.http import Client
from pipeline.games.finding.finder import Finder
from pipeline.games.finding.names import LARGEST_LIST, read_games, read_name
from pipeline.games.following.follows import follow_game, unfollow_game
from pipeline.games.following.lists import remove_list, store_list, with_settled
from pipeline.rules.files import beside, digest_of
from pipeline.rules.small_files import UnreadableFileError, read_bytes
from pipeline.runtime.runtime import Runtime


def load_follows(connection: Connection) -> tuple[WantedFollow, ...]:
    """Return what the owner follows, by the names by which a file may name it."""
    rows = connection.execute(
        select(
            Follow.kind,
            func.coalesce(Channel.login, Game.name, "").label("name"),
            Follow.top,
            Follow.origin,
            Follow.written,
        )
        .outerjoin(Channel, Channel.id == Follow.channel_id)
        .outerjoin(Game, Game.id == Follow.game_id)
        .where(Follow.person_id == OWNER_ID)
        .order_by(Follow.id)
    )
    lists = connection.execute(
        select(GameList.name, GameList.origin, GameList.digest)
        .where(GameList.person_id == OWNER_ID)
        .order_by(GameList.name)
    )
    return (
        *(WantedFollow(**row) for row in rows.mappings()),
        *(WantedFollow(kind="list", name=row.name, digest=row.digest, origin=row.origin) for row in lists),
    )


class Follows:
    """Carries out changes of what is followed; each in a transaction of its own, for most ask a service first."""

    def __init__(self, runtime: Runtime, folder: Path, origin: str, now: datetime) -> None:
        """`folder` is where the file of rules is, beside which its lists are."""
        self._runtime = runtime
        self._folder = folder
        self._origin = origin
        self._now = now

    def apply(self, changes: Iterable[Change], wanted: Mapping[str, WantedFollow]) -> list[tuple[str, str]]:
        """Carry out changes; returns what could not be followed, with the reasons. `wanted` are follows by names."""
        return self._problems(changes, lambda client, change: self._carry_out(client, change, wanted))

    def rehearse(self, changes: Iterable[Change], wanted: Mapping[str, WantedFollow]) -> list[tuple[str, str]]:
        """Return what cannot be followed as far as no service needs to be asked: a setting, or a list, is missing."""
        return self._problems(changes, lambda client, change: self._look_at(client, change, wanted))

    @staticmethod
    def _problems(changes: Iterable[Change], carry_out: Callable[[Client, Change], None]) -> list[tuple[str, str]]:
        problems = []
        with Client() as client:
            for change in changes:
                try:
                    carry_out(client, change)
                # Also where a service does not answer, or needs a setting: what else the file says goes on.
                except LootwireError as error:
                    problems.append((change.name, str(error)))
        return problems

    def _look_at(self, client: Client, change: Change, wanted: Mapping[str, WantedFollow]) -> None:
        follow = wanted.get(change.name)
        if change.action == "remove" or follow is None:
            return
        if follow.kind in {"channel", "category"}:
            self._runtime.needed_helix(client)
        elif follow.kind == "list":
            read_games(self._read_list(follow.file or follow.name))

    def _carry_out(self, client: Client, change: Change, wanted: Mapping[str, WantedFollow]) -> None:
        kind, _, name = change.name.partition(" ")
        if change.action == "remove":
            with self._runtime.engine.begin() as connection:
                self._remove(connection, kind, name)
            return
        follow = wanted[change.name]
        match kind:
            case "channel":
                self._follow_channel(client, follow.name)
            case "category":
                helix = self._runtime.needed_helix(client)
                category = add_category(self._runtime.engine, helix, follow.name, follow.top or 1, self._now)
                self._mark("category", follow.name, Game.name == category)
            case "game":
                self._follow_game(client, follow.name)
            case "list":
                self._follow_list(client, follow.name, follow.file or follow.name)
            case "drops":
                with self._runtime.engine.begin() as connection:
                    follow_drops(connection, self._now)
                self._mark("drops", None)

    def _follow_channel(self, client: Client, name: str) -> None:
        (outcome,) = add_channels(
            self._runtime.engine, self._runtime.needed_helix(client), [parse_name(name)], self._now
        )
        if outcome.external_id is None:
            raise UsageError(outcome.note or outcome.result)
        self._mark("channel", name, Channel.external_id == outcome.external_id)

    def _finder(self, client: Client) -> Finder:
        return Finder(
            engine=self._runtime.engine, open_igdb=lambda: self._runtime.igdb(client), clock=lambda: self._now
        )

    def _follow_game(self, client: Client, name: str) -> None:
        finding = self._finder(client).find([read_name(name)])[0]
        if finding.igdb_id is None:
            raise UsageError(finding.why)
        with self._runtime.engine.begin() as connection:
            follow_game(connection, finding.igdb_id, self._now)
        self._mark("game", name, Game.name_key == name_key(finding.name or name))

    def _follow_list(self, client: Client, name: str, file: str) -> None:
        content = self._read_list(file)
        findings = self._finder(client).find(read_games(content).games)
        with self._runtime.engine.begin() as connection:
            kept = with_settled(connection, name, findings)
            store_list(connection, name, self._origin, kept, self._now, digest=digest_of(content))

    def _read_list(self, file: str) -> bytes:
        path = beside(self._folder, file)
        try:
            return read_bytes(path, LARGEST_LIST)
        except UnreadableFileError as error:
            raise UsageError(f"cannot read {path}: {error}") from error

    def _mark(self, kind: str, written: str | None, *conditions: object) -> None:
        """Write down how the file names a follow, and that it is the file's unless somebody made it by hand before."""
        channels = select(Channel.id).where(*conditions) if kind == "channel" else None  # type: ignore[arg-type]
        games = select(Game.id).where(*conditions) if kind in {"category", "game"} else None  # type: ignore[arg-type]
        rows = [Follow.person_id == OWNER_ID, Follow.kind == kind]
        rows += [Follow.channel_id.in_(channels)] if channels is not None else []
        rows += [Follow.game_id.in_(games)] if games is not None else []
        is_new = and_(Follow.origin.is_(None), Follow.created_at == self._now)
        origin = case((is_new, self._origin), else_=Follow.origin)
        with self._runtime.engine.begin() as connection:
            connection.execute(update(Follow).where(*rows).values(written=written, origin=origin))

    def _remove(self, connection: Connection, kind: str, name: str) -> None:
        match kind:
            case "channel":
                ids = connection.scalars(select(Channel.id).where(Channel.login == name)).all()
                unfollow(connection, ids, self._now)
            case "category":
                for game_id in self._followed_games(connection, "category", name):
                    unfollow_category(connection, game_id)
            case "game":
                for game_id in self._followed_games(connection, "game", name):
                    unfollow_game(connection, game_id, self._now)
            case "list":
                remove_list(connection, name, self._now)
            case "drops":
                unfollow_drops(connection)

    def _followed_games(self, connection: Connection, kind: str, name: str) -> list[int]:
        named_so = (Follow.person_id == OWNER_ID, Follow.kind == kind, Game.name == name)
        return list(connection.scalars(select(Game.id).join(Follow, Follow.game_id == Game.id).where(*named_so)))


def named(follows: Iterable[WantedFollow]) -> dict[str, WantedFollow]:
    """Return follows by what they are called."""
    return {follow_name(follow): follow for follow in follows}
