"""ETags: what has not changed is not sent again, and a change names what it changes."""

import threading

import httpx
import pytest

from tests.pipeline.web.api.conftest import ClientFor, KeyFor, Serve
from tests.pipeline.web.api.things import Things, things

__all__ = ["things"]


@pytest.fixture
def client(things: Things, serve: Serve, client_for: ClientFor, key_for: KeyFor) -> httpx.Client:
    return client_for(key_for(), serve(things.routes))


def test_what_has_not_changed_is_not_sent_again(client: httpx.Client, things: Things) -> None:
    first = client.get("/things/chair")
    etag = first.headers["etag"]
    assert etag.startswith('W/"')

    for known in (etag, etag.removeprefix("W/"), f'"x", {etag}', "*"):
        again = client.get("/things/chair", headers={"If-None-Match": known})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", etag), known

    things.put("chair", 2)
    assert client.get("/things/chair", headers={"If-None-Match": etag}).json()["size"] == 2


def test_a_version_of_rows_spares_the_loading(client: httpx.Client, things: Things) -> None:
    etag = client.get("/versioned/chair").headers["etag"]
    loaded = things.shown

    assert client.get("/versioned/chair", headers={"If-None-Match": etag}).status_code == 304
    assert things.shown == loaded

    things.put("chair", 2)
    assert client.get("/versioned/chair", headers={"If-None-Match": etag}).status_code == 200


def test_a_head_has_the_headers_of_a_get(client: httpx.Client) -> None:
    get, head = client.get("/things/chair"), client.head("/things/chair")

    assert (head.status_code, head.content) == (200, b"")
    assert [head.headers[name] for name in ("etag", "content-length")] == [
        get.headers[name] for name in ("etag", "content-length")
    ]


@pytest.mark.parametrize("path", ["/things/chair", "/versioned/chair"])
def test_a_change_names_the_version_that_it_changes(client: httpx.Client, things: Things, path: str) -> None:
    etag = client.get(path).headers["etag"]

    assert client.patch(path, json={"size": 2}).status_code == 428
    changed = client.patch(path, json={"size": 2}, headers={"If-Match": etag})
    assert changed.status_code == 200
    assert changed.headers["etag"] == client.get(path).headers["etag"] != etag
    assert client.patch(path, json={"size": 3}, headers={"If-Match": etag}).status_code == 412
    assert things.sizes() == {"chair": 2}
    assert client.patch(path, json={"size": 4}, headers={"If-Match": "*"}).json()["size"] == 4


def test_what_is_removed_is_named_by_its_version_too(client: httpx.Client, things: Things) -> None:
    etag = client.get("/things/chair").headers["etag"]

    assert client.delete("/things/chair").status_code == 428
    assert client.delete("/things/chair", headers={"If-Match": '"other"'}).status_code == 412
    assert client.delete("/things/chair", headers={"If-Match": etag}).status_code == 204
    assert client.delete("/things/chair", headers={"If-Match": etag}).status_code == 404
    assert things.sizes() == {}


def test_of_two_who_read_the_same_version_one_changes_it(
    client: httpx.Client, client_for: ClientFor, things: Things
) -> None:
    etag = client.get("/things/chair").headers["etag"]
    statuses = []

    def change(size: int) -> None:
        answer = client.patch("/things/chair", json={"size": size}, headers={"If-Match": etag})
        statuses.append(answer.status_code)

    things.may_go_on.clear()
    threads = [threading.Thread(target=change, args=(size,)) for size in (2, 3)]
    for thread in threads:
        thread.start()
    assert things.at_work.wait(20)
    things.may_go_on.set()
    for thread in threads:
        thread.join()

    assert sorted(statuses) == [200, 412]


def test_a_change_that_comes_past_the_api_meanwhile_is_seen(client: httpx.Client, things: Things) -> None:
    etag = client.get("/things/chair").headers["etag"]
    answers: list[httpx.Response] = []

    def change() -> None:
        answers.append(client.patch("/things/chair", json={"size": 2}, headers={"If-Match": etag}))

    things.may_go_on.clear()
    thread = threading.Thread(target=change)
    thread.start()
    assert things.at_work.wait(20)
    # As a command does it, between the comparison and the change.
    things.put("chair", 7)
    things.may_go_on.set()
    thread.join()

    assert answers[0].status_code == 412
    assert things.sizes() == {"chair": 7}


def test_work_names_the_version_that_it_changes(client: httpx.Client, things: Things) -> None:
    etag = client.get("/worked/chair").headers["etag"]

    changed = client.put("/worked/chair", json={"size": 2}, headers={"If-Match": etag})

    assert changed.headers["etag"] == client.get("/worked/chair").headers["etag"]
    assert client.put("/worked/chair", json={"size": 3}, headers={"If-Match": etag}).status_code == 412
    assert things.sizes() == {"chair": 2}
