"""Sockets, conduits, subscriptions and webhooks of the local Twitch."""

import json
from collections.abc import Iterator
from dataclasses import dataclass

import httpx
import pytest
from websockets.exceptions import ConnectionClosed, InvalidMessage, InvalidStatus

from tests.twitch import LocalTwitch
from tests.twitch.asking import Callback, Listener, add_conduit, attach, callback, helix, listen, subscribe
from tests.twitch.messages import sign
from tests.waiting import wait_for

SECRET = "ten or more"
CALLBACK = "https://lootwire.example.org/eventsub"


@dataclass
class Attached:
    """A websocket that is the one shard of a conduit, which hears of all that Shroud does."""

    listener: Listener
    conduit_id: str
    user_id: str


@pytest.fixture
def attached(twitch: LocalTwitch, client: httpx.Client) -> Iterator[Attached]:
    user = twitch.add_user("shroud")
    with listen(twitch.eventsub_url) as listener:
        conduit_id = add_conduit(client, listener.id)
        for type_, version in (("stream.online", "1"), ("stream.offline", "1"), ("channel.update", "2")):
            condition = {"broadcaster_user_id": user.id}
            answer = subscribe(client, type_, condition, version, method="conduit", conduit_id=conduit_id)
            assert answer.status_code == 202, answer.text
        yield Attached(listener, conduit_id, user.id)


def shards(client: httpx.Client, conduit_id: str) -> list[str]:
    rows = client.get("/eventsub/conduits/shards", params={"conduit_id": conduit_id}).json()["data"]
    return [row["status"] for row in rows]


def test_a_conduit_brings_what_happens_to_its_shard(twitch: LocalTwitch, attached: Attached) -> None:
    stream = twitch.go_live("shroud", title="hello")
    twitch.update_channel("shroud", title="goodbye")
    twitch.go_offline("shroud")

    messages = [attached.listener.next() for _ in range(3)]

    assert [m["metadata"]["subscription_type"] for m in messages] == [
        "stream.online",
        "channel.update",
        "stream.offline",
    ]
    assert messages[0]["payload"]["event"]["id"] == stream.id
    assert messages[1]["payload"]["event"]["title"] == "goodbye"


def test_a_channel_may_go_live_unannounced(twitch: LocalTwitch, attached: Attached) -> None:
    twitch.go_live("shroud", announce=False)
    twitch.update_channel("shroud", title="first heard")

    assert attached.listener.titles(1) == ["first heard"]


@pytest.mark.parametrize(
    ("code", "status"),
    [
        (4000, "websocket_internal_error"),
        (4002, "websocket_failed_ping_pong"),
        (4005, "websocket_network_timeout"),
        (4006, "websocket_network_error"),
        (1012, "websocket_disconnected"),
    ],
)
def test_a_closed_socket_disables_its_shard(
    twitch: LocalTwitch, client: httpx.Client, attached: Attached, code: int, status: str
) -> None:
    twitch.close_sockets(code)

    assert attached.listener.closed() == code
    wait_for(lambda: shards(client, attached.conduit_id) == [status])


def test_what_was_missed_without_a_shard_is_never_told(
    twitch: LocalTwitch, client: httpx.Client, attached: Attached
) -> None:
    twitch.drop_sockets()
    assert attached.listener.closed() == 1006
    wait_for(lambda: shards(client, attached.conduit_id) == ["websocket_disconnected"])
    twitch.go_live("shroud")

    with listen(twitch.eventsub_url) as again:
        attach(client, attached.conduit_id, again.id)
        twitch.update_channel("shroud", title="back")
        assert again.titles(1) == ["back"]
    assert [sent.to for sent in twitch.sent] == ["", again.id]


def test_a_disabled_shard_is_told_to_who_asked(twitch: LocalTwitch, client: httpx.Client, attached: Attached) -> None:
    with listen(twitch.eventsub_url) as other:
        conduit_id = add_conduit(client, other.id)
        condition = {"client_id": twitch.client_id}
        subscribe(client, "conduit.shard.disabled", condition, method="conduit", conduit_id=conduit_id)

        attached.listener.socket.close()

        event = other.next("notification")["payload"]["event"]
        assert (event["conduit_id"], event["status"]) == (attached.conduit_id, "websocket_disconnected")


def test_a_client_that_speaks_is_closed(twitch: LocalTwitch, attached: Attached) -> None:
    attached.listener.socket.send("hello")

    assert attached.listener.closed() == 4001


def test_a_socket_that_carries_nothing_is_closed(twitch: LocalTwitch) -> None:
    twitch.attach_seconds = 0.05
    with listen(twitch.eventsub_url) as listener:
        assert listener.closed() == 4003


def test_a_shard_cannot_have_a_session_that_is_gone(twitch: LocalTwitch, client: httpx.Client) -> None:
    with listen(twitch.eventsub_url) as listener:
        conduit_id = add_conduit(client)
    wait_for(lambda: not twitch.sessions)

    answer = attach(client, conduit_id, listener.id)

    assert (answer["data"], [error["code"] for error in answer["errors"]]) == ([], ["invalid_parameter"])


def test_keepalives_come_while_it_is_quiet_until_they_are_stopped(twitch: LocalTwitch) -> None:
    twitch.keepalive_seconds = 0.02
    with listen(twitch.eventsub_url) as listener:
        assert listener.welcome["payload"]["session"]["keepalive_timeout_seconds"] == 0.02
        assert [listener.next()["metadata"]["message_type"] for _ in range(2)] == ["session_keepalive"] * 2

        twitch.stop_keepalives()
        # Those that were on their way come before this.
        twitch.ask_to_reconnect()
        listener.next("session_reconnect")

        with pytest.raises(TimeoutError):
            listener.socket.recv(timeout=0.1)


def test_the_client_chooses_the_keepalive_within_bounds(twitch: LocalTwitch) -> None:
    with listen(f"{twitch.eventsub_url}?keepalive_timeout_seconds=600") as listener:
        assert listener.welcome["payload"]["session"]["keepalive_timeout_seconds"] == 600
    with pytest.raises(InvalidStatus, match="400"), listen(f"{twitch.eventsub_url}?keepalive_timeout_seconds=5"):
        pass


@pytest.mark.parametrize("kept", [True, False], ids=["same id", "new id"])
def test_a_reconnect_loses_nothing(twitch: LocalTwitch, client: httpx.Client, attached: Attached, kept: bool) -> None:
    twitch.reconnect_keeps_id = kept
    twitch.ask_to_reconnect()
    url = attached.listener.next("session_reconnect")["payload"]["session"]["reconnect_url"]
    twitch.update_channel("shroud", title="to the old one")

    with listen(url) as new:
        twitch.update_channel("shroud", title="to the new one")
        assert attached.listener.titles(1) == ["to the old one"]
        assert new.titles(1) == ["to the new one"]
        assert (new.id == attached.listener.id) is kept
        assert twitch.sessions[-1].attached
        attached.listener.socket.close()
        wait_for(lambda: len(twitch.sessions) == 1)
        assert shards(client, attached.conduit_id) == ["enabled"]


def test_the_old_socket_has_a_time_of_grace(twitch: LocalTwitch, client: httpx.Client, attached: Attached) -> None:
    twitch.reconnect_grace_seconds = 0.02
    twitch.ask_to_reconnect()

    assert attached.listener.closed() == 4004
    wait_for(lambda: shards(client, attached.conduit_id) == ["websocket_failed_to_reconnect"])


def test_a_wrong_or_late_reconnect_url_is_refused(twitch: LocalTwitch, attached: Attached) -> None:
    twitch.ask_to_reconnect()
    url = attached.listener.next("session_reconnect")["payload"]["session"]["reconnect_url"]
    attached.listener.socket.close()
    wait_for(lambda: not twitch.sessions)

    for address in (url, f"{twitch.eventsub_url}?challenge=wrong&id=wrong"):
        with pytest.raises(ConnectionClosed, match="4007"), listen(address):
            pass


def test_a_muted_socket_stays_open_and_silent(twitch: LocalTwitch, attached: Attached) -> None:
    twitch.mute_sockets()
    twitch.go_live("shroud")

    with pytest.raises(TimeoutError):
        attached.listener.socket.recv(timeout=0.05)
    assert len(twitch.sessions) == 1


def test_an_unreachable_twitch_takes_no_new_socket(twitch: LocalTwitch) -> None:
    twitch.unreachable = True
    with pytest.raises((OSError, EOFError, InvalidMessage)), listen(twitch.eventsub_url):
        pass
    twitch.unreachable = False
    with listen(twitch.eventsub_url) as listener:
        assert listener.id


def test_a_message_may_come_twice_with_its_id_or_another(twitch: LocalTwitch, attached: Attached) -> None:
    twitch.go_live("shroud")
    twitch.repeat_last_message()
    twitch.repeat_last_message(new_id=True)

    messages = [attached.listener.next("notification") for _ in range(3)]

    first, same, other = (message["metadata"]["message_id"] for message in messages)
    assert first == same != other
    assert messages[0]["payload"]["event"] == messages[2]["payload"]["event"]


def test_a_revoked_subscription_is_told_and_brings_nothing_more(twitch: LocalTwitch, attached: Attached) -> None:
    online = next(s for s in twitch.subscriptions if s.type == "stream.online")
    twitch.revoke_subscription(online.id, "version_removed")
    twitch.go_live("shroud")
    twitch.update_channel("shroud", title="next")

    revocation = attached.listener.next()

    assert revocation["metadata"]["message_type"] == "revocation"
    assert revocation["payload"]["subscription"]["status"] == "version_removed"
    assert attached.listener.titles(1) == ["next"]


def test_the_same_subscription_is_had_once_on_a_transport_and_three_times_in_all(
    twitch: LocalTwitch, client: httpx.Client
) -> None:
    user = twitch.add_user("shroud")
    conduits = [add_conduit(client) for _ in range(4)]

    statuses = [
        subscribe(
            client, "stream.online", {"broadcaster_user_id": user.id}, method="conduit", conduit_id=conduit_id
        ).status_code
        for conduit_id in [*conduits[:1], *conduits]
    ]

    assert statuses == [202, 409, 202, 202, 429]
    assert len(client.get("/eventsub/conduits").json()["data"]) == 4
    add_conduit(client)
    assert client.post("/eventsub/conduits", json={"shard_count": 1}).status_code == 429


def test_subscriptions_are_listed_in_pages_of_a_hundred_by_one_filter(
    twitch: LocalTwitch, client: httpx.Client
) -> None:
    conduit = twitch.add_conduit()
    users = twitch.add_users(150)
    for user in users:
        twitch.add_subscription("stream.online", {"broadcaster_user_id": user.id}, conduit_id=conduit.id)
    twitch.add_subscription("stream.online", {"broadcaster_user_id": "1"}, client_id="another application")

    first = client.get("/eventsub/subscriptions", params={"type": "stream.online"}).json()
    after = {"type": "stream.online", "after": first["pagination"]["cursor"]}
    second = client.get("/eventsub/subscriptions", params=after).json()

    assert (len(first["data"]), len(second["data"]), second["pagination"]) == (100, 50, {})
    assert (first["total"], first["total_cost"], first["max_total_cost"]) == (150, 150, 10_000)
    filtered = client.get("/eventsub/subscriptions", params={"user_id": users[7].id}).json()["data"]
    assert [row["condition"]["broadcaster_user_id"] for row in filtered] == [users[7].id]
    two = {"type": "stream.online", "status": "enabled"}
    assert client.get("/eventsub/subscriptions", params=two).status_code == 400
    deleted = [client.delete("/eventsub/subscriptions", params={"id": filtered[0]["id"]}) for _ in range(2)]
    assert [answer.status_code for answer in deleted] == [204, 404]


def test_subscriptions_stop_at_the_highest_cost(twitch: LocalTwitch, client: httpx.Client) -> None:
    twitch.max_total_cost = 1
    conduit_id = add_conduit(client)

    statuses = [
        subscribe(
            client, "stream.online", {"broadcaster_user_id": user.id}, method="conduit", conduit_id=conduit_id
        ).status_code
        for user in twitch.add_users(2)
    ]

    assert statuses == [202, 429]


def test_a_deleted_conduit_leaves_its_subscriptions_dead(
    twitch: LocalTwitch, client: httpx.Client, attached: Attached
) -> None:
    twitch.delete_conduit(attached.conduit_id)

    rows = client.get("/eventsub/subscriptions").json()
    assert ({row["status"] for row in rows["data"]}, rows["total_cost"]) == ({"conduit_deleted"}, 0)
    assert client.delete("/eventsub/conduits", params={"id": attached.conduit_id}).status_code == 404


@pytest.mark.parametrize(
    ("type_", "version", "condition", "status"),
    [
        ("stream.begins", "1", {}, 400),
        ("stream.online", "1", {}, 400),
        ("stream.online", "1", {"broadcaster_user_id": "404"}, 400),
        ("channel.update", "1", {"broadcaster_user_id": "1"}, 410),
        ("channel.follow", "2", {"broadcaster_user_id": "1", "moderator_user_id": "1"}, 403),
    ],
    ids=["no such type", "no condition", "no such user", "old version", "not authorised"],
)
def test_a_subscription_that_makes_no_sense_is_refused(
    twitch: LocalTwitch, client: httpx.Client, type_: str, version: str, condition: dict[str, str], status: int
) -> None:
    conduit_id = add_conduit(client)

    answer = subscribe(client, type_, condition, version, method="conduit", conduit_id=conduit_id)

    assert answer.status_code == status


def test_a_plain_websocket_wants_a_users_token(twitch: LocalTwitch, client: httpx.Client) -> None:
    user = twitch.add_user("shroud")
    condition = {"broadcaster_user_id": user.id}
    with listen(twitch.eventsub_url) as listener, helix(twitch, twitch.user_token(user.id)) as own:
        refused = subscribe(client, "stream.online", condition, method="websocket", session_id=listener.id)
        taken = subscribe(own, "stream.online", condition, method="websocket", session_id=listener.id)
        twitch.go_live("shroud")

        assert (refused.status_code, taken.status_code) == (400, 202)
        assert listener.next()["payload"]["subscription"]["transport"]["session_id"] == listener.id


@pytest.fixture
def place(twitch: LocalTwitch) -> Iterator[Callback]:
    with callback() as place:
        twitch.callback_to = place.url
        twitch.webhook_retries = (0.01, 0.01)
        yield place


def by_webhook(client: httpx.Client, user_id: str, url: str = CALLBACK) -> httpx.Response:
    condition = {"broadcaster_user_id": user_id}
    return subscribe(client, "stream.online", condition, method="webhook", callback=url, secret=SECRET)


def statuses(twitch: LocalTwitch) -> list[str]:
    return [subscription.status for subscription in twitch.subscriptions]


def test_a_callback_is_verified_and_then_told(twitch: LocalTwitch, client: httpx.Client, place: Callback) -> None:
    user = twitch.add_user("shroud")
    assert by_webhook(client, user.id).json()["data"][0]["status"] == "webhook_callback_verification_pending"
    wait_for(lambda: statuses(twitch) == ["enabled"])

    stream = twitch.go_live("shroud")
    wait_for(lambda: len(place.messages) == 2)

    assert place.kinds() == ["webhook_callback_verification", "notification"]
    headers, body = place.messages[1]
    signed = sign(SECRET, headers["twitch-eventsub-message-id"], headers["twitch-eventsub-message-timestamp"], body)
    assert headers["twitch-eventsub-message-signature"] == signed
    assert json.loads(body)["event"]["id"] == stream.id


def test_a_wrong_answer_to_the_challenge_fails(twitch: LocalTwitch, client: httpx.Client, place: Callback) -> None:
    place.reply = lambda challenge: f'"{challenge}"'
    by_webhook(client, twitch.add_user("shroud").id)

    wait_for(lambda: statuses(twitch) == ["webhook_callback_verification_failed"])


def test_a_callback_that_fails_is_tried_again_and_then_given_up(
    twitch: LocalTwitch, client: httpx.Client, place: Callback
) -> None:
    by_webhook(client, twitch.add_user("shroud").id)
    wait_for(lambda: statuses(twitch) == ["enabled"])
    place.status, twitch.webhook_failures = 500, 1
    twitch.go_live("shroud")
    wait_for(lambda: "revocation" in place.kinds())

    assert statuses(twitch) == ["notification_failures_exceeded"]
    tried = [headers for headers, _ in place.messages if headers["twitch-eventsub-message-type"] == "notification"]
    assert [headers["twitch-eventsub-message-retry"] for headers in tried] == ["0", "1", "2"]
    assert len({headers["twitch-eventsub-message-id"] for headers in tried}) == 1


@pytest.mark.parametrize("url", ["http://lootwire.example.org/eventsub", "https://lootwire.example.org:8443/eventsub"])
def test_a_callback_must_be_https_on_its_own_port(twitch: LocalTwitch, client: httpx.Client, url: str) -> None:
    assert by_webhook(client, twitch.add_user("shroud").id, url).status_code == 400


def test_a_message_made_by_hand_is_signed_unless_it_is_forged(twitch: LocalTwitch) -> None:
    twitch.add_user("shroud")
    twitch.go_live("shroud")
    event = twitch.event("stream.online", "shroud")

    def fits(*, forged: bool) -> bool:
        headers, body = twitch.webhook_message("stream.online", event, secret=SECRET, message_id="a", forged=forged)
        at = headers["Twitch-Eventsub-Message-Timestamp"]
        return headers["Twitch-Eventsub-Message-Signature"] == sign(SECRET, "a", at, body)

    assert fits(forged=False)
    assert not fits(forged=True)
