"""The local Twitch says what the real one says: its answers beside recorded and documented ones.

A recording has values of its own; what is compared are keys and types, all the way down. Errors are compared whole.
"""

import json
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from tests.paths import RECORDINGS
from tests.plain_http import NO_CERTIFICATES
from tests.twitch import LocalTwitch
from tests.twitch.answers import error_body
from tests.twitch.asking import add_conduit, helix, listen, subscribe
from tests.twitch.messages import sign
from tests.waiting import wait_for

pytestmark = [
    pytest.mark.recordings,
    pytest.mark.skipif(not RECORDINGS.is_dir(), reason=f"there are no recordings in {RECORDINGS}"),
]
CALLBACK = {"method": "webhook", "callback": "https://this-is-a-callback.com", "secret": "s3cre7s3cre7"}
SCOPES = ("user:read:follows", "user:read:email", "channel:read:subscriptions")


def recorded(path: str) -> Any:
    return json.loads((RECORDINGS / path).read_text())


def differences(theirs: Any, ours: Any, at: str = "") -> Iterator[str]:
    """Where keys or types differ. A null is of any type; lists are compared by their first items."""
    if theirs is None or ours is None:
        return
    if type(theirs) is not type(ours):
        yield f"{at}: {type(theirs).__name__} there, {type(ours).__name__} here"
    elif isinstance(theirs, dict):
        yield from (f"{at}.{key}: only there" for key in theirs.keys() - ours.keys())
        yield from (f"{at}.{key}: only here" for key in ours.keys() - theirs.keys())
        for key in theirs.keys() & ours.keys():
            yield from differences(theirs[key], ours[key], f"{at}.{key}")
    elif isinstance(theirs, list) and theirs and ours:
        yield from differences(theirs[0], ours[0], f"{at}[0]")


@pytest.fixture
def lively(twitch: LocalTwitch) -> LocalTwitch:
    """A Twitch where every endpoint has something to tell, on more than one page."""
    twitch.add_category("33214", "Fortnite", igdb_id="1905")
    twitch.add_category("33215", "Fortnite 2")
    for user in [twitch.add_user("twitchdev", id="141981764"), *twitch.add_users(2)]:
        twitch.go_live(user.login, title="hello", category="Fortnite", tags=["English"])
        twitch.add_video(user.login, stream_id="1")
    twitch.set_follows("141981764", ["channel00001", "channel00002"])
    twitch.set_badges(recorded("helix/docs/get_chat_badges_global_200_0.json")["data"])
    return twitch


@pytest.mark.parametrize(
    ("path", "query", "recording"),
    [
        ("/users", {}, "helix/docs/get_users_200_0.json"),
        ("/streams", {"first": 1}, "helix/docs/get_streams_200_0.json"),
        ("/streams", {}, "helix/docs/get_streams_200_1.json"),
        ("/channels", {"broadcaster_id": "141981764"}, "helix/docs/get_channels_200_0.json"),
        (
            "/channels/followed",
            {"user_id": "141981764", "first": 1},
            "helix/docs/get_channels_followed_200_0.json",
        ),
        ("/channels/followed", {"user_id": "141981764"}, "helix/docs/get_channels_followed_200_1.json"),
        ("/games", {"id": "33214"}, "helix/docs/get_games_200_0.json"),
        ("/search/categories", {"query": "fort", "first": 1}, "helix/docs/get_search_categories_200_0.json"),
        ("/search/categories", {"query": "none"}, "helix/twitch-rs/helix_endpoints_search_search_categories_1.json"),
        ("/videos", {"user_id": "141981764"}, "helix/docs/get_videos_200_0.json"),
        ("/chat/badges/global", {}, "helix/docs/get_chat_badges_global_200_0.json"),
    ],
)
def test_an_answer_has_the_documented_shape(
    lively: LocalTwitch, path: str, query: dict[str, Any], recording: str
) -> None:
    with helix(lively, lively.user_token("141981764", scopes=SCOPES)) as client:
        answer = client.get(path, params=query)

    assert answer.status_code == 200
    assert list(differences(recorded(recording), answer.json())) == []


@pytest.mark.parametrize(
    ("recording", "path", "by_authors"),
    [
        ("streams_frontpage_1", "/streams", {"localization_names", "description", "profile_image_url", "followers"}),
        ("streams_list_3", "/streams", {"localization_names", "description", "profile_image_url"}),
        ("games_top100_2023_with_igdb_id", "/games?id=33214", {"gameViewers"}),
    ],
)
def test_a_row_has_the_shape_of_real_ones(
    lively: LocalTwitch, client: httpx.Client, recording: str, path: str, by_authors: set[str]
) -> None:
    """`by_authors` are the keys that those who published a recording added to it."""
    answer = recorded(f"helix/real/{recording}.json")
    rows = answer if isinstance(answer, list) else next(iter(answer["frontPage"].values()))
    row = client.get(path).json()["data"][0]

    unlike = {
        difference
        for real in rows
        for difference in differences({key: value for key, value in real.items() if key not in by_authors}, row)
    }

    assert unlike == set()


def subscribe_again(twitch: LocalTwitch, client: httpx.Client, times: int, conduits: int) -> httpx.Response:
    """The last of so many equal subscriptions, spread over so many conduits."""
    user = twitch.add_user("shroud")
    condition, ids = {"broadcaster_user_id": user.id}, [add_conduit(client) for _ in range(conduits)]
    answers = [
        subscribe(client, "stream.online", condition, method="conduit", conduit_id=ids[number % conduits])
        for number in range(times)
    ]
    return answers[-1]


def by_plain_websocket(twitch: LocalTwitch, client: httpx.Client) -> httpx.Response:
    with listen(twitch.eventsub_url) as listener:
        condition = {"broadcaster_user_id": twitch.add_user("shroud").id}
        return subscribe(client, "stream.online", condition, method="websocket", session_id=listener.id)


def by_a_fourth_websocket(twitch: LocalTwitch, _: httpx.Client) -> httpx.Response:
    users = twitch.add_users(4)
    url = twitch.eventsub_url
    with (
        helix(twitch, twitch.user_token(users[0].id)) as own,
        listen(url) as first,
        listen(url) as second,
        listen(url) as third,
        listen(url) as fourth,
    ):
        return [
            subscribe(own, "stream.online", {"broadcaster_user_id": user.id}, method="websocket", session_id=each.id)
            for user, each in zip(users, (first, second, third, fourth), strict=True)
        ][-1]


def scripted(path: str, status: int, message: str) -> Callable[[LocalTwitch, httpx.Client], httpx.Response]:
    def ask(twitch: LocalTwitch, client: httpx.Client) -> httpx.Response:
        twitch.fail(path, status, error_body(status, message))
        return client.get(path)

    return ask


def spent(twitch: LocalTwitch, client: httpx.Client) -> httpx.Response:
    client.get("/streams")
    twitch.budget_seconds = 6000
    twitch.spend_budget()
    return client.get("/streams")


ERRORS: dict[str, Callable[[LocalTwitch, httpx.Client], httpx.Response]] = {
    "400_eventsub_transport_auth": by_plain_websocket,
    "400_missing_param": lambda _, client: client.get("/channels"),
    "401_client_mismatch": lambda _, client: client.get("/streams", headers={"Client-Id": "other"}),
    "401_invalid_token": lambda _, client: client.get("/streams", headers={"Authorization": "Bearer dead"}),
    "401_token_missing": lambda _, client: client.get("/streams", headers={"Authorization": ""}),
    "409_eventsub_exists": lambda twitch, client: subscribe_again(twitch, client, 2, 1),
    "429_eventsub_same_type_condition": lambda twitch, client: subscribe_again(twitch, client, 4, 4),
    "429_eventsub_websocket_transports": by_a_fourth_websocket,
    "429_too_many": spent,
    "500_channels": scripted("/channels", 500, ""),
    "503": scripted("/streams", 503, "service unavailable"),
}


def test_every_recorded_error_is_known() -> None:
    assert {path.stem for path in (RECORDINGS / "helix" / "errors").glob("*.json")} == ERRORS.keys()


@pytest.mark.parametrize("name", ERRORS)
def test_an_error_is_the_recorded_one(twitch: LocalTwitch, client: httpx.Client, name: str) -> None:
    answer = ERRORS[name](twitch, client)

    assert answer.status_code == int(name[:3])
    assert answer.json() == recorded(f"helix/errors/{name}.json")


@pytest.mark.parametrize(
    ("changes", "status", "recording"),
    [
        ({}, 200, "token_ok"),
        ({"client_id": "wrong"}, 400, "token_invalid_client_400"),
        ({"client_secret": "wrong"}, 403, "token_invalid_secret_403"),
        ({"grant_type": "wrong"}, 400, "token_invalid_grant_400"),
    ],
)
def test_the_token_endpoint_answers_as_recorded(
    twitch: LocalTwitch, changes: dict[str, str], status: int, recording: str
) -> None:
    form = {"client_id": twitch.client_id, "client_secret": twitch.client_secret, "grant_type": "client_credentials"}
    answer = httpx.post(f"{twitch.auth_url}/token", data=form | changes, trust_env=False, verify=NO_CERTIFICATES)

    theirs = recorded(f"twitch_auth/{recording}.json")
    assert answer.status_code == status
    assert list(differences(theirs, answer.json())) == []
    assert status == 200 or answer.json() == theirs


@pytest.mark.parametrize("recording", ["validate_ok", "validate_app_token", "validate_401"])
def test_validation_answers_as_recorded(lively: LocalTwitch, recording: str) -> None:
    token = {
        "validate_ok": lively.user_token("141981764", scopes=SCOPES),
        "validate_app_token": lively.app_token(),
        "validate_401": "dead",
    }[recording]
    answer = httpx.get(
        f"{lively.auth_url}/validate",
        headers={"Authorization": f"OAuth {token}"},
        trust_env=False,
        verify=NO_CERTIFICATES,
    ).json()

    theirs = recorded(f"twitch_auth/{recording}.json")
    assert list(differences(theirs, answer)) == []
    # Which is what the nulls of the shapes would hide.
    assert {key for key in answer if answer[key] is None} == {key for key in theirs if theirs[key] is None}


def test_conduits_and_shards_answer_as_documented(twitch: LocalTwitch, client: httpx.Client) -> None:
    created = client.post("/eventsub/conduits", json={"shard_count": 5})
    conduit_id = created.json()["data"][0]["id"]
    with listen(twitch.eventsub_url) as listener:
        wanted = [
            {"id": "0", "transport": CALLBACK},
            {"id": "1", "transport": {"method": "websocket", "session_id": listener.id}},
            {"id": "5", "transport": CALLBACK},
        ]
        assigned = client.patch("/eventsub/conduits/shards", json={"conduit_id": conduit_id, "shards": wanted})
        twitch.drop_sockets()
        wait_for(lambda: not twitch.sessions)
    shards = client.get("/eventsub/conduits/shards", params={"conduit_id": conduit_id}).json()
    updated = client.patch("/eventsub/conduits", json={"id": conduit_id, "shard_count": 1})

    docs = "helix/docs"
    theirs = recorded(f"{docs}/get_eventsub_conduits_shards_200_0.json")
    assert list(differences(recorded(f"{docs}/post_eventsub_conduits_200_0.json"), created.json())) == []
    assert list(differences(recorded(f"{docs}/patch_eventsub_conduits_200_0.json"), updated.json())) == []
    assert list(differences(recorded(f"{docs}/patch_eventsub_conduits_shards_202_0.json"), assigned.json())) == []
    assert (
        assigned.json()["errors"][0] | {"id": "3"}
        == recorded(f"{docs}/patch_eventsub_conduits_shards_202_0.json")["errors"][0]
    )
    listed = client.get("/eventsub/conduits").json()
    assert list(differences(recorded(f"{docs}/get_eventsub_conduits_200_0.json"), listed)) == []
    assert list(differences(theirs, shards)) == []
    # The second is a websocket that is gone, as the documented last one.
    assert list(differences(theirs["data"][-1], shards["data"][-1])) == []


@pytest.mark.parametrize(("recording", "method"), [("202_0", "webhook"), ("202_2", "conduit")])
def test_a_subscription_is_answered_as_documented(
    twitch: LocalTwitch, client: httpx.Client, recording: str, method: str
) -> None:
    condition = {"user_id": twitch.add_user("shroud").id}
    transport = CALLBACK if method == "webhook" else {"method": "conduit", "conduit_id": add_conduit(client)}

    created = subscribe(client, "user.update", condition, **transport)
    listed = client.get("/eventsub/subscriptions")

    theirs = recorded(f"helix/docs/post_eventsub_subscriptions_{recording}.json")
    assert (created.status_code, created.json()["data"][0]["status"]) == (202, theirs["data"][0]["status"])
    assert list(differences(theirs, created.json())) == []
    if method == "webhook":
        theirs = recorded("helix/docs/get_eventsub_subscriptions_200_0.json")
        # The second one is a user.update too.
        theirs["data"].reverse()
        assert list(differences(theirs, listed.json())) == []


@pytest.mark.parametrize("type_", ["stream.online_v1", "stream.offline_v1", "channel.update_v2"])
def test_a_webhook_message_has_the_documented_body(lively: LocalTwitch, type_: str) -> None:
    name, _, _ = type_.rpartition("_")
    lively.update_channel("twitchdev", labels=["MatureGame"], announce=False)
    event = lively.event(name, "twitchdev")

    headers, body = lively.webhook_message(name, event, secret="s3cre7s3cre7")

    assert list(differences(recorded(f"eventsub/docs/{type_}.json"), json.loads(body))) == []
    vector = recorded("eventsub/hmac_vectors.json")[0]["headers"]
    assert headers.keys() == vector.keys() - {"Content-Length"}


@pytest.mark.parametrize(
    ("kind", "recording"),
    [("revocation", "eventsub_mod_5"), ("webhook_callback_verification", "eventsub_mod_4")],
)
def test_revocations_and_challenges_have_the_documented_body(lively: LocalTwitch, kind: str, recording: str) -> None:
    event = lively.event("stream.offline", "twitchdev")
    challenge = "pogchamp" if kind == "webhook_callback_verification" else None

    _, body = lively.webhook_message(
        "stream.offline",
        {"broadcaster_user_id": event["broadcaster_user_id"]},
        secret="s3cre7s3cre7",
        kind=kind,
        challenge=challenge,
    )

    theirs = recorded(f"eventsub/twitch-rs/{recording}.json")
    assert list(differences(theirs, json.loads(body))) == []


def test_signatures_are_those_of_the_vectors() -> None:
    vectors = recorded("eventsub/hmac_vectors.json")

    ours = [
        sign(
            vector["secret"],
            vector["headers"]["Twitch-Eventsub-Message-Id"],
            vector["headers"]["Twitch-Eventsub-Message-Timestamp"],
            vector["body"].encode(),
        )
        for vector in vectors
    ]

    assert len(ours) == 3
    assert ours == [vector["headers"]["Twitch-Eventsub-Message-Signature"] for vector in vectors]


def test_events_have_the_documented_shape(twitch: LocalTwitch, client: httpx.Client) -> None:
    user = twitch.add_user("shroud")
    with listen(twitch.eventsub_url) as listener:
        conduit_id = add_conduit(client, listener.id)
        subscribe(client, "user.update", {"user_id": user.id}, method="conduit", conduit_id=conduit_id)
        other = twitch.add_conduit()
        twitch.add_subscription("conduit.shard.disabled", {"client_id": twitch.client_id}, conduit_id=other.id)
        twitch.rename("shroud", "shroud2")
        twitch.drop_sockets()
        wait_for(lambda: len(twitch.sent) == 2)

    updated, disabled = (sent.message.event for sent in twitch.sent)
    assert list(differences(recorded("eventsub/twitch-rs/eventsub_user_update_0.json")["event"], updated)) == []
    assert list(differences(recorded("eventsub/docs/conduit.shard.disabled_v1.json")["event"], disabled)) == []


def test_a_websockets_messages_have_the_recorded_shape(twitch: LocalTwitch) -> None:
    user = twitch.add_user("shroud")
    with helix(twitch, twitch.user_token(user.id)) as own, listen(twitch.eventsub_url) as listener:
        subscribe(own, "stream.online", {"broadcaster_user_id": user.id}, method="websocket", session_id=listener.id)
        twitch.go_live("shroud")
        notification = listener.next("notification")
        twitch.ask_to_reconnect()
        reconnect = listener.next("session_reconnect")
        twitch.revoke_subscription(twitch.subscriptions[0].id)
        revocation = listener.next("revocation")
    twitch.keepalive_seconds = 0.01
    with listen(twitch.eventsub_url) as quiet:
        keepalive = quiet.next("session_keepalive")

    theirs = [recorded(f"eventsub/twitch-rs/eventsub_event_websocket_{number}.json") for number in range(5)]
    # The event is of another type.
    theirs[2]["payload"]["event"] = notification["payload"]["event"]
    ours = [listener.welcome, keepalive, notification, reconnect, revocation]
    assert [list(differences(there, here)) for there, here in zip(theirs, ours, strict=True)] == [[]] * 5
    assert [m["metadata"]["message_type"] for m in theirs] == [m["metadata"]["message_type"] for m in ours]
    for there, here in zip(theirs[:1] + theirs[3:4], ours[:1] + ours[3:4], strict=True):
        assert there["payload"]["session"]["status"] == here["payload"]["session"]["status"]
        nulls = [{key for key, value in m["payload"]["session"].items() if value is None} for m in (there, here)]
        assert nulls[0] == nulls[1]
