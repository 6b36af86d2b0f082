"""`/admin/eventsub` over HTTP, at a local Twitch."""

import gzip
import itertools
import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine, insert, select

from models import EventSubMessage, QuarantinedPayload, Source
from pipeline.channels.eventsub.notifications import OF_CHANNELS, SHARD_DISABLED
from pipeline.channels.eventsub.source_row import NAME, load_memory
from pipeline.embedded import Servers
from pipeline.runtime.runtime import Runtime
from tests.channels import Channels
from tests.pipeline.web.api.twitch import runtime_at
from tests.twitch import LocalTwitch

_numbers = itertools.count()


@pytest.fixture
def now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


@pytest.fixture
def twitch() -> Iterator[LocalTwitch]:
    with LocalTwitch(client_id=f"eventsub{next(_numbers)}of0the0api") as running:
        yield running


@pytest.fixture
def runtime(engine: Engine, servers: Servers, twitch: LocalTwitch, tmp_path: Path) -> Iterator[Runtime]:
    yield from runtime_at(engine, servers, twitch, tmp_path)


@pytest.fixture
def channel(engine: Engine, now: datetime) -> str:
    """A watched channel by its Twitch id."""
    Channels(engine, now).channel("lanternwake")
    return "1001"


def keep_row(engine: Engine, now: datetime, **cursor: Any) -> int:
    row = {"name": NAME, "service": "twitch", "next_due_at": now, "cursor": cursor, "last_success_at": now}
    with engine.begin() as connection:
        return connection.execute(insert(Source).values(row).returning(Source.id)).scalar_one()


def subscribe(twitch: LocalTwitch, channel: str, conduit_id: str) -> Sequence[str]:
    """Make all that is wanted for a channel; returns the ids."""
    twitch.add_user("lanternwake", id=channel)
    about = [(kind, {"broadcaster_user_id": channel}) for kind, _ in OF_CHANNELS]
    about.append((SHARD_DISABLED[0], {"client_id": twitch.client_id}))
    return [twitch.add_subscription(kind, condition, conduit_id=conduit_id).id for kind, condition in about]


def test_what_twitch_lists_is_compared_with_what_is_wanted(
    owner: httpx.Client, engine: Engine, twitch: LocalTwitch, channel: str, now: datetime
) -> None:
    conduit = twitch.add_conduit()
    keep_row(engine, now, conduit_id=conduit.id)
    nothing = owner.post("/admin/eventsub/verify").json()
    assert (nothing["is_right"], nothing["wanted"], nothing["missing_total"]) == (False, 4, 4)
    assert {each["login"] for each in nothing["missing"]} == {"lanternwake", None}

    subscribe(twitch, channel, conduit.id)
    right = owner.post("/admin/eventsub/verify").json()
    assert (right["is_right"], right["enabled"], right["total_cost"], right["ours"]) == (True, 4, 4, 4)

    unwanted = twitch.add_subscription("stream.online", {"broadcaster_user_id": "99"}, conduit_id=conduit.id)
    twitch.add_subscription("stream.online", {"broadcaster_user_id": "99"})
    verified = owner.post("/admin/eventsub/verify").json()
    assert (verified["is_right"], verified["foreign"], verified["foreign_cost"]) == (False, 1, 1)
    assert [each["id"] for each in verified["unwanted"]] == [unwanted.id]


def test_a_subscription_that_twitch_has_ended_is_named(
    owner: httpx.Client, engine: Engine, twitch: LocalTwitch, channel: str, now: datetime
) -> None:
    conduit = twitch.add_conduit()
    keep_row(engine, now, conduit_id=conduit.id)
    first, *_ = subscribe(twitch, channel, conduit.id)
    twitch.revoke_subscription(first)
    verified = owner.post("/admin/eventsub/verify").json()
    assert [(each["id"], each["status"]) for each in verified["ended"]] == [(first, "authorization_revoked")]
    assert (verified["missing_total"], verified["enabled"], verified["is_right"]) == (1, 3, False)


def test_subscriptions_are_listed_with_what_they_cost_and_whose_they_are(
    owner: httpx.Client, engine: Engine, twitch: LocalTwitch, channel: str, now: datetime
) -> None:
    conduit = twitch.add_conduit()
    keep_row(engine, now, conduit_id=conduit.id)
    subscribe(twitch, channel, conduit.id)
    foreign = twitch.add_subscription("stream.online", {"broadcaster_user_id": "99"})
    listed = owner.get("/admin/eventsub/subscriptions").json()["items"]
    assert (len(listed), sum(each["cost"] for each in listed)) == (5, 5)
    not_ours = owner.get("/admin/eventsub/subscriptions", params={"ours": False}).json()["items"]
    assert [(each["id"], each["method"]) for each in not_ours] == [(foreign.id, "webhook")]
    of_type = owner.get("/admin/eventsub/subscriptions", params={"type": "stream.online", "status": "enabled"})
    assert {each["condition"]["broadcaster_user_id"] for each in of_type.json()["items"]} == {channel, "99"}
    assert "secret" not in owner.get("/admin/eventsub/subscriptions").text


def test_our_subscriptions_are_removed_and_foreign_ones_only_where_they_are_named(
    owner: httpx.Client, engine: Engine, twitch: LocalTwitch, channel: str, now: datetime
) -> None:
    conduit = twitch.add_conduit()
    keep_row(engine, now, conduit_id=conduit.id)
    subscribe(twitch, channel, conduit.id)
    foreign = twitch.add_subscription("stream.online", {"broadcaster_user_id": "99"})
    assert owner.delete("/admin/eventsub/subscriptions", headers={"If-Match": "*"}).json() == {"removed": 4}
    assert [each.id for each in twitch.subscriptions] == [foreign.id]
    with engine.connect() as connection:
        assert load_memory(connection).is_asked
    address = f"/admin/eventsub/subscriptions/{foreign.id}"
    assert owner.delete(address, headers={"If-Match": "*"}).status_code == 204
    assert twitch.subscriptions == []
    assert owner.delete(address, headers={"If-Match": "*"}).status_code == 404


def test_figures_are_those_of_the_last_look(owner: httpx.Client, engine: Engine, now: datetime) -> None:
    revoked = [{"type": "stream.online", "subject": "7", "status": "user_removed", "at": now.isoformat()}]
    counts = {"wanted": 10, "subscribed": 6, "pending": 1, "left_out_total": 2, "refused_total": 1}
    keep_row(engine, now, **counts, revoked=revoked, refusal="no", secret="fingerprint")
    answer = owner.get("/admin/eventsub")
    figures = answer.json()
    assert (figures["way"], figures["wanted"], figures["enabled"], figures["failed"]) == ("websocket", 10, 6, 3)
    assert (figures["channels_left_out"], figures["channels_refused"], figures["refusal"]) == (2, 1, "no")
    assert figures["revoked"][0]["subject"] == "7"
    assert "fingerprint" not in answer.text


def test_messages_are_counted_by_type_and_the_last_twenty_are_shown(
    owner: httpx.Client, engine: Engine, now: datetime
) -> None:
    source_id = keep_row(engine, now)
    rows = [
        {
            "message_id": f"m{number:02}",
            "subscription_type": "stream.online" if number % 2 else "stream.offline",
            "subscription_version": "1",
            "event": {"broadcaster_user_login": "lanternwake"},
            "via": "websocket",
            "sent_at": now - timedelta(minutes=60 - number, seconds=2),
            "received_at": now - timedelta(minutes=60 - number),
            "handled_at": None if number == 29 else now,
        }
        for number in range(30)
    ]
    bodies = [json.dumps({"subscription": {"type": "stream.online"}, "event": {}}).encode(), b"no message"]
    aside = [
        {
            "source_id": source_id,
            "digest": body,
            "reason": "unreadable",
            "detail": "x",
            "origin": "eventsub",
            "payload_gzip": gzip.compress(body),
            "first_seen_at": now,
            "last_seen_at": now,
            "times_seen": 2,
        }
        for body in bodies
    ]
    with engine.begin() as connection:
        connection.execute(insert(EventSubMessage), rows)
        connection.execute(insert(QuarantinedPayload), aside)
    messages = owner.get("/admin/eventsub/messages").json()
    assert (messages["received"], messages["handled"], messages["waiting"], messages["refused"]) == (30, 29, 1, 4)
    assert messages["by_type"] == [
        {"type": "stream.offline", "received": 15, "handled": 15, "refused": 0},
        {"type": "stream.online", "received": 15, "handled": 14, "refused": 2},
        {"type": None, "received": 0, "handled": 0, "refused": 2},
    ]
    assert (len(messages["last"]), messages["last"][0]["id"], messages["last"][0]["login"]) == (
        20,
        "m29",
        "lanternwake",
    )
    assert messages["last"][0]["seconds"] == 2
    with engine.connect() as connection:
        assert len(connection.scalars(select(EventSubMessage.message_id)).all()) == 30


def test_when_twitch_is_away_the_answer_says_so(owner: httpx.Client, twitch: LocalTwitch) -> None:
    twitch.fail("/helix/eventsub/subscriptions", 500, times=9)
    assert owner.post("/admin/eventsub/verify").status_code == 502
