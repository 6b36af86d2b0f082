"""`/library/accounts` over HTTP."""

from collections.abc import Iterator
from datetime import timedelta

import httpx
import pytest
from sqlalchemy import Engine, select, update

from models import LibraryAccount, Source
from pipeline.operations.accounts import PAUSE
from pipeline.runtime.runtime import Runtime, utc_now
from tests.pipeline.web.api.conftest import ClientFor, KeyFor
from tests.shops import LocalShops
from tests.shops.steam import KEY

STEAM = {"service": "steam", "account": "lamp", "key": KEY}


@pytest.fixture
def owner(owner: httpx.Client) -> httpx.Client:
    """A client of the owner that changes whatever is there."""
    owner.headers["If-Match"] = "*"
    return owner


@pytest.fixture
def shops() -> Iterator[LocalShops]:
    with LocalShops() as shops:
        yield shops


@pytest.fixture
def runtime(runtime: Runtime, engine: Engine, shops: LocalShops) -> Runtime:
    """A runtime whose Steam is on this machine."""
    settings = runtime.settings.model_copy(update={"steam_url": shops.steam_url})
    asking = Runtime(settings=settings, database_url=runtime.database_url, redis_url=runtime.redis_url)
    asking.__dict__.update({"engine": engine, "reading_engine": runtime.reading_engine})
    return asking


def test_an_account_is_synced_until_it_is_signed_out_and_its_key_is_never_shown(
    owner: httpx.Client, shops: LocalShops
) -> None:
    shops.add_user().own(10, "Glowmoor")

    signed_in = owner.post("/library/accounts", json=STEAM)
    listed = owner.get("/library/accounts")

    assert (signed_in.status_code, signed_in.json()["games"], signed_in.json()["account"]) == (201, 1, "Lamplighter")
    [account] = listed.json()["items"]
    assert (account["service"], account["account"], account["problem"]) == ("steam", "Lamplighter", None)
    assert KEY not in signed_in.text + listed.text
    assert owner.delete(f"/library/accounts/{account['id']}").status_code == 204
    assert owner.get("/library/accounts").json()["items"] == []


def test_an_account_is_synced_soon_but_not_again_at_once(
    owner: httpx.Client, shops: LocalShops, engine: Engine
) -> None:
    shops.add_user()
    owner.post("/library/accounts", json=STEAM)
    [account] = owner.get("/library/accounts").json()["items"]
    path, now = f"/library/accounts/{account['id']}/sync", utc_now()
    times = {"asked_at": now, "next_due_at": now + timedelta(hours=1)}
    with engine.begin() as connection:
        connection.execute(update(LibraryAccount).values(times))
        connection.execute(update(Source).values(next_due_at=now + timedelta(hours=1)))

    soon = owner.post(path)

    assert (soon.status_code, soon.json()["next_due_at"]) == (202, (now + PAUSE).isoformat().replace("+00:00", "Z"))
    with engine.connect() as connection:
        assert connection.scalar(select(Source.next_due_at).where(Source.name == "steam.library")) == now + PAUSE


def test_a_key_that_can_be_none_and_an_unknown_shop_are_refused_without_repeating_the_key(owner: httpx.Client) -> None:
    for wrong in (STEAM | {"key": "not-a-key"}, STEAM | {"service": "corner"}, STEAM | {"key": 7}):
        answer = owner.post("/library/accounts", json=wrong)
        assert answer.status_code == 422
        assert str(wrong["key"]) not in answer.text


def test_a_shop_that_is_away_is_said_to_be(owner: httpx.Client, shops: LocalShops) -> None:
    shops.add_user()
    shops.fail(503, times=9)
    answer = owner.post("/library/accounts", json=STEAM)
    assert (answer.status_code, "nothing was stored" in answer.json()["detail"]) == (502, True)


def test_a_guest_has_no_library(client_for: ClientFor, key_for: KeyFor) -> None:
    assert client_for(key_for(1, "read", "events")).get("/library/accounts").status_code == 403
