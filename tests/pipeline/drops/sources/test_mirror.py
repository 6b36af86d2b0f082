"""Requests to the mirror: the version that worked last, else the other, and the times in its answers."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from pipeline.drops.sources.mirror import TwitchDrops, TwitchRewards
from pipeline.errors import SourceChanged, SourceError, SourceUnavailable
from pipeline.fetch.http import Client
from pipeline.ingest.source import Answer, Validators
from tests.pipeline.builders import NOON, campaign, drops, encode, quest, stamp, version_2
from tests.pipeline.fetch import local_service
from tests.pipeline.fetch.local_service import LocalService

LISTED = drops(campaign("a"))
MINUTE = timedelta(seconds=60)


@pytest.fixture
def client() -> Iterator[Client]:
    with Client(attempts=1) as opened:
        yield opened


def fetch(service: LocalService, client: Client, validators: Validators | None = None) -> Answer:
    return TwitchDrops(service.url + "/").fetch(client, validators or Validators())


def test_version_2_tells_in_its_envelope_when_it_was_true_and_how_often_it_changes(
    service: LocalService, client: Client
) -> None:
    service.answers("/v2/drops", version_2(LISTED, NOON, refresh=300))

    answer = fetch(service, client)

    assert (answer.taken_at, answer.refresh_after) == (NOON, timedelta(minutes=5))
    assert answer.payload == version_2(LISTED, NOON, refresh=300)
    assert answer.validators.cursor == {"path": "/v2/drops"}


@pytest.mark.parametrize("seconds", [b"99999999999", b"-1", b'"soon"', b"1e400"])
def test_an_interval_that_cannot_be_read_costs_nothing_of_the_list(
    service: LocalService, client: Client, seconds: bytes
) -> None:
    payload = b'{"refreshIntervalSeconds":%s,"data":%s}' % (seconds, LISTED)
    service.answers("/v2/drops", payload)

    answer = fetch(service, client)

    assert (answer.payload, answer.refresh_after) == (payload, MINUTE)
    assert service.paths() == ["/v2/drops"]


def test_a_mirror_that_would_rest_for_decades_is_asked_again_within_an_hour(
    service: LocalService, client: Client
) -> None:
    service.answers("/v2/drops", version_2(LISTED, NOON, refresh=2**31 - 1))

    assert fetch(service, client).refresh_after == timedelta(hours=1)


def test_version_1_tells_the_same_in_its_headers(service: LocalService, client: Client) -> None:
    headers = {"X-Last-Updated-At": stamp(NOON), "X-Refresh-Interval-Seconds": "120", "Last-Modified": "then"}
    service.answers("/drops", local_service.Answer(LISTED, headers=headers, etag='"v"'))

    answer = fetch(service, client)

    assert service.paths() == ["/v2/drops", "/drops"]
    assert (answer.taken_at, answer.refresh_after) == (NOON, timedelta(minutes=2))
    assert (answer.validators.etag, answer.validators.last_modified) == ('"v"', "then")


@pytest.mark.parametrize(
    "headers", [{}, {"X-Last-Updated-At": "yesterday"}, {"X-Refresh-Interval-Seconds": "-1"}], ids=str
)
def test_headers_that_say_nothing_usable_are_passed_over(
    service: LocalService, client: Client, headers: dict[str, str]
) -> None:
    service.answers("/drops", local_service.Answer(LISTED, headers=headers))

    answer = fetch(service, client)

    assert (answer.taken_at, answer.refresh_after, answer.payload) == (None, MINUTE, LISTED)


def test_the_version_that_worked_last_is_asked_first(service: LocalService, client: Client) -> None:
    service.answers("/drops", LISTED)
    first = fetch(service, client)
    second = fetch(service, client, first.validators)

    assert service.paths() == ["/v2/drops", "/drops", "/drops"]
    assert second.validators.cursor == {"path": "/drops"}

    service.answers("/drops", local_service.Answer(status=410))
    service.answers("/v2/drops", version_2(LISTED))
    assert fetch(service, client, second.validators).validators.cursor == {"path": "/v2/drops"}


@pytest.mark.parametrize(
    "broken",
    [
        local_service.Answer(status=404),
        local_service.Answer(status=500),
        local_service.Answer(b"<html>"),
        local_service.Answer(b""),
        local_service.Answer(b'{"error":"no"}'),
        local_service.Answer(b'{"data":[],"lastUpdatedAt":"soon"}'),
    ],
    ids=["404", "500", "HTML", "empty", "another object", "a broken time"],
)
def test_where_one_version_is_broken_the_other_is_asked(
    service: LocalService, client: Client, broken: local_service.Answer
) -> None:
    service.answers("/v2/drops", broken)
    service.answers("/drops", LISTED)

    assert fetch(service, client).payload == LISTED


@pytest.mark.parametrize(
    ("broken", "error"),
    [
        (local_service.Answer(status=403), SourceError),
        (local_service.Answer(status=503, headers={"Retry-After": "90"}), SourceUnavailable),
        (local_service.Answer(LISTED, cut_off=True), SourceUnavailable),
    ],
    ids=["refused", "asked to wait", "cut off"],
)
def test_where_the_other_version_cannot_help_it_is_not_asked(
    service: LocalService, client: Client, broken: local_service.Answer, error: type[SourceError]
) -> None:
    service.answers("/v2/drops", broken)
    service.answers("/drops", LISTED)

    with pytest.raises(error):
        fetch(service, client)
    assert service.paths() == ["/v2/drops"]


def test_where_both_are_broken_the_error_is_that_of_the_first(service: LocalService, client: Client) -> None:
    service.answers("/v2/drops", b"<html>the first</html>")

    with pytest.raises(SourceChanged) as caught:
        fetch(service, client)
    assert caught.value.payload == b"<html>the first</html>"


def test_validators_of_one_version_are_not_sent_to_the_other(service: LocalService, client: Client) -> None:
    service.answers("/drops", LISTED)
    validators = Validators(etag='"v2"', last_modified="then", cursor={"path": "/v2/drops"})

    fetch(service, client, validators)

    first, second = service.requests
    assert first.headers["If-None-Match"] == '"v2"'
    assert first.headers["If-Modified-Since"] == "then"
    assert not {"If-None-Match", "If-Modified-Since"} & second.headers.keys()


def test_an_answer_that_did_not_change_keeps_its_time_where_it_is_told(service: LocalService, client: Client) -> None:
    service.answers("/v2/drops", local_service.Answer(version_2(LISTED), etag='"v"'))
    first = fetch(service, client)

    second = fetch(service, client, first.validators)

    assert (second.payload, second.refresh_after) == (None, MINUTE)
    assert second.validators == first.validators


def test_rewards_have_paths_of_their_own(service: LocalService, client: Client) -> None:
    listed = encode([quest("q")])
    service.answers("/rewards", listed)

    answer = TwitchRewards(service.url).fetch(client, Validators())

    assert service.paths() == ["/v2/rewards", "/rewards"]
    assert answer.payload == listed


def test_a_time_of_the_service_is_utc_whatever_its_offset(service: LocalService, client: Client) -> None:
    service.answers("/v2/drops", b'{"data":[],"lastUpdatedAt":"2031-03-04T13:00:00+01:00"}')

    assert fetch(service, client).taken_at == datetime(2031, 3, 4, 12, tzinfo=UTC)
