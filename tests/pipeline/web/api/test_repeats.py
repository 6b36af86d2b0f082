"""`Idempotency-Key`: what is sent twice is done once."""

import threading
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine, func, select, update

from models import AuditEntry, IdempotentAnswer
from pipeline.errors import SourceUnavailable
from pipeline.people.store.repeats import prune_answers
from pipeline.runtime.runtime import utc_now
from tests.pipeline.web.api.conftest import ClientFor, KeyFor, Serve
from tests.pipeline.web.api.things import Things, things

__all__ = ["things"]
ONCE = {"Idempotency-Key": "8e03978e-40d5"}


@pytest.fixture
def client(things: Things, serve: Serve, client_for: ClientFor, key_for: KeyFor) -> httpx.Client:
    return client_for(key_for(), serve(things.routes))


def kept_bodies(engine: Engine) -> list[bytes]:
    with engine.connect() as connection:
        return [body for body in connection.scalars(select(IdempotentAnswer.body)) if body is not None]


@pytest.mark.parametrize("path", ["/things/chair/grow", "/things/chair/work"])
def test_the_same_request_again_is_answered_the_same(client: httpx.Client, things: Things, path: str) -> None:
    body: dict[str, Any] = {"json": {"size": 5}} if path.endswith("work") else {}

    first, second = (client.post(path, headers=ONCE, **body) for _ in range(2))

    assert (first.status_code, first.content) == (second.status_code, second.content)
    assert "idempotent-replayed" not in first.headers
    assert second.headers["idempotent-replayed"] == "true"
    assert things.sizes() == {"chair": 2}


def test_without_a_key_the_same_request_is_done_again(client: httpx.Client, things: Things) -> None:
    client.post("/things/chair/grow")
    client.post("/things/chair/grow")

    assert things.sizes() == {"chair": 3}


def test_another_request_with_the_same_key_is_a_mistake(client: httpx.Client, things: Things) -> None:
    things.put("table", 1)
    client.post("/things/chair/grow", headers=ONCE)

    assert client.post("/things/table/grow", headers=ONCE).status_code == 409
    assert client.post("/things/table/grow", headers={"Idempotency-Key": '"quoted"'}).status_code == 200
    assert client.post("/things/table/grow", headers={"Idempotency-Key": "quoted"}).status_code == 200
    assert things.sizes() == {"chair": 2, "table": 2}


def test_keys_of_two_callers_are_two(
    client: httpx.Client, client_for: ClientFor, key_for: KeyFor, things: Things
) -> None:
    other = client_for(key_for(), str(client.base_url))

    client.post("/things/chair/grow", headers=ONCE)
    other.post("/things/chair/grow", headers=ONCE)

    assert things.sizes() == {"chair": 3}


@pytest.mark.parametrize("path", ["/things/chair/grow", "/things/chair/work"])
def test_a_request_that_is_under_way_is_not_begun_again(client: httpx.Client, things: Things, path: str) -> None:
    body: dict[str, Any] = {"json": {"size": 5}} if path.endswith("work") else {}
    answers: list[httpx.Response] = []
    things.may_go_on.clear()
    thread = threading.Thread(target=lambda: answers.append(client.post(path, headers=ONCE, **body)))
    thread.start()
    assert things.at_work.wait(20)

    again = client.post(path, headers=ONCE, **body)
    things.may_go_on.set()
    thread.join()

    assert (again.status_code, again.headers["retry-after"]) == (409, "1")
    assert answers[0].is_success
    assert client.post(path, headers=ONCE, **body).headers["idempotent-replayed"] == "true"
    assert things.sizes() == {"chair": 2}


def test_work_that_was_cut_short_is_said_to_be_unknown(client: httpx.Client, engine: Engine, things: Things) -> None:
    client.post("/things/chair/work", headers=ONCE, json={"size": 5})
    with engine.begin() as connection:
        # What a kill in the middle leaves.
        connection.execute(update(IdempotentAnswer).values(status=None, body=None))

    again = client.post("/things/chair/work", headers=ONCE, json={"size": 5})

    assert again.status_code == 409
    assert "cut short" in again.json()["detail"]
    assert things.sizes() == {"chair": 2}


@pytest.mark.parametrize("path", ["/things/chair/grow", "/things/chair/work"])
def test_a_request_that_failed_may_be_made_again(client: httpx.Client, things: Things, path: str) -> None:
    body: dict[str, Any] = {"json": {"size": 5}} if path.endswith("work") else {}
    things.fails = SourceUnavailable("the service is away")
    assert client.post(path, headers=ONCE, **body).status_code == 502

    things.fails = None
    assert client.post(path, headers=ONCE, **body).is_success


def test_answers_are_kept_encrypted_for_a_day(client: httpx.Client, engine: Engine, things: Things) -> None:
    client.post("/things/chair/grow", headers=ONCE)

    assert all(b"chair" not in body for body in kept_bodies(engine))
    with engine.begin() as connection:
        assert prune_answers(connection, utc_now()) == 0
        connection.execute(update(IdempotentAnswer).values(created_at=utc_now() - timedelta(days=1, minutes=1)))
    assert client.post("/things/chair/grow", headers=ONCE).json()["size"] == 3
    with engine.begin() as connection:
        assert prune_answers(connection, utc_now() + timedelta(days=2)) == 1


def test_a_name_that_is_no_name_is_refused(client: httpx.Client) -> None:
    for name in ("", "x" * 256, "two words", '"open'):
        answer = client.post("/things/chair/grow", headers={"Idempotency-Key": name})
        assert answer.json()["errors"][0]["pointer"] == "/headers/Idempotency-Key", name


def test_each_change_is_written_down_once(client: httpx.Client, engine: Engine, things: Things) -> None:
    for _ in range(2):
        client.post("/things/chair/grow", headers=ONCE)
        client.post("/things/chair/work", headers={"Idempotency-Key": "other"}, json={"size": 5})

    with engine.connect() as connection:
        counts = connection.execute(select(AuditEntry.operation, func.count()).group_by(AuditEntry.operation))
        assert dict(counts.all()) == {"things.grow": 1, "things.work": 1}
