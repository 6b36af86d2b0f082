"""Sign-in, Helix's pages and limits, and scripted faults of the local Twitch."""

import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from tests.plain_http import NO_CERTIFICATES
from tests.twitch import LocalTwitch
from tests.twitch.asking import helix
from tests.waiting import wait_for


def sign_in(twitch: LocalTwitch, **changes: str) -> httpx.Response:
    form = {"client_id": twitch.client_id, "client_secret": twitch.client_secret, "grant_type": "client_credentials"}
    return httpx.post(f"{twitch.auth_url}/token", data=form | changes, trust_env=False, verify=NO_CERTIFICATES)


def validate(twitch: LocalTwitch, token: str) -> int:
    headers = {"Authorization": f"OAuth {token}"}
    return httpx.get(
        f"{twitch.auth_url}/validate", headers=headers, trust_env=False, verify=NO_CERTIFICATES
    ).status_code


def everything(client: httpx.Client, path: str, **query: Any) -> list[list[str]]:
    """The ids of all pages."""
    pages, after = [], None
    while True:
        answer = client.get(path, params=query | ({"after": after} if after else {})).json()
        pages.append([row["id"] for row in answer["data"]])
        after = answer["pagination"].get("cursor")
        if after is None:
            return pages


def test_the_oldest_of_twenty_six_app_tokens_dies(twitch: LocalTwitch) -> None:
    first, second = (sign_in(twitch).json()["access_token"] for _ in range(2))
    tokens = [first, second, *(twitch.app_token() for _ in range(24))]

    assert [validate(twitch, token) for token in tokens[:3]] == [401, 200, 200]


def test_a_token_ends_with_its_lifetime_and_with_a_revocation(twitch: LocalTwitch) -> None:
    first, second = (sign_in(twitch).json()["access_token"] for _ in range(2))
    later = datetime.now(UTC) + timedelta(seconds=twitch.token_lifetime + 1)
    twitch.now = lambda: later
    assert validate(twitch, first) == 401
    third = sign_in(twitch).json()["access_token"]
    assert validate(twitch, third) == 200

    twitch.revoke_app_tokens()

    assert validate(twitch, third) == validate(twitch, second) == 401


def test_a_refreshed_token_replaces_the_old_one(twitch: LocalTwitch) -> None:
    user = twitch.add_user("viewer")
    old = twitch.user_token(user.id)
    refresh = next(token.refresh for token in twitch._core.tokens._live.values())

    new = sign_in(twitch, grant_type="refresh_token", refresh_token=refresh).json()

    assert (validate(twitch, old), validate(twitch, new["access_token"])) == (401, 200)
    assert sign_in(twitch, grant_type="refresh_token", refresh_token=refresh).status_code == 400


def test_every_authorised_answer_tells_the_budget_and_a_spent_one_refuses(twitch: LocalTwitch) -> None:
    twitch.add_user("shroud")
    twitch.budget, twitch.budget_seconds = 3, 0.6
    with helix(twitch) as client:
        answers = [client.get("/users", params={"login": "shroud"}) for _ in range(4)]
        # Errors cost as much.
        wait_for(lambda: client.get("/channels").status_code == 400)

    assert [a.status_code for a in answers] == [200, 200, 200, 429]
    assert [a.headers["Ratelimit-Remaining"] for a in answers] == ["2", "1", "0", "0"]
    assert {a.headers["Ratelimit-Limit"] for a in answers} == {"3"}
    assert int(answers[-1].headers["Ratelimit-Reset"]) > datetime.now(UTC).timestamp() - 2


def test_an_unauthorised_answer_tells_no_budget(twitch: LocalTwitch) -> None:
    with helix(twitch, "dead") as client:
        answer = client.get("/users", params={"login": "shroud"})

    assert answer.status_code == 401
    assert not [name for name in answer.headers if name.startswith("ratelimit")]


def test_streams_come_in_pages_those_with_the_most_viewers_first(twitch: LocalTwitch, client: httpx.Client) -> None:
    users = twitch.add_users(250)
    live = [twitch.go_live(user.login, viewers=number).id for number, user in enumerate(users)]

    pages = everything(client, "/streams", first=100)

    assert [len(page) for page in pages] == [100, 100, 50]
    assert [row for page in pages for row in page] == live[::-1]


def test_a_page_may_repeat_rows_of_the_one_before_or_miss_some(twitch: LocalTwitch, client: httpx.Client) -> None:
    for user in twitch.add_users(12):
        twitch.go_live(user.login)
    twitch.repeated_rows = 2
    first, second = everything(client, "/streams", first=10)
    assert first[-2:] == second[:2]

    twitch.repeated_rows = -1

    assert [len(page) for page in everything(client, "/streams", first=10)] == [10, 1]


def test_the_list_of_streams_is_late_by_the_lag(twitch: LocalTwitch, client: httpx.Client) -> None:
    now = datetime(2026, 11, 20, 12, tzinfo=UTC)
    twitch.now = lambda: now
    twitch.list_lag = 60
    twitch.add_user("shroud")
    twitch.go_live("shroud")
    assert everything(client, "/streams") == [[]]

    now += timedelta(seconds=61)
    assert everything(client, "/streams") != [[]]
    twitch.go_offline("shroud")
    assert everything(client, "/streams") != [[]]

    now += timedelta(seconds=61)
    assert everything(client, "/streams") == [[]]


def test_repeated_keys_are_a_list_and_commas_are_not(twitch: LocalTwitch, client: httpx.Client) -> None:
    ids = [user.id for user in twitch.add_users(101)]

    assert len(client.get("/users", params={"id": ids[:60], "login": ["channel00100"]}).json()["data"]) == 61
    assert client.get("/users", params={"id": ",".join(ids[:2])}).json()["data"] == []
    for path, name in (("/users", "id"), ("/streams", "user_id"), ("/channels", "broadcaster_id"), ("/games", "id")):
        assert client.get(path, params={name: ids}).status_code == 400
    assert client.get("/streams", params={"first": 101}).status_code == 400


def test_a_rename_keeps_the_id_and_a_ban_removes_the_user(twitch: LocalTwitch, client: httpx.Client) -> None:
    user = twitch.add_user("old")
    twitch.rename("old", "new")
    assert [row["login"] for row in client.get("/users", params={"id": user.id}).json()["data"]] == ["new"]
    assert client.get("/users", params={"login": "old"}).json()["data"] == []

    twitch.ban("new")

    assert client.get("/users", params={"id": user.id}).json()["data"] == []


def test_follows_are_told_to_their_own_user_alone(twitch: LocalTwitch, client: httpx.Client) -> None:
    user, other = twitch.add_user("viewer"), twitch.add_user("shroud")
    twitch.set_follows(user.id, ["shroud"])
    query = {"user_id": user.id}

    with helix(twitch, twitch.user_token(user.id)) as own, helix(twitch, twitch.user_token(other.id)) as others:
        answers = [c.get("/channels/followed", params=query) for c in (own, others, client)]

    assert [answer.status_code for answer in answers] == [200, 401, 401]
    assert [row["broadcaster_login"] for row in answers[0].json()["data"]] == ["shroud"]


def test_videos_are_found_by_user_and_kind(twitch: LocalTwitch, client: httpx.Client) -> None:
    user, other = twitch.add_user("shroud"), twitch.add_user("other")
    video = twitch.add_video("shroud", stream_id="1", seconds=3723)
    twitch.add_video("shroud", type="highlight")

    answer = client.get("/videos", params={"user_id": user.id, "type": "archive"}).json()

    assert [(row["id"], row["duration"], row["stream_id"]) for row in answer["data"]] == [(video.id, "1h2m3s", "1")]
    assert client.get("/videos", params={"user_id": other.id}).status_code == 404


def test_a_category_that_igdb_does_not_know_has_an_empty_id(twitch: LocalTwitch, client: httpx.Client) -> None:
    twitch.add_category("33214", "Fortnite", igdb_id="1905")
    twitch.add_category("509658", "Just Chatting")

    rows = client.get("/games", params={"igdb_id": "1905", "name": "Just Chatting"}).json()["data"]

    assert [(row["name"], row["igdb_id"]) for row in rows] == [("Fortnite", "1905"), ("Just Chatting", "")]
    assert client.get("/search/categories", params={"query": "nothing like it"}).json()["data"] is None


def test_faults_are_used_up_in_order_and_every_request_is_remembered(twitch: LocalTwitch, client: httpx.Client) -> None:
    twitch.fail("/helix/streams", 503)
    twitch.fail("/streams", 500, "<html>", headers={"Retry-After": "3"})
    twitch.fail("/streams", None, delay=0.05)

    answers = [client.get("/streams", params={"user_id": ["1", "2"]}) for _ in range(3)]

    assert [(a.status_code, a.headers["Content-Type"][:9]) for a in answers[:2]] == [
        (503, "applicati"),
        (500, "text/html"),
    ]
    assert answers[1].headers["Retry-After"] == "3"
    assert answers[2].elapsed > timedelta(seconds=0.05)
    assert [(request.path, request.values("user_id"), request.status) for request in twitch.requests] == [
        ("/helix/streams", ["1", "2"], status) for status in (503, 500, 200)
    ]


@pytest.mark.parametrize(
    ("how", "error"),
    [
        ({"cut_off": True}, httpx.RemoteProtocolError),
        ({"reset": True}, (httpx.ReadError, httpx.RemoteProtocolError)),
        ({"hang": True}, httpx.ReadTimeout),
    ],
    ids=["cut off", "reset", "hang"],
)
def test_an_answer_may_be_cut_off_torn_down_or_never_come(
    twitch: LocalTwitch, client: httpx.Client, how: dict[str, bool], error: type[Exception]
) -> None:
    twitch.fail("/streams", None, **how)  # type: ignore[arg-type]
    with pytest.raises(error):
        client.get("/streams", timeout=0.2)

    assert client.get("/streams").status_code == 200


def test_an_unreachable_twitch_answers_nobody(twitch: LocalTwitch, client: httpx.Client) -> None:
    twitch.unreachable = True
    with pytest.raises(httpx.TransportError):
        client.get("/streams")
    twitch.unreachable = False

    assert client.get("/streams").status_code == 200


def test_it_stops_while_requests_hang_and_leaves_no_thread() -> None:
    before = threading.active_count()
    with LocalTwitch() as twitch:
        twitch.fail("/streams", None, hang=True)
        errors: list[Exception] = []

        def ask() -> None:
            with helix(twitch, "any") as client:
                try:
                    client.get("/streams")
                except httpx.TransportError as error:
                    errors.append(error)

        thread = threading.Thread(target=ask)
        thread.start()
        wait_for(lambda: twitch.requests)
    thread.join()

    assert len(errors) == 1
    assert threading.active_count() == before
