"""`/status`, `/health`, `/sources`, `/quarantine` and `/admin/settings` over HTTP: how the installation is."""

import base64
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from sqlalchemy import Engine, insert, select

from models import Heartbeat, Source
from pipeline.ingest.quarantine import keep_aside
from pipeline.people.records import Role
from tests.pipeline.web.api.conftest import ClientFor, KeyFor


@pytest.fixture
def now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


@pytest.fixture
def member(add_person: Callable[[str, Role], int], key_for: KeyFor, client_for: ClientFor) -> httpx.Client:
    return client_for(key_for(add_person("ada", "member"), role="member"))


def add_source(engine: Engine, name: str, due_at: datetime, **columns: object) -> int:
    row = {"name": name, "service": "twitch", "next_due_at": due_at} | columns
    with engine.begin() as connection:
        return connection.execute(insert(Source).values(row).returning(Source.id)).scalar_one()


def test_the_standing_is_what_the_command_shows(owner: httpx.Client, engine: Engine, now: datetime) -> None:
    add_source(engine, "twitch.badges", now, failing_since=now, last_error="it is away")
    standing = owner.get("/status").json()
    assert (standing["sources_failing"], standing["targets"], standing["worker_seen_at"]) == (1, 0, None)
    assert "TWITCH_CLIENT_ID" in standing["eventsub"]
    assert standing["sources_waiting"][0]["source"] == "twitch.badges"
    assert "disk" not in standing
    assert "clock" not in standing


def test_the_standing_is_for_the_owner(member: httpx.Client) -> None:
    for path in ("/status", "/quarantine", "/quarantine/1", "/admin/settings", "/admin/eventsub"):
        assert member.get(path).status_code == 403, path
    assert member.post("/sources/twitch.badges/ask").status_code == 403


def test_anybody_may_ask_for_the_health_and_reads_what_is_not_well(client_for: ClientFor, engine: Engine) -> None:
    nobody = client_for(None)
    ill = nobody.get("/health").json()
    assert (ill["status"], ill["worker"], ill["database"]) == ("failing", "has not been seen", "ok")
    at = datetime.now(UTC)
    with engine.begin() as connection:
        names = ("worker", "sender", "publisher", "fetcher")
        connection.execute(insert(Heartbeat), [{"name": name, "at": at} for name in names])
    health = nobody.get("/health")
    assert (health.status_code, health.json()["status"], health.json()["broker"]) == (200, "ok", "ok")


def test_sources_are_shown_and_asked_now(
    owner: httpx.Client, member: httpx.Client, engine: Engine, now: datetime
) -> None:
    later = now + timedelta(hours=1)
    add_source(engine, "twitch.drops", later, last_success_at=now)
    add_source(engine, "chzzk.drops", later, failing_since=now, last_error="status 500")
    add_source(engine, "kick.drops", later, enabled=False)
    listed = owner.get("/sources").json()["items"]
    assert [(each["name"], each["state"]) for each in listed] == [
        ("chzzk.drops", "source.failing"),
        ("kick.drops", "off"),
        ("twitch.drops", "ok"),
    ]
    assert owner.get("/sources/chzzk.drops").json()["last_error"] == "status 500"
    assert member.get("/sources/chzzk.drops").json()["last_error"] is None

    assert owner.post("/sources/twitch.drops/ask").status_code == 202
    with engine.connect() as connection:
        due = connection.scalar(select(Source.next_due_at).where(Source.name == "twitch.drops"))
    assert due is not None
    assert due < later
    assert owner.post("/sources/kick.drops/ask").status_code == 409
    assert "there are: twitch.drops" in owner.get("/sources/twitch").json()["detail"]


def test_what_was_set_aside_is_listed_in_pages_and_shown_whole(
    owner: httpx.Client, engine: Engine, now: datetime
) -> None:
    source_id = add_source(engine, "twitch.drops", now)
    with engine.begin() as connection:
        for payload in (b'{"a": 1}', b"\xff\x00", b"third"):
            keep_aside(connection, source_id, payload, reason="invalid_item", detail="x", origin="test", now=now)
    first = owner.get("/quarantine", params={"limit": 2}).json()
    second = owner.get("/quarantine", params={"limit": 2, "cursor": first["next"]}).json()
    ids = [each["id"] for page in (first, second) for each in page["items"]]
    assert (len(ids), ids) == (3, sorted(ids, reverse=True))
    shown = [owner.get(f"/quarantine/{number}").json() for number in ids]
    assert [each["text"] for each in shown] == ["third", None, '{"a": 1}']
    assert base64.b64decode(shown[1]["data"]) == b"\xff\x00"
    assert shown[0]["payload"]["source"] == "twitch.drops"
    assert owner.get("/quarantine/999").status_code == 404
    assert owner.get(f"/quarantine/{2**63}").status_code == 422


def test_settings_are_shown_with_their_origins_and_no_secret(
    owner: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TWITCH_CLIENT_SECRET", "do-not-tell")
    monkeypatch.setenv("LOOTWIRE_SENDERS", "7")
    answer = owner.get("/admin/settings", params={"limit": 500})
    by_name = {each["setting"]: each for each in answer.json()["items"]}
    assert by_name["LOOTWIRE_SENDERS"] == {"setting": "LOOTWIRE_SENDERS", "value": "7", "origin": "environment"}
    assert by_name["TWITCH_CLIENT_SECRET"]["value"] == "********"
    assert by_name["LOOTWIRE_FEED_ITEMS"]["origin"] == "default"
    assert "do-not-tell" not in answer.text
