"""Our conduit: found again or created, and its one shard attached to the websocket session that serves it.

https://dev.twitch.tv/docs/eventsub/handling-conduit-events/: a conduit keeps its subscriptions while no shard works,
for 72 hours; then Twitch deletes it. An application may have five.
"""

import logging
from typing import Literal

from pipeline.errors import SourceError, SourceRefused, SourceUnavailable
from pipeline.services.twitch.helix_eventsub import EventSubManagement, Shard, Transport
from pipeline.services.twitch.helix_requests import RequestRejected, TooManyConduits

SHARD = "0"

ShardState = Literal["ours", "lost", "taken", "gone"]

logger = logging.getLogger(__name__)


class ConduitGone(SourceError):
    """Twitch has deleted our conduit, with all its subscriptions."""


def ensure_conduit(helix: EventSubManagement, remembered: str | None) -> str:
    """Return the id of the remembered conduit if Twitch still has it, else that of a new one.

    Others are never used: they belong to other programs, or to another installation of ours. Raises `SourceRefused`
    where the application has no room for one more.
    """
    conduits = helix.conduits()
    known = next((conduit for conduit in conduits if conduit.id == remembered), None)
    if known is not None:
        if known.shard_count != 1:
            # Messages for a shard without a session are lost.
            helix.update_conduit(known.id, 1)
        return known.id
    try:
        created = helix.create_conduit(1)
    except TooManyConduits as error:
        raise SourceRefused(
            f"the application has {len(conduits)} conduits already, and Twitch allows no more: delete one that is not "
            "used, or give Lootwire an application of its own"
        ) from error
    logger.info("conduit created", extra={"conduit": created.id, "instead_of": remembered})
    return created.id


def attach(helix: EventSubManagement, conduit_id: str, session_id: str) -> None:
    """Let our conduit deliver to a session, which must be at most ten seconds old.

    Raises `ConduitGone`, or `SourceUnavailable` where Twitch took the request but not the shard: where it says so, and
    where it does not name the shard as one that works.
    """
    session = Transport(method="websocket", session_id=session_id)
    try:
        update = helix.update_shards(conduit_id, {SHARD: session})
    except RequestRejected as error:
        if error.status == 404:
            raise ConduitGone("Twitch has deleted our conduit; there will be a new one") from error
        raise
    if update.errors:
        reasons = "; ".join(f"{error.message} ({error.code})" for error in update.errors)
        raise SourceUnavailable(f"Twitch did not attach our session to the conduit: {reasons}")
    status = next((shard.status for shard in update.shards if shard.id == SHARD), "not named in its answer")
    if status != "enabled":
        raise SourceUnavailable(f"Twitch did not attach our session to the conduit: the shard is {status}")


def look_at_shard(helix: EventSubManagement, conduit_id: str, session_id: str) -> ShardState:
    """Return whether our conduit still delivers to our session.

    `lost`: to none. `taken`: to another program's. `gone`: Twitch has deleted the conduit.
    """
    try:
        shards = helix.shards(conduit_id)
    except RequestRejected as error:
        if error.status == 404:
            return "gone"
        raise
    return judge_shard(shards, session_id)


def judge_shard(shards: list[Shard], session_id: str) -> ShardState:
    """Return whose session our shard delivers to."""
    shard = next((shard for shard in shards if shard.id == SHARD), None)
    if shard is None or shard.status != "enabled":
        return "lost"
    is_ours = shard.transport is not None and shard.transport.session_id == session_id
    return "ours" if is_ours else "taken"
