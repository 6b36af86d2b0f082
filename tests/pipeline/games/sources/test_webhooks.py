"""IGDB's webhooks are registered, authenticated, and taken as hints of what to fetch."""

import asyncio
from collections.abc import Mapping
from datetime import timedelta

import httpx
import msgspec
import pytest
from pydantic import SecretStr
from starlette.applications import Starlette

from pipeline.fetch.http import Client
from pipeline.games.mirror.state import MIRROR
from pipeline.games.receiver import LONGEST_BODY, igdb_routes
from pipeline.games.sources.webhooks import (
    NAME,
    Hint,
    IgdbWebhooks,
    addresses,
    is_registered,
    keep_registered,
    look_if_moved,
    read_hint,
    secret_for_igdb,
)
from pipeline.ingest.source import Validators
from tests.igdb.games import game, games
from tests.igdb.setting import IgdbSetting
from tests.pipeline.games.syncing import Syncing

CALLBACK = "https://here.example/lootwire/eventsub"
SECRET = SecretStr("a-secret-of-twitch")


@pytest.fixture
def registered(setting: IgdbSetting, client: Client) -> None:
    IgdbWebhooks(setting.open, CALLBACK, SECRET).fetch(client, Validators())


class Door:
    """The routes that take IGDB's webhooks."""

    def __init__(self, syncing: Syncing) -> None:
        routes = igdb_routes(syncing.engine, SECRET, syncing.setting.clock)
        self._transport = httpx.ASGITransport(Starlette(routes=routes))

    def post(self, path: str, body: bytes, headers: Mapping[str, str]) -> int:
        """Post a webhook; returns the status of the answer."""

        async def post() -> int:
            async with httpx.AsyncClient(transport=self._transport, base_url="https://here.example") as client:
                return (await client.post(path, content=body, headers=headers)).status_code

        return asyncio.run(post())


@pytest.fixture
def door(syncing: Syncing) -> Door:
    return Door(syncing)


def call(syncing: Syncing, door: Door, method: str, igdb_id: int, endpoint: str = "games") -> int:
    """Post a webhook as IGDB does; returns the status of the answer."""
    row = {"id": igdb_id * 10, "game": igdb_id} if endpoint == "release_dates" else game(igdb_id)
    headers, body = syncing.setting.igdb.webhook_message(method, row, endpoint)
    return door.post(f"/igdb/{endpoint}/{method}", body, headers)


def test_each_kind_has_an_address_and_is_registered_once(
    setting: IgdbSetting, client: Client, registered: None
) -> None:
    assert {hook.url for hook in setting.igdb.webhooks} == addresses(CALLBACK).keys()
    assert "https://here.example/lootwire/igdb/games/update" in addresses(CALLBACK)
    assert {hook.secret for hook in setting.igdb.webhooks} == {secret_for_igdb(SECRET).get_secret_value()}
    assert SECRET.get_secret_value() not in {hook.secret for hook in setting.igdb.webhooks}

    setting.igdb.forget_requests()
    IgdbWebhooks(setting.open, CALLBACK, SECRET).fetch(client, Validators())
    assert [request.method for request in setting.igdb.requests] == ["GET"]


def test_a_webhook_that_igdb_gave_up_is_made_active_again(
    setting: IgdbSetting, client: Client, registered: None
) -> None:
    setting.igdb.webhooks[0].active = False
    IgdbWebhooks(setting.open, CALLBACK, SECRET).fetch(client, Validators())

    assert all(hook.active for hook in setting.igdb.webhooks)
    assert len(setting.igdb.webhooks) == 6


def test_webhooks_are_listed_and_deleted(setting: IgdbSetting, client: Client, registered: None) -> None:
    igdb = setting.open(client)
    for hook in igdb.webhooks():
        igdb.delete_webhook(hook.id)

    assert igdb.webhooks() == []


def look(syncing: Syncing, callback_url: str | None) -> None:
    secret = None if callback_url is None else SECRET
    syncing.fetch(IgdbWebhooks(syncing.setting.open, callback_url, secret))


def urls(syncing: Syncing) -> set[str]:
    return {hook.url for hook in syncing.setting.igdb.webhooks}


def remembers(syncing: Syncing) -> bool:
    with syncing.engine.connect() as connection:
        return is_registered(connection)


def test_an_address_that_is_taken_away_is_unregistered_and_nobody_elses_is(syncing: Syncing) -> None:
    with Client() as client:
        keep_registered(syncing.setting.open(client), "https://other.example/eventsub", SECRET)
    theirs = urls(syncing)
    assert not remembers(syncing)
    look(syncing, CALLBACK)
    assert urls(syncing) == theirs | addresses(CALLBACK).keys()
    assert remembers(syncing)

    look(syncing, None)
    assert urls(syncing) == theirs
    assert not remembers(syncing)

    syncing.setting.igdb.forget_requests()
    look(syncing, None)
    assert syncing.setting.igdb.requests == []


def test_another_address_takes_the_place_of_the_one_before(syncing: Syncing) -> None:
    look(syncing, CALLBACK)
    look(syncing, "https://moved.example/eventsub")
    assert urls(syncing) == addresses("https://moved.example/eventsub").keys()


def test_an_address_that_differs_where_twitch_calls_alone_keeps_the_webhooks(syncing: Syncing) -> None:
    look(syncing, CALLBACK)
    before = {hook.id for hook in syncing.setting.igdb.webhooks}
    look(syncing, CALLBACK + "-2")
    assert {hook.id for hook in syncing.setting.igdb.webhooks} == before


def test_unregistering_that_breaks_off_is_done_to_its_end_by_the_next_look(syncing: Syncing) -> None:
    look(syncing, CALLBACK)
    third = syncing.setting.igdb.webhooks[2].id
    syncing.setting.igdb.fail(f"/webhooks/{third}", status=400)
    look(syncing, None)
    assert syncing.source(NAME)["last_error"] is not None
    assert len(urls(syncing)) == 4
    assert remembers(syncing)

    look(syncing, None)
    assert urls(syncing) == set()
    assert not remembers(syncing)


def test_a_look_is_due_at_once_when_the_address_has_changed_and_only_then(syncing: Syncing) -> None:
    look(syncing, CALLBACK)
    due_at = syncing.source(NAME)["next_due_at"]
    for callback_url, is_due in ((CALLBACK, False), (None, True)):
        now = syncing.setting.clock()
        with syncing.engine.begin() as connection:
            look_if_moved(connection, callback_url, now)
        assert syncing.source(NAME)["next_due_at"] == (now if is_due else due_at)


@pytest.mark.parametrize(
    ("method", "endpoint"), [("update", "games"), ("create", "games"), ("update", "release_dates")]
)
def test_a_wanted_game_that_changed_is_due_at_once(
    syncing: Syncing, door: Door, registered: None, method: str, endpoint: str
) -> None:
    syncing.setting.igdb.put(*games(1, 3))
    syncing.want(3)
    syncing.fetch(syncing.wanted)
    assert syncing.due_at(3) > syncing.setting.clock()

    assert call(syncing, door, method, 3, endpoint) == 200
    assert syncing.due_at(3) <= syncing.setting.clock()


def test_a_release_date_that_was_deleted_makes_its_game_due(syncing: Syncing, door: Door, registered: None) -> None:
    syncing.setting.igdb.put(game(6))
    syncing.want(6)
    syncing.fetch(syncing.wanted)

    assert call(syncing, door, "delete", 6, "release_dates") == 200
    assert syncing.due_at(6) <= syncing.setting.clock()


def test_a_game_that_nobody_wants_has_the_mirror_swept_within_a_minute(
    syncing: Syncing, door: Door, registered: None
) -> None:
    syncing.setting.igdb.put(*games(1, 3))
    assert call(syncing, door, "update", 2) == 200
    syncing.mirror()

    assert call(syncing, door, "update", 2) == 200
    assert syncing.source(MIRROR)["next_due_at"] <= syncing.setting.clock() + timedelta(minutes=1)


def test_a_deleted_game_is_gone(syncing: Syncing, door: Door, registered: None) -> None:
    syncing.setting.igdb.put(*games(1, 3))
    syncing.mirror()

    assert call(syncing, door, "delete", 2) == 200
    assert list(syncing.games()) == [1, 3]


@pytest.mark.parametrize("secret", [None, "", "wrong"])
def test_who_does_not_show_the_secret_is_refused(syncing: Syncing, door: Door, secret: str | None) -> None:
    syncing.setting.igdb.put(*games(1, 3))
    syncing.mirror()
    headers = {} if secret is None else {"X-Secret": secret}

    assert door.post("/igdb/games/delete", b'{"id": 2}', headers) == 403
    assert list(syncing.games()) == [1, 2, 3]


@pytest.mark.parametrize(
    "bad", [b'"\\ud83d"', b'"\\udc00"', b'"\0"', b"[" * 5000 + b"]" * 5000], ids=lambda bad: repr(bad[:9])
)
def test_one_bad_value_does_not_cost_a_hint(bad: bytes) -> None:
    assert read_hint("games", "update", b'{"summary": %s, "id": 7}' % bad) == Hint("games", "update", 7)


def test_an_unreadable_webhook_is_answered_so_that_igdb_keeps_it_active(door: Door) -> None:
    headers = {"X-Secret": secret_for_igdb(SECRET).get_secret_value()}
    for body in (b"", b"[]", b'{"id": "x"}', msgspec.json.encode({"id": -1})):
        assert door.post("/igdb/games/update", body, headers) == 200
    assert door.post("/igdb/covers/update", b"{}", headers) == 404
    big = b" " * (LONGEST_BODY + 1)
    assert door.post("/igdb/games/update", big, headers) == 413
