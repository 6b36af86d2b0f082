"""Helix's endpoints of conduits and their shards: https://dev.twitch.tv/docs/eventsub/handling-conduit-events/."""

from typing import Any

from tests.twitch.answers import Answer, Call, Refused, malformed, missing, page
from tests.twitch.core import Core
from tests.twitch.eventsub import ENABLED, PENDING, Conduit, Shard, Subscription, Transport
from tests.twitch.messages import new_id
from tests.twitch.subscribing import webhook
from tests.twitch.times import nanoseconds

MOST_SHARDS = 20_000


def create(core: Core, call: Call) -> Answer:
    call.needs_app_token()
    count = _shard_count(call.json())
    if len(_own(core, call)) >= core.settings.max_conduits:
        raise Refused(429, "conduit limit reached")
    conduit = Conduit(new_id(), call.token.client_id, count)
    core.eventsub.conduits[conduit.id] = conduit
    return 200, {"data": [_shown(conduit)]}


def index(core: Core, call: Call) -> Answer:
    call.needs_app_token()
    return 200, {"data": [_shown(conduit) for conduit in _own(core, call)]}


def update(core: Core, call: Call) -> Answer:
    call.needs_app_token()
    body = call.json()
    conduit = _conduit(core, call, body.get("id"), "id", "conduit not found")
    conduit.shard_count = _shard_count(body)
    conduit.shards = {id_: shard for id_, shard in conduit.shards.items() if int(id_) < conduit.shard_count}
    return 200, {"data": [_shown(conduit)]}


def delete(core: Core, call: Call) -> Answer:
    call.needs_app_token()
    core.eventsub.delete_conduit(_conduit(core, call, call.query.get("id"), "id", "conduit not found"))
    return 204, None


def shards(core: Core, call: Call) -> Answer:
    call.needs_app_token()
    conduit = _conduit(core, call, call.query.get("conduit_id"), "conduit_id", "conduit not found")
    status = call.query.get("status")
    rows = [conduit.shards[id_] for id_ in sorted(conduit.shards, key=int)]
    part, pagination = page([row for row in rows if status in {None, row.status}], call, first=100)
    return 200, {"data": [shard.shown() for shard in part], "pagination": pagination}


def update_shards(core: Core, call: Call) -> Answer:
    """Assign each shard by itself: `errors` lists those that Twitch refuses, and the answer is a 202 all the same."""
    call.needs_app_token()
    body = call.json()
    conduit = _conduit(core, call, body.get("conduit_id"), "conduit_id", "not found")
    wanted = body.get("shards")
    if not isinstance(wanted, list) or not wanted:
        raise missing("shards")
    if not all(isinstance(w, dict) and w.get("id") and isinstance(w.get("transport"), dict) for w in wanted):
        # It really does not say which one.
        raise missing("")
    data, errors = [], []
    for each in wanted:
        try:
            data.append(_assign(core, conduit, str(each["id"]), each["transport"]).shown())
        except Refused as refused:
            errors.append({"id": str(each["id"]), "message": refused.message, "code": "invalid_parameter"})
    return 202, {"data": data, "errors": errors}


def _assign(core: Core, conduit: Conduit, shard_id: str, transport: dict[str, Any]) -> Shard:
    if not shard_id.isdecimal() or int(shard_id) >= conduit.shard_count:
        raise Refused(400, "The shard id is outside the conduit's range")
    if transport.get("method") == "websocket":
        session = core.eventsub.session(str(transport.get("session_id")))
        if session is None:
            raise Refused(400, "The websocket session does not exist or has already disconnected")
        session.attached = True
        shard = Shard(shard_id, Transport.by_socket(session), ENABLED)
    elif transport.get("method") == "webhook":
        shard = Shard(shard_id, webhook(transport), PENDING)
        core.webhooks.verify(
            _about(core, conduit, shard), shard.transport, lambda status: setattr(shard, "status", status)
        )
    else:
        raise Refused(400, "The transport method is invalid")
    conduit.shards[shard_id] = shard
    return shard


def _about(core: Core, conduit: Conduit, shard: Shard) -> Subscription:
    """Return the subscription that the challenge to a shard's callback names."""
    return Subscription(
        id=new_id(),
        client_id=conduit.client_id,
        type="conduit.shard",
        version="1",
        condition={"conduit_id": conduit.id},
        transport=shard.transport,
        created_at=nanoseconds(core.settings.now()),
        status=PENDING,
        cost=0,
    )


def _shown(conduit: Conduit) -> dict[str, Any]:
    return {"id": conduit.id, "shard_count": conduit.shard_count}


def _own(core: Core, call: Call) -> list[Conduit]:
    return [c for c in core.eventsub.conduits.values() if c.client_id == call.token.client_id]


def _conduit(core: Core, call: Call, conduit_id: object, name: str, unknown: str) -> Conduit:
    if not conduit_id:
        raise missing(name)
    conduit = next((conduit for conduit in _own(core, call) if conduit.id == conduit_id), None)
    if conduit is None:
        raise Refused(404, unknown)
    return conduit


def _shard_count(body: dict[str, Any]) -> int:
    count = body.get("shard_count")
    if count is None:
        raise missing("shard_count")
    if not isinstance(count, int) or not 1 <= count <= MOST_SHARDS:
        raise malformed("shard_count", f"the value must be between 1 and {MOST_SHARDS}")
    return count
