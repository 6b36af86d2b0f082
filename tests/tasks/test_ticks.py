"""The ticks that beat sends: each may be late, doubled or lost."""

from datetime import timedelta

import pytest
from sqlalchemy import update

from models import Credential, DropCampaign, FetchRun, Heartbeat, Source
from pipeline.drops.sources import sources
from pipeline.runtime import heartbeat
from pipeline.runtime.runtime import utc_now
from pipeline.runtime.settings import Settings
from tasks import fetch, ticks
from tests.tasks.installation import AtWork
from tests.twitch.dashboard import Dashboard

SOURCES = sorted(source.name for source in sources(Settings(), None, None))


def asked_for(installation: AtWork) -> list[str]:
    return sorted(hint.args[0] for hint in installation.hints("fetch.source"))


def test_every_new_source_is_asked_for_at_once(installation: AtWork) -> None:
    ticks.fetch_due()
    assert asked_for(installation) == SOURCES


def test_a_doubled_tick_asks_twice_and_changes_no_row(installation: AtWork) -> None:
    ticks.fetch_due()
    ticks.fetch_due()
    assert asked_for(installation) == sorted(SOURCES * 2)
    assert installation.count(Source) == len(SOURCES)


def test_nothing_is_asked_for_before_its_time(installation: AtWork) -> None:
    fetch.source("kick.drops")
    ticks.fetch_due()
    fetch.source("kick.drops")
    installation.forget_hints()
    ticks.fetch_due()
    assert "kick.drops" not in asked_for(installation)


def test_a_hint_to_fetch_expires_before_it_could_pile_up(installation: AtWork) -> None:
    ticks.fetch_due()
    for hint in installation.hints("fetch.source"):
        assert hint.expires is not None
        assert hint.expires - utc_now() <= timedelta(seconds=30)


def test_the_clock_starts_and_ends_campaigns_once(installation: AtWork) -> None:
    ticks.fetch_due()
    fetch.source("kick.drops")
    now = utc_now()
    with installation.engine.begin() as connection:
        over = {"start_at": now - timedelta(hours=9), "end_at": now - timedelta(hours=2), "ended_at": None}
        connection.execute(update(DropCampaign).values(over | {"started_at": None}))
    ticks.advance_clock()
    after_once = installation.event_keys()
    assert sum(key.startswith("campaign.ended:") for key in after_once) > 1
    ticks.advance_clock()
    assert installation.event_keys() == after_once


def test_news_by_the_clock_wake_those_who_send_and_publish(installation: AtWork) -> None:
    ticks.fetch_due()
    fetch.source("kick.drops")
    with installation.engine.begin() as connection:
        connection.execute(update(DropCampaign).values(end_at=utc_now() - timedelta(hours=2), ended_at=None))
    installation.forget_hints()
    ticks.advance_clock()
    assert {hint.task for hint in installation.hints()} == {"send.due", "publish.marked"}


def test_a_clock_without_news_wakes_nobody(installation: AtWork) -> None:
    ticks.advance_clock()
    ticks.advance_clock()
    assert not installation.hints()
    assert heartbeat.last_beat(installation.engine, heartbeat.CLOCK) is not None


def test_a_heartbeat_moves_one_row(installation: AtWork) -> None:
    ticks.heartbeat()
    first = heartbeat.last_beat(installation.engine)
    ticks.heartbeat()
    second = heartbeat.last_beat(installation.engine)
    assert first is not None
    assert second is not None
    assert second > first
    assert installation.count(Heartbeat) == 1


def test_pruning_twice_forgets_what_is_old_and_nothing_else(installation: AtWork) -> None:
    ticks.fetch_due()
    fetch.source("kick.drops")
    fetch.source("chzzk.drops")
    with installation.engine.begin() as connection:
        oldest = connection.execute(update(FetchRun).values(started_at=utc_now() - timedelta(days=31)))
        assert oldest.rowcount == 2
    installation.make_due("kick.drops")
    fetch.source("kick.drops")
    ticks.prune()
    assert installation.count(FetchRun) == 1
    ticks.prune()
    assert installation.count(FetchRun) == 1


def test_a_sign_in_is_validated_once_however_often_the_tick_comes(
    installation: AtWork, twitch: Dashboard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOOTWIRE_TWITCH_AUTH_URL", twitch.auth_url)
    installation.reopen()
    ticks.validate_sign_ins()
    assert twitch.paths == []  # nobody is signed in
    installation.sign_in(twitch.grant())
    ticks.validate_sign_ins()
    ticks.validate_sign_ins()
    assert twitch.paths == ["/oauth2/validate"]
    assert installation.count(Credential, Credential.validated_at > utc_now() - timedelta(minutes=1)) == 1
