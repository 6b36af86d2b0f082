"""IGDB's webhooks: read as hints of what to ask for, and kept registered.

https://api-docs.igdb.com/#webhooks. IGDB posts a row with bare ids when it is created or updated, and only its id when
it is deleted; the header `X-Secret` shows that it is IGDB. It wants 200 within 15 seconds, and gives up after five
failures. What comes is a hint: the games are asked for with all their parts, as if they were due.
"""

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from itertools import product
from typing import Any, Literal, get_args

import msgspec
from pydantic import SecretStr
from sqlalchemy import Connection, Engine, RowMapping, select, update

from models import ReleaseDate, Source
from pipeline.errors import InvalidItem, SourceUnavailable
from pipeline.fetch.http import Client
from pipeline.fetch.mending import decode_mended
from pipeline.fetch.shapes import UNREADABLE, read_value
from pipeline.games.mirror.prefetch import OpenIgdb
from pipeline.games.mirror.state import MIRROR
from pipeline.games.store.games import remove_games
from pipeline.games.store.wanted import make_due
from pipeline.ingest.source import Answer, Ingested, Validators
from pipeline.services.igdb.client import Igdb, Method
from pipeline.services.igdb.shapes import Id

Endpoint = Literal["games", "release_dates"]
NAME = "igdb.webhooks"
ENDPOINTS: Sequence[Endpoint] = get_args(Endpoint)
METHODS: Sequence[Method] = get_args(Method)
# Many rows change together, and one sweep brings them all.
SWEEP_WITHIN = timedelta(minutes=1)
# An inactive webhook is noticed after this.
LOOK_EVERY = timedelta(hours=6)
# The key in the cursor of the address that our webhooks are registered with.
_ADDRESS = "callback_url"


class Hint(msgspec.Struct, frozen=True):
    """That a row was created, updated or deleted; `game` is the game of a release date, where IGDB names it."""

    endpoint: Endpoint
    method: Method
    id: int
    game: int | None = None


class _Row(msgspec.Struct):
    id: Id
    game: msgspec.Raw = msgspec.Raw(b"null")


_GAME = msgspec.json.Decoder(Id)
_ROW = msgspec.json.Decoder(_Row)


def secret_for_igdb(secret: SecretStr) -> SecretStr:
    """Return the secret that IGDB is to show us, derived from the one that Twitch signs with."""
    derived = hashlib.blake2b(secret.get_secret_value().encode(), digest_size=24, person=b"lootwire igdb")
    return SecretStr(derived.hexdigest())


def is_igdb(shown: str, secret: SecretStr) -> bool:
    """Whether a webhook showed the secret; takes as long whichever part of it is wrong."""
    return hmac.compare_digest(shown.encode(), secret.get_secret_value().encode())


def addresses(callback_url: str) -> Mapping[str, tuple[Endpoint, Method]]:
    """Return where each kind of webhook is to come to, beside the address that Twitch calls."""
    base = callback_url.rpartition("/")[0]
    return {f"{base}/igdb/{endpoint}/{method}": (endpoint, method) for endpoint, method in product(ENDPOINTS, METHODS)}


def read_hint(endpoint: Endpoint, method: Method, body: bytes) -> Hint:
    """Return the hint that a webhook's body gives; raises `InvalidItem` where it cannot be read."""
    try:
        row = decode_mended(_ROW, body)
    except UNREADABLE as error:
        raise InvalidItem(str(error)) from error
    return Hint(endpoint, method, row.id, read_value(_GAME, row.game))


def take_hint(engine: Engine, hint: Hint, now: datetime) -> None:
    """Note what to ask IGDB for: wanted games are due at once, others have the mirror swept soon."""
    # Two transactions: one that stores takes the locks of sources first, and those of games after.
    with engine.begin() as connection:
        if (hint.endpoint, hint.method) == ("games", "delete"):
            remove_games(connection, [hint.id], now)
            return
        wanted = make_due(connection, _games_of(connection, hint), now)
    if not wanted:
        soon = now + SWEEP_WITHIN
        sweep = update(Source).where(Source.name == MIRROR, Source.enabled, Source.next_due_at > soon)
        with engine.begin() as connection:
            connection.execute(sweep.values(next_due_at=soon))


def _games_of(connection: Connection, hint: Hint) -> Sequence[int]:
    if hint.endpoint == "games":
        return [hint.id]
    if hint.game is not None:
        return [hint.game]
    return connection.scalars(select(ReleaseDate.game_igdb_id).where(ReleaseDate.igdb_id == hint.id)).all()


def keep_registered(igdb: Igdb, callback_url: str, secret: SecretStr) -> int:
    """Have IGDB call us, and call us again where it gave up; returns how many webhooks had to be registered.

    The webhooks of other addresses are not ours to judge. Raises `SourceUnavailable` where IGDB does not list one that
    it has just taken: what it does not list, it does not call.
    """
    lacking = _lacking(igdb, callback_url)
    for url in lacking:
        endpoint, method = addresses(callback_url)[url]
        igdb.add_webhook(endpoint, method, url, secret.get_secret_value())
    if lacking and (still := _lacking(igdb, callback_url)):
        raise SourceUnavailable(f"IGDB took our webhooks and does not list {len(still)} of {len(lacking)} as active")
    return len(lacking)


def _lacking(igdb: Igdb, callback_url: str) -> list[str]:
    active = {hook.url for hook in igdb.webhooks() if hook.active}
    return [url for url in addresses(callback_url) if url not in active]


def unregister(igdb: Igdb, callback_url: str, *, keep: str | None) -> int:
    """Have IGDB forget the webhooks of an address that was ours; returns how many it had.

    `keep` is the address that is ours now, which may share its webhooks with the other.
    """
    kept = addresses(keep) if keep is not None else {}
    gone = [hook for hook in igdb.webhooks() if hook.url in addresses(callback_url) and hook.url not in kept]
    for hook in gone:
        igdb.delete_webhook(hook.id)
    return len(gone)


def is_registered(connection: Connection) -> bool:
    """Whether IGDB calls us at an address, as far as is remembered."""
    return _address_in(connection.scalar(select(Source.cursor).where(Source.name == NAME)) or {}) is not None


def look_if_moved(connection: Connection, callback_url: str | None, now: datetime) -> None:
    """Make the source due where our address is another one than IGDB has, or none any more."""
    moved = Source.cursor[_ADDRESS].astext.is_distinct_from(callback_url)
    due = update(Source).where(Source.name == NAME, Source.next_due_at > now, moved)
    connection.execute(due.values(next_due_at=now))


def _address_in(cursor: Mapping[str, Any]) -> str | None:
    address = cursor.get(_ADDRESS)
    return address if isinstance(address, str) else None


class IgdbWebhooks:
    """The source `igdb.webhooks`: brings nothing itself, but sees to it that IGDB calls us, and only where we are.

    Its cursor remembers at which address. Without a `callback_url` it exists until the one before is unregistered.
    """

    name = NAME
    service: Literal["igdb"] = "igdb"
    asks = "igdb"

    def __init__(self, open_igdb: OpenIgdb, callback_url: str | None, secret: SecretStr | None) -> None:
        self._open_igdb = open_igdb
        self._callback_url = callback_url
        self._secret = secret

    def fetch(self, client: Client, validators: Validators) -> Answer:
        """Register what is not registered, then unregister the address before; raises `SourceError`."""
        igdb, before = self._open_igdb(client), _address_in(validators.cursor)
        if self._callback_url is not None and self._secret is not None:
            keep_registered(igdb, self._callback_url, secret_for_igdb(self._secret))
        if before is not None and before != self._callback_url:
            unregister(igdb, before, keep=self._callback_url)
        remembered = {} if self._callback_url is None else {_ADDRESS: self._callback_url}
        return Answer(payload=None, refresh_after=LOOK_EVERY, validators=Validators(cursor=remembered))

    def take_in(self, connection: Connection, row: RowMapping, answer: Answer, now: datetime) -> Ingested:  # noqa: ARG002
        """There is nothing to store."""
        return Ingested(outcome="unchanged")
