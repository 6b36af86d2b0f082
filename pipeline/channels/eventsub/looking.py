"""Look at EventSub: what Twitch has subscribed, whether that is what we want, and which messages came."""

import gzip
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Literal

import msgspec
from sqlalchemy import Connection, Engine, func, select

from models import EventSubMessage, QuarantinedPayload, Source
from models.errors import UnknownThing
from models.printable import NAME_LENGTH, on_a_line
from pipeline.channels.eventsub.inbox import ORIGIN
from pipeline.channels.eventsub.reconcile import ENABLED, PENDING, Wanted, is_ours, reconcile, states, wanted_for
from pipeline.channels.eventsub.source_row import NAME, SERVICE, Memory, load_memory, remember
from pipeline.channels.following.watched import watched
from pipeline.fetch.shapes import Time
from pipeline.ingest.service_time import present
from pipeline.services.twitch.helix_eventsub import EventSubManagement, EventSubSubscription, Subscriptions, Transport

Way = Literal["websocket", "webhook", "off"]
# Of long lists a report has so many; all of them are counted.
NAMED_AT_MOST = 100
LAST_MESSAGES = 20
# Payloads that were set aside are unpacked to learn their types: the newest ones.
REFUSED_READ = 1000


class Revocation(msgspec.Struct, frozen=True, kw_only=True):
    """A subscription that Twitch has ended, and why; `subject` is the channel's Twitch id."""

    type: str
    subject: str
    status: str
    at: Time


class EventSubFigures(msgspec.Struct, frozen=True, kw_only=True):
    """How Twitch's messages come in, as the last look at the subscriptions found them.

    Of the `wanted` ones `enabled` work, `pending` wait until Twitch has verified our address, and `failed` are not
    there. `channels_left_out` have none of theirs: `channels_refused` of them because Twitch refused, with its most
    frequent `refusal`, the others because its limits leave no room. `says` is all of that in a line.
    """

    way: Way
    says: str
    wanted: int
    enabled: int
    pending: int
    failed: int
    channels_left_out: int
    channels_refused: int
    refusal: str | None
    looked_at: Time | None
    revoked: tuple[Revocation, ...]


class SubscriptionLine(msgspec.Struct, frozen=True, kw_only=True):
    """A subscription at Twitch. Those that are not `ours` belong to another program with the same application."""

    id: str
    type: str
    version: str
    condition: dict[str, str]
    status: str
    cost: int
    method: str
    ours: bool
    created_at: Time | None


class WantedLine(msgspec.Struct, frozen=True, kw_only=True):
    """A subscription that we want and Twitch does not list as working; `login` where it is about a known channel."""

    type: str
    version: str
    subject: str
    login: str | None


class Verification(msgspec.Struct, frozen=True, kw_only=True):
    """What Twitch lists beside what we want. `is_right` where nothing is missing, ended, unwanted or without room.

    `missing`, `ended` and `unwanted` name a hundred at most; `*_total` counts all of them.
    """

    at: Time
    is_right: bool
    way: Way
    wanted: int
    enabled: int
    pending: int
    missing_total: int
    missing: tuple[WantedLine, ...]
    ended_total: int
    ended: tuple[SubscriptionLine, ...]
    unwanted_total: int
    unwanted: tuple[SubscriptionLine, ...]
    without_room: int
    ours: int
    foreign: int
    foreign_cost: int
    total_cost: int
    max_total_cost: int


class MessagesOfType(msgspec.Struct, frozen=True, kw_only=True):
    """Messages of a type; `type` is None for those of which not even that can be read."""

    type: str | None
    received: int
    handled: int
    refused: int


class MessageLine(msgspec.Struct, frozen=True, kw_only=True):
    """A message. `seconds` is how long it was on its way, by Twitch's clock and ours."""

    id: str
    type: str
    login: str | None
    via: str
    sent_at: Time
    received_at: Time
    handled_at: Time | None
    seconds: float


class Messages(msgspec.Struct, frozen=True, kw_only=True):
    """The messages that are kept, those handled for three days. `refused` could not be read and were set aside.

    A refused message that has a row is among the received and handled ones, too. The last ones come newest first.
    """

    since: Time | None
    received: int
    handled: int
    waiting: int
    refused: int
    by_type: tuple[MessagesOfType, ...]
    last: tuple[MessageLine, ...]


def load_figures(connection: Connection, way: Way, says: str) -> EventSubFigures:
    """Return how the subscriptions stood when they were last looked at."""
    memory = load_memory(connection)
    return EventSubFigures(
        way=way,
        says=says,
        wanted=memory.wanted,
        enabled=memory.subscribed,
        pending=memory.pending,
        failed=max(memory.wanted - memory.subscribed - memory.pending, 0),
        channels_left_out=memory.left_out_total,
        channels_refused=memory.refused_total,
        refusal=memory.refusal,
        looked_at=memory.reconciled_at,
        revoked=tuple(
            Revocation(type=each.type, subject=each.subject, status=each.status, at=each.at) for each in memory.revoked
        ),
    )


def own_transports(memory: Memory, callback_url: str | None) -> list[Transport]:
    """Return how messages travel to us, as the settings have it now first; then how they did before."""
    webhook = [Transport(method="webhook", callback=callback_url)] if callback_url is not None else []
    conduit = [Transport(method="conduit", conduit_id=memory.conduit_id)] if memory.conduit_id is not None else []
    return [*webhook, *conduit]


def list_subscriptions(helix: EventSubManagement, ours: Sequence[Transport]) -> list[SubscriptionLine]:
    """Return the subscriptions that Twitch lists for our application; raises `SourceError`."""
    return [_line(each, ours) for each in helix.subscriptions().subscriptions]


def verify(
    engine: Engine, helix: EventSubManagement, now: datetime, *, client_id: str, callback_url: str | None
) -> Verification:
    """Compare what Twitch lists with what we want, and change nothing; raises `SourceError`."""
    with engine.connect() as connection:
        memory = load_memory(connection)
        channels = watched(connection, present(connection, SERVICE, now))
    by_conduit = callback_url is None
    wanted = wanted_for(channels, client_id=client_id, conduit=by_conduit)
    transports = own_transports(memory, callback_url)
    logins = {channel.external_id: channel.login for channel in channels}
    return _compare(wanted, helix.subscriptions(), transports, logins, now, "websocket" if by_conduit else "webhook")


def remove_own(engine: Engine, helix: EventSubManagement, now: datetime, *, callback_url: str | None) -> int:
    """Delete all subscriptions of ours, and let the program look at them: it makes those anew that are wanted.

    Returns how many are gone. Raises `SourceError`; what was deleted until then is gone.
    """
    with engine.connect() as connection:
        ours = own_transports(load_memory(connection), callback_url)
    lines = [line for line in list_subscriptions(helix, ours) if line.ours]
    try:
        return sum(helix.delete_subscription(line.id) for line in lines)
    finally:
        ask_for_a_look(engine, now)


def remove_one(engine: Engine, helix: EventSubManagement, subscription_id: str, now: datetime) -> None:
    """Delete the subscription of an id, whosoever's it is; raises `UnknownThing` where Twitch has none of ours."""
    if not helix.delete_subscription(subscription_id):
        raise UnknownThing(f"Twitch has no subscription {on_a_line(subscription_id, NAME_LENGTH)!r} of our application")
    ask_for_a_look(engine, now)


def ask_for_a_look(engine: Engine, now: datetime) -> None:
    """Let the program of EventSub look at all subscriptions, as soon as it runs."""
    with engine.begin() as connection:
        remember(connection, asked_at=now)


def load_messages(connection: Connection) -> Messages:
    """Return which messages came, by type, and the last of them."""
    counted = connection.execute(_COUNTED).all()
    received = {row.subscription_type: (row.received, row.handled) for row in counted}
    refused = _refused_by_type(connection)
    types = sorted({*received, *refused}, key=lambda kind: (kind is None, kind or ""))
    by_type = [
        MessagesOfType(
            type=kind,
            received=received.get(kind, (0, 0))[0],
            handled=received.get(kind, (0, 0))[1],
            refused=refused[kind],
        )
        for kind in types
    ]
    of_all = sum(each.received for each in by_type)
    handled = sum(each.handled for each in by_type)
    return Messages(
        since=min((row.since for row in counted), default=None),
        received=of_all,
        handled=handled,
        waiting=of_all - handled,
        refused=refused.total(),
        by_type=tuple(by_type),
        last=tuple(_message(row) for row in connection.execute(_LAST)),
    )


def _compare(
    wanted: Sequence[Wanted],
    listed: Subscriptions,
    transports: Sequence[Transport],
    logins: dict[str, str],
    now: datetime,
    way: Way,
) -> Verification:
    """Return how what is listed fits what is wanted; without a way for messages nothing that is listed is ours."""
    ours = transports[0] if transports else Transport(method="conduit", conduit_id="")
    plan, state = reconcile(wanted, listed, ours), states(wanted, listed, ours)
    working = {want for want, status in state.items() if status in {ENABLED, PENDING}}
    missing = [want for want in dict.fromkeys(wanted) if want not in working]
    lines = [_line(each, transports) for each in listed.subscriptions]
    broken = {each.id for each in plan.broken}
    # What a way of before left behind is wanted no longer either.
    current = {each.id for each in listed.subscriptions if is_ours(each.transport, ours)}
    gone = set(plan.delete) - broken
    unwanted = [line for line in lines if line.ours and (line.id in gone or line.id not in current)]
    ended = [line for line in lines if line.id in broken]
    foreign = [line for line in lines if not line.ours]
    statuses = Counter(state.values())
    return Verification(
        at=now,
        is_right=not (missing or ended or unwanted or plan.left_out),
        way=way,
        wanted=len(wanted),
        enabled=statuses[ENABLED],
        pending=statuses[PENDING],
        missing_total=len(missing),
        missing=tuple(_wanted_lines(missing[:NAMED_AT_MOST], logins)),
        ended_total=len(ended),
        ended=tuple(ended[:NAMED_AT_MOST]),
        unwanted_total=len(unwanted),
        unwanted=tuple(unwanted[:NAMED_AT_MOST]),
        without_room=len(plan.left_out),
        ours=len(lines) - len(foreign),
        foreign=len(foreign),
        foreign_cost=sum(line.cost for line in foreign),
        total_cost=listed.total_cost,
        max_total_cost=listed.max_total_cost,
    )


def _line(subscription: EventSubSubscription, ours: Iterable[Transport]) -> SubscriptionLine:
    return SubscriptionLine(
        id=subscription.id,
        type=subscription.type,
        version=subscription.version,
        condition={name: value for name, value in subscription.condition.items() if value},
        status=subscription.status,
        cost=subscription.cost,
        method=subscription.transport.method,
        ours=any(is_ours(subscription.transport, transport) for transport in ours),
        created_at=subscription.created_at,
    )


def _wanted_lines(wanted: Iterable[Wanted], logins: dict[str, str]) -> Iterable[WantedLine]:
    for want in wanted:
        subject = want.subject[1]
        yield WantedLine(type=want.type, version=want.version, subject=subject, login=logins.get(subject))


def _refused_by_type(connection: Connection) -> Counter[str | None]:
    refused: Counter[str | None] = Counter()
    for payload, times in connection.execute(_REFUSED):
        refused[_type_of(gzip.decompress(payload))] += times
    return refused


def _type_of(payload: bytes) -> str | None:
    """Return the type that a message names, as a body or as a frame has it; None where it cannot be read."""
    try:
        message = msgspec.json.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    for path in (("subscription", "type"), ("payload", "subscription", "type"), ("metadata", "subscription_type")):
        value: Any = message
        for name in path:
            value = value.get(name) if isinstance(value, dict) else None
        if isinstance(value, str):
            return value
    return None


def _message(row: Any) -> MessageLine:
    return MessageLine(
        id=row.message_id,
        type=row.subscription_type,
        login=row.login,
        via=row.via,
        sent_at=row.sent_at,
        received_at=row.received_at,
        handled_at=row.handled_at,
        seconds=round((row.received_at - row.sent_at).total_seconds(), 3),
    )


_M = EventSubMessage
_COUNTED = select(
    _M.subscription_type,
    func.count().label("received"),
    func.count(_M.handled_at).label("handled"),
    func.min(_M.received_at).label("since"),
).group_by(_M.subscription_type)
_LAST = (
    select(
        *(_M.message_id, _M.subscription_type, _M.via, _M.sent_at, _M.received_at, _M.handled_at),
        _M.event["broadcaster_user_login"].astext.label("login"),
    )
    .order_by(_M.received_at.desc(), _M.message_id.desc())
    .limit(LAST_MESSAGES)
)
_REFUSED = (
    select(QuarantinedPayload.payload_gzip, QuarantinedPayload.times_seen)
    .join(Source, Source.id == QuarantinedPayload.source_id)
    .where(Source.name == NAME, QuarantinedPayload.origin == ORIGIN)
    .order_by(QuarantinedPayload.id.desc())
    .limit(REFUSED_READ)
)
