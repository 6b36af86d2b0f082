"""An installation says what it waits for: what fails and why, what was not read yet, what is off for want of what."""

from collections.abc import Collection, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import Engine, insert, update

from models import Event, Source
from pipeline.channels.eventsub.source_row import open_source
from pipeline.embedded import Servers
from pipeline.programs.beginning import publish_where_empty
from pipeline.programs.sources import ON_DEMAND, register, sources
from pipeline.programs.waiting import OF_APPLICATION, OF_SHOPS, describe, describe_empty, load_waiting, switched_off
from pipeline.runtime.runtime import Runtime
from pipeline.runtime.settings import Settings

NOON = datetime(2031, 5, 4, 12, tzinfo=UTC)
# They come and go with what is mirrored, and with an address that is set for other reasons.
NOT_MISSED = {"igdb.mirror", "igdb.webhooks"}


@pytest.fixture
def runtime(engine: Engine, servers: Servers, tmp_path: Path) -> Iterator[Runtime]:
    url = engine.url.render_as_string(hide_password=False)
    settings = Settings(data_dir=tmp_path / "data", database_url=SecretStr(url), redis_url=SecretStr(servers.redis_url))
    opened = Runtime(settings=settings, database_url=url, redis_url=servers.redis_url)
    yield opened
    opened.engine.dispose()


def lines(runtime: Runtime, settings: Settings | None = None) -> list[str]:
    with runtime.engine.connect() as connection:
        return list(describe(load_waiting(connection), switched_off(connection, settings or runtime.settings)))


def unread_line(runtime: Runtime, *, read: Collection[str] = ()) -> str:
    """Return the line that names all sources that exist now but those that were `read`, or fail."""
    return f"not read yet: {', '.join(sorted({source.name for source in sources(runtime)}.difference(read)))}"


def change(runtime: Runtime, name: str, **columns: object) -> None:
    with runtime.engine.begin() as connection:
        connection.execute(update(Source).where(Source.name == name).values(**columns))


def test_the_sources_that_need_our_application_are_those_that_exist_with_it_alone() -> None:
    of_shops = {name for names in OF_SHOPS.values() for name in names}
    assert set(OF_APPLICATION) == set(ON_DEMAND) - NOT_MISSED - of_shops
    assert of_shops < set(ON_DEMAND)


def test_each_source_is_waited_for_until_it_is_read_and_again_when_it_fails(runtime: Runtime) -> None:
    with runtime.engine.begin() as connection:
        register(connection, runtime, NOON)
    unread, *_ = lines(runtime)
    assert unread == unread_line(runtime)
    assert "chzzk.drops, " in unread

    change(
        runtime, "kick.drops", failing_since=NOON, last_error="no\x1b connection", next_due_at=NOON + timedelta(hours=1)
    )
    change(runtime, "twitch.drops", last_success_at=NOON)
    failing, unread, *_ = lines(runtime)
    assert failing == (
        "kick.drops has failed since 2031-05-04 12:00 UTC: no  connection; asked again at 2031-05-04 13:00 UTC"
    )
    assert unread == unread_line(runtime, read=("kick.drops", "twitch.drops"))


def test_a_source_that_is_not_polled_is_not_said_to_be_asked_again(runtime: Runtime) -> None:
    open_source(runtime.engine, NOON)
    change(runtime, "twitch.eventsub", failing_since=NOON, last_error="no subscription")

    assert lines(runtime)[0] == "twitch.eventsub has failed since 2031-05-04 12:00 UTC: no subscription"


def test_what_is_off_names_the_settings_that_are_missing_and_no_others(runtime: Runtime) -> None:
    application, account, *shops = lines(runtime)
    assert application.startswith("off for want of TWITCH_CLIENT_ID and TWITCH_CLIENT_SECRET: twitch.badges, ")
    assert account.startswith("off for want of a sign-in (lootwire sources login twitch): twitch.dashboard, ")

    half = runtime.settings.model_copy(update={"twitch_client_id": "us"})
    assert lines(runtime, half)[0].startswith("off for want of TWITCH_CLIENT_SECRET: ")
    whole = half.model_copy(update={"twitch_client_secret": SecretStr("hunter2")})
    assert lines(runtime, whole) == [account, *shops]
    assert shops == [
        "off for want of a sign-in (lootwire sources login steam): steam.library",
        "off for want of a sign-in (lootwire sources login retroachievements): retroachievements.library",
    ]


def test_an_installation_that_was_read_and_found_empty_is_not_said_to_have_seen_nothing(runtime: Runtime) -> None:
    with runtime.engine.begin() as connection:
        register(connection, runtime, NOON)
        assert describe_empty(connection) == "Nothing has been seen yet; `lootwire status` says how it goes on."
    for name in ("kick.drops", "chzzk.drops"):
        change(runtime, name, last_success_at=NOON)
    assert publish_where_empty(runtime)[0] == unread_line(runtime, read=("kick.drops", "chzzk.drops"))
    with runtime.engine.connect() as connection:
        line = describe_empty(connection)
    assert line.startswith("Nothing is listed by what was read so far (chzzk.drops, kick.drops); `lootwire status`")


def test_an_empty_installation_is_published_before_anything_runs_and_another_one_is_left_alone(
    runtime: Runtime,
) -> None:
    public = runtime.settings.published
    assert publish_where_empty(runtime)[0] == unread_line(runtime)
    assert {"index.html", "all.rss.xml", "all.atom.xml", "feeds.opml"} <= {path.name for path in public.iterdir()}
    assert "twitch.drops" in (public / "index.html").read_text()
    assert "for want of TWITCH_CLIENT_ID" in (public / "index.html").read_text()

    (public / "index.html").unlink()
    with runtime.engine.begin() as connection:
        values = {"kind": "source.failing", "event_key": "a", "title": "a", "occurred_at": NOON, "recorded_at": NOON}
        connection.execute(insert(Event).values(**values, silent=False, detail={}))
    assert publish_where_empty(runtime) == []
    assert not (public / "index.html").exists()
