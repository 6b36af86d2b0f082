"""The part of Helix that manages EventSub: subscriptions, conduits and their shards, all with an app token.

https://dev.twitch.tv/docs/api/reference/#create-eventsub-subscription and the sections after it.
"""

from collections.abc import Mapping, Sequence
from typing import TypeVar

import msgspec

from pipeline.errors import SourceChanged
from pipeline.fetch.http import Reply
from pipeline.fetch.shapes import Time
from pipeline.services.twitch.helix_requests import Envelope, HelixRequests, read_envelope, read_rows

SUBSCRIPTIONS = "eventsub/subscriptions"
CONDUITS = "eventsub/conduits"
SHARDS = "eventsub/conduits/shards"

Row = TypeVar("Row")


class Transport(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How messages travel: `method` is webhook, websocket or conduit. Twitch never answers the secret."""

    method: str
    conduit_id: str | None = None
    callback: str | None = None
    secret: str | None = None
    session_id: str | None = None
    connected_at: Time | None = None
    disconnected_at: Time | None = None

    def __repr__(self) -> str:
        return f"Transport({self.method!r}, {self.conduit_id or self.callback or self.session_id!r})"


class EventSubSubscription(msgspec.Struct, frozen=True, kw_only=True):
    """A subscription as Twitch keeps it. `status` is `enabled`, or says why nothing comes."""

    id: str
    status: str
    type: str
    version: str
    condition: Mapping[str, str]
    transport: Transport
    created_at: Time | None = None
    cost: int = 0


class Subscriptions(msgspec.Struct, frozen=True, kw_only=True):
    """All subscriptions of a filter, from every page, and what all subscriptions of our application cost."""

    subscriptions: tuple[EventSubSubscription, ...]
    total: int
    total_cost: int
    max_total_cost: int


class Created(msgspec.Struct, frozen=True, kw_only=True):
    """A created subscription; None where there was one of its type, condition and transport."""

    subscription: EventSubSubscription | None
    total_cost: int | None = None
    max_total_cost: int | None = None


class Conduit(msgspec.Struct, frozen=True):
    """A conduit, and how many shards it has."""

    id: str
    shard_count: int


class Shard(msgspec.Struct, frozen=True):
    """A shard of a conduit: the transport of its messages, and whether it works."""

    id: str
    status: str
    transport: Transport | None = None


class ShardError(msgspec.Struct, frozen=True):
    """Why one shard of several was not updated."""

    id: str
    message: str = ""
    code: str = ""


class ShardUpdate(msgspec.Struct, frozen=True):
    """The shards that were updated, and the errors of the others; that a part fails is normal."""

    shards: tuple[Shard, ...]
    errors: tuple[ShardError, ...]


_SUBSCRIPTION = msgspec.json.Decoder(EventSubSubscription)
_FIELDS = msgspec.json.Decoder(dict[str, msgspec.Raw])
# What a subscription is not known by.
_BESIDE = ("created_at", "cost")
_CONDUIT = msgspec.json.Decoder(Conduit)
_SHARD = msgspec.json.Decoder(Shard)
_SHARD_ERROR = msgspec.json.Decoder(ShardError)


def read_subscription(raw: msgspec.Raw) -> EventSubSubscription:
    """Return a subscription; when it was made and what it costs may be missing or unreadable. Raises `UNREADABLE`."""
    try:
        return _SUBSCRIPTION.decode(raw)
    except msgspec.ValidationError:
        fields = _FIELDS.decode(raw)
        return _SUBSCRIPTION.decode(msgspec.json.encode({k: v for k, v in fields.items() if k not in _BESIDE}))


class EventSubManagement:
    """The requests about an application's subscriptions and conduits. Every method raises `SourceError`."""

    def __init__(self, requests: HelixRequests) -> None:
        self._requests = requests

    def subscriptions(
        self,
        *,
        status: str | None = None,
        type: str | None = None,  # noqa: A002 - the field's word
        user_id: str | None = None,
        subscription_id: str | None = None,
    ) -> Subscriptions:
        """Return the subscriptions of all pages; Twitch takes one filter at most."""
        filters = {"status": status, "type": type, "user_id": user_id, "subscription_id": subscription_id}
        query = [(name, value) for name, value in filters.items() if value is not None]
        pages = list(self._requests.pages(SUBSCRIPTIONS, query))
        rows = read_rows((row for page in pages for row in page.data), read_subscription, SUBSCRIPTIONS)
        last = pages[-1]
        return Subscriptions(
            # Pages may repeat rows while others come and go.
            subscriptions=tuple({row.id: row for row in rows}.values()),
            total=len(rows) if last.total is None else last.total,
            total_cost=sum(row.cost for row in rows) if last.total_cost is None else last.total_cost,
            max_total_cost=last.max_total_cost or 0,
        )

    def create_subscription(
        self,
        type: str,  # noqa: A002 - the field's word
        version: str,
        condition: Mapping[str, str],
        transport: Transport,
        *,
        bulk: bool = True,
    ) -> Created:
        """Subscribe; `bulk` leaves points to the polls.

        Raises `TooManySubscriptions`, `TooManyTransports` or `TooMuchCost`, which waiting does not cure, and
        `RequestRejected` where the channel, the conduit or the session does not exist.
        """
        body = {"type": type, "version": version, "condition": condition, "transport": transport}
        reply = self._requests.ask("POST", SUBSCRIPTIONS, body=body, bulk=bulk, accept=[409])
        if reply.status == 409:
            return Created(subscription=None)
        envelope = read_envelope(reply, SUBSCRIPTIONS)
        return Created(
            subscription=_only(envelope, _SUBSCRIPTION, reply, SUBSCRIPTIONS),
            total_cost=envelope.total_cost,
            max_total_cost=envelope.max_total_cost,
        )

    def delete_subscription(self, subscription_id: str) -> bool:
        """Delete a subscription; False where there was none."""
        reply = self._requests.ask("DELETE", SUBSCRIPTIONS, [("id", subscription_id)], bulk=True, accept=[404])
        return reply.status != 404

    def conduits(self) -> list[Conduit]:
        """Return our conduits; an application may have five."""
        return read_rows(self._list(CONDUITS).data, _CONDUIT.decode, CONDUITS)

    def create_conduit(self, shard_count: int) -> Conduit:
        """Create a conduit; not tried again when the answer is lost, because each try would make one more."""
        reply = self._requests.ask("POST", CONDUITS, body={"shard_count": shard_count}, once=True)
        return _only(read_envelope(reply, CONDUITS), _CONDUIT, reply, CONDUITS)

    def update_conduit(self, conduit_id: str, shard_count: int) -> Conduit | None:
        """Change how many shards a conduit has; None where there is no such conduit."""
        body = {"id": conduit_id, "shard_count": shard_count}
        reply = self._requests.ask("PATCH", CONDUITS, body=body, accept=[404])
        return None if reply.status == 404 else _only(read_envelope(reply, CONDUITS), _CONDUIT, reply, CONDUITS)

    def shards(self, conduit_id: str) -> list[Shard]:
        """Return the shards of a conduit, from all pages; raises `RequestRejected` (404) where it does not exist."""
        pages = self._requests.pages(SHARDS, [("conduit_id", conduit_id)])
        rows = read_rows((row for page in pages for row in page.data), _SHARD.decode, SHARDS)
        return list({shard.id: shard for shard in rows}.values())

    def update_shards(self, conduit_id: str, transports: Mapping[str, Transport]) -> ShardUpdate:
        """Set the transports of shards, by id; raises `RequestRejected` (404) without that conduit.

        A websocket must be attached within ten seconds of its welcome.
        """
        shards = [{"id": shard, "transport": transport} for shard, transport in transports.items()]
        reply = self._requests.ask("PATCH", SHARDS, body={"conduit_id": conduit_id, "shards": shards})
        envelope = read_envelope(reply, SHARDS)
        return ShardUpdate(
            tuple(read_rows(envelope.data, _SHARD.decode, SHARDS)),
            tuple(read_rows(envelope.errors, _SHARD_ERROR.decode, SHARDS)),
        )

    def _list(self, path: str, query: Sequence[tuple[str, str]] = ()) -> Envelope:
        return read_envelope(self._requests.ask("GET", path, query), path)


def _only(envelope: Envelope, decoder: msgspec.json.Decoder[Row], reply: Reply, path: str) -> Row:
    """Return the only row of an answer."""
    rows = read_rows(envelope.data, decoder.decode, path)
    if not rows:
        raise SourceChanged(f"Twitch's answer to {path} does not tell what was made", payload=reply.body)
    return rows[0]
