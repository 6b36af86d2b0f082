"""Healthchecks hears of each healthy minute, and of a trouble at once; its own failure stops nothing."""

import pytest

from models.events import EventKind
from pipeline.programs.operating.ping import failure_address
from pipeline.runtime.settings import SettingsError, load_settings
from tests.healthchecks import Healthchecks
from tests.pipeline.programs.operating.world import MINUTE, Operated


def test_each_healthy_minute_is_one_ping(pinging: Operated, checks: Healthchecks) -> None:
    pinging.minutes(3)
    assert checks.signals == ["success"] * 3
    assert {ping.method for ping in checks.pings} == {"GET"}


def test_a_trouble_is_said_and_so_is_its_end(pinging: Operated, checks: Healthchecks) -> None:
    pinging.passes(MINUTE)
    pinging.block_publishing()
    pinging.passes(MINUTE)
    pinging.let_publish()
    pinging.passes(MINUTE)
    assert checks.signals[:2] == ["success", "fail"]
    assert checks.pings[1].body.startswith("Feeds cannot be written")
    pinging.minutes(4)
    assert checks.signals[-1] == "success"


def test_a_database_that_takes_nothing_is_said(pinging: Operated, checks: Healthchecks) -> None:
    with pinging.engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE incidents")
    with pytest.raises(Exception, match="incidents"):
        pinging.passes(MINUTE)
    assert checks.signals == ["fail"]


def test_what_is_no_matter_of_the_machine_does_not_fail_the_ping(pinging: Operated, checks: Healthchecks) -> None:
    pinging.is_clock_doubted = True
    minute = pinging.passes(MINUTE)
    assert [trouble.kind for trouble in minute.troubles] == [EventKind.OPERATOR_CLOCK_JUMPED]
    assert checks.signals == ["success"]


def test_a_ping_that_fails_is_counted_and_told_once_it_lasts_and_its_address_is_never_shown(
    pinging: Operated, checks: Healthchecks, caplog: pytest.LogCaptureFixture
) -> None:
    pinging.target()
    checks.failing = 503
    pinging.minutes(14)
    assert pinging.titles() == []
    (incident,) = pinging.incidents()
    assert (incident.kind, incident.times) == (EventKind.OPERATOR_PING_FAILED, 14)
    pinging.minutes(4)
    assert pinging.titles() == ["The ping is not taken: 127.0.0.1 answered 503"]
    checks.failing = None
    pinging.minutes(15)
    assert pinging.titles()[1:] == ["Over: The ping is not taken: 127.0.0.1 answered 503"]
    assert checks.uuid not in caplog.text
    assert "the ping failed: 127.0.0.1 answered 503" in caplog.text


@pytest.mark.parametrize("status", [301, 400, 404, 429, 500])
def test_no_answer_stops_anything(pinging: Operated, checks: Healthchecks, status: int) -> None:
    checks.failing = status
    assert pinging.passes(MINUTE).troubles == ()
    pinging.block_publishing()
    assert len(pinging.passes(MINUTE).troubles) == 2


def test_a_failure_has_an_address_of_its_own() -> None:
    assert failure_address("https://hc-ping.com/u-u-i-d") == "https://hc-ping.com/u-u-i-d/fail"
    assert failure_address("https://hc.example/ping/key/slug/?create=1") == (
        "https://hc.example/ping/key/slug/fail?create=1"
    )


@pytest.mark.parametrize("value", ["hc-ping.com/u-u-i-d", "ftp://hc-ping.com/u-u-i-d", "https:///u-u-i-d"])
def test_an_address_that_is_none_is_refused_without_being_shown(value: str) -> None:
    with pytest.raises(SettingsError, match=r"LOOTWIRE_PING_URL .*must be an http:// or https:// address") as caught:
        load_settings({"LOOTWIRE_PING_URL": value})
    assert "u-u-i-d" not in str(caught.value)
