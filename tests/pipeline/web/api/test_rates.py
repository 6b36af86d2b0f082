"""Limits by key and by address, in the Redis that all programs share."""

from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine, insert, update

from models import Person, Plan
from pipeline.people.keys import make_key
from pipeline.web.api.problems import RequestProblem
from pipeline.web.api.rates import Policy, Rates, network_of
from tests.pipeline.web.api.conftest import ClientFor, KeyFor, Serve
from tests.processes import free_port

POLICY = Policy(per_minute=600, at_once=60)
# Slow enough that nothing flows back while a test runs.
SLOW: dict[str, Any] = {"api_requests_per_minute": 1, "api_burst": 3}


@pytest.fixture
def client(serve: Serve, client_for: ClientFor, key_for: KeyFor) -> httpx.Client:
    return client_for(key_for(), serve(**SLOW))


def test_each_answer_says_what_is_left(client: httpx.Client) -> None:
    answers = [client.get("/targets") for _ in range(4)]

    assert [each.status_code for each in answers] == [200, 200, 200, 429]
    assert [each.headers["ratelimit"].partition(";t=")[0] for each in answers] == [
        f'"burst";r={left}' for left in (2, 1, 0, 0)
    ]
    assert {each.headers["ratelimit-policy"] for each in answers} == {'"burst";q=3;w=180, "minute";q=1;w=60'}
    assert answers[3].headers["content-type"] == "application/problem+json"
    assert 1 <= int(answers[3].headers["retry-after"]) <= 60


def test_another_key_has_its_own_bucket(client: httpx.Client, client_for: ClientFor, key_for: KeyFor) -> None:
    for _ in range(3):
        client.get("/targets")

    assert client.get("/targets").status_code == 429
    assert client_for(key_for(), str(client.base_url)).get("/targets").status_code == 200


def test_a_plan_sets_another_pace(client: httpx.Client, engine: Engine) -> None:
    with engine.begin() as connection:
        row = {"name": "large", "gauges": {"requests_per_minute": 6000}, "created_at": datetime.now(UTC)}
        plan_id = connection.execute(insert(Plan).values(row).returning(Plan.id)).scalar_one()
        connection.execute(update(Person).values(plan_id=plan_id))

    answers = [client.get("/targets") for _ in range(3)]

    # The first looks the plan up.
    assert answers[2].headers["ratelimit-policy"] == '"burst";q=3;w=1, "minute";q=6000;w=60'


def test_who_only_knows_the_id_of_a_key_uses_up_nothing_of_it(client: httpx.Client, client_for: ClientFor) -> None:
    public_id = str(client.headers["authorization"]).split("_")[1]
    forged = make_key().key.split("_")
    thief = client_for(f"lw_{public_id}_{forged[2]}", str(client.base_url))
    for _ in range(5):
        assert thief.get("/targets").status_code == 401

    assert client.get("/targets").headers["ratelimit"].startswith('"burst";r=2')


def test_wrong_keys_are_counted_by_the_address_that_they_come_from(client: httpx.Client, client_for: ClientFor) -> None:
    assert client.get("/targets").status_code == 200
    forgers = [client_for(make_key().key, str(client.base_url)) for _ in range(25)]

    statuses = [forger.get("/targets").status_code for forger in forgers]

    assert statuses[:20] == [401] * 20
    assert statuses[-1] == 429
    # A key that is known to be valid is heard all the same.
    assert client.get("/targets").status_code == 200


def test_without_redis_nobody_is_limited_which_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    now = [0.0]
    rates = Rates(f"redis://127.0.0.1:{free_port()}", POLICY, clock=lambda: now[0])

    for _ in range(3):
        assert rates.draw("key") == {}
        now[0] += 10

    assert [record.getMessage().partition(":")[0] for record in caplog.records] == [
        "requests of the API are not limited"
    ]


def test_a_plan_of_few_requests_allows_no_more_at_once() -> None:
    assert POLICY.of_plan(None) == POLICY
    assert POLICY.of_plan(5) == Policy(per_minute=5, at_once=5)
    assert POLICY.of_plan(0) == Policy(per_minute=1, at_once=1)


@pytest.mark.parametrize(
    ("client_address", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("no address", "no address"),
    ],
)
def test_an_address_of_ipv6_counts_with_its_network(client_address: str, network: str) -> None:
    assert network_of(client_address) == network


def test_a_refused_address_is_heard_again_after_its_time(servers: Any) -> None:
    now = [0.0]
    rates = Rates(servers.redis_url, POLICY, clock=lambda: now[0])
    address = f"192.0.2.{free_port()}"
    for _ in range(POLICY.of_wrong_keys.at_once):
        rates.note_wrong("x", address)

    with pytest.raises(RequestProblem):
        rates.note_wrong("x", address)
    with pytest.raises(RequestProblem):
        rates.check_address("y", address)
    now[0] += 60
    rates.check_address("y", address)
