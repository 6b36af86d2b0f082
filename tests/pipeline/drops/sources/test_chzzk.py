"""The source finds CHZZK's campaigns by trying their numbers."""

from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from pipeline.drops.sources.chzzk import ChzzkDrops
from pipeline.errors import SourceChanged, SourceError, SourceUnavailable
from pipeline.fetch.http import Client
from pipeline.ingest.source import Answer, Validators
from tests.pipeline.builders import chzzk
from tests.pipeline.fetch import local_service
from tests.pipeline.fetch.local_service import LocalService

OVER = {"endDate": "2020-01-01 00:00:00"}


@pytest.fixture
def client() -> Iterator[Client]:
    with Client(attempts=1) as opened:
        yield opened


def path(number: int, version: str = "v2") -> str:
    return f"/service/{version}/drops/campaigns/{number}"


def fetch(service: LocalService, client: Client, cursor: dict[str, Any] | None = None) -> Answer:
    source = ChzzkDrops(service.url, poll_every=timedelta(minutes=30), first_number=905)
    return source.fetch(client, Validators(cursor=cursor or {}))


def holds(service: LocalService, numbers: Iterable[int], version: str = "v2", **fields: Any) -> None:
    for number in numbers:
        service.answers(path(number, version), chzzk(number, **fields))


def numbers(service: LocalService) -> list[int]:
    return [int(request.path.rpartition("/")[2]) for request in service.requests]


def test_the_first_round_starts_at_the_configured_number_and_looks_around_it(
    service: LocalService, client: Client
) -> None:
    holds(service, [905, 907])

    answer = fetch(service, client)

    asked_numbers = numbers(service)
    assert asked_numbers[:5] == [905, 906, 907, 908, 909]
    assert {906 + 7, 905 + 256, 904, 899} <= set(asked_numbers)
    assert len(asked_numbers) == len(set(asked_numbers)) < 20
    assert answer.refresh_after == timedelta(minutes=30)
    assert answer.validators.cursor["highest"] == 907


def test_what_was_asked_and_found_is_what_the_snapshot_judges(service: LocalService, client: Client) -> None:
    holds(service, [905, 907])
    source = ChzzkDrops(service.url, poll_every=timedelta(minutes=30))

    snapshot = source.split(fetch(service, client).payload or b"")

    assert [source.parse(item).external_id for item in snapshot.items] == ["905", "907"]
    assert snapshot.scope == frozenset(map(str, numbers(service)))


def test_a_leap_over_a_gap_finds_the_newer_numbers(service: LocalService, client: Client) -> None:
    holds(service, [905, 905 + 128])

    assert fetch(service, client).validators.cursor["highest"] == 905 + 128


def test_an_outlier_is_taken_in_but_not_followed(service: LocalService, client: Client) -> None:
    holds(service, [10**8 + 7])

    cursor = fetch(service, client, {"highest": 1000, "running": [10**8 + 7]}).validators.cursor

    assert cursor["highest"] == 1000


def test_running_campaigns_are_asked_again_and_those_that_are_over_are_not(
    service: LocalService, client: Client
) -> None:
    holds(service, [700], endDate="2099-01-01 00:00:00")
    holds(service, [701], **OVER)
    cursor = fetch(service, client, {"highest": 905, "running": [700, 701]}).validators.cursor

    assert cursor["running"] == [700]


def test_older_numbers_are_asked_a_few_at_a_time_and_then_again_from_the_top(
    service: LocalService, client: Client
) -> None:
    holds(service, [905])
    cursor: dict[str, Any] = {}
    older: list[int] = []
    for _ in range(11):
        service.requests.clear()
        cursor = dict(fetch(service, client, cursor).validators.cursor)
        older += [number for number in numbers(service) if number < 905]

    assert older[:59] == list(range(904, 845, -1))
    assert older[59:] == list(range(904, 898, -1))


@pytest.mark.parametrize(
    "nothing", [local_service.Answer(status=404), local_service.Answer(status=400)], ids=["404", "400"]
)
def test_where_version_2_is_gone_version_1_is_asked_and_remembered(
    service: LocalService, client: Client, nothing: local_service.Answer
) -> None:
    service.answers(path(905), nothing)
    holds(service, [905], version="v1", rewardList=[{"rewardNo": 1, "title": "x", "campaignRewardType": "IN_APP"}])

    answer = fetch(service, client)

    assert answer.validators.cursor["version"] == "v1"
    service.requests.clear()
    fetch(service, client, dict(answer.validators.cursor))
    assert {request.path.split("/")[2] for request in service.requests} == {"v1"}


def test_a_round_that_finds_nothing_keeps_the_number_and_the_snapshot_is_empty(
    service: LocalService, client: Client
) -> None:
    service.answers(path(905), b'{"code":200,"message":null,"content":null}')

    answer = fetch(service, client)

    assert answer.validators.cursor["highest"] == 905
    assert list(ChzzkDrops(service.url, poll_every=timedelta(1)).split(answer.payload or b"").items) == []


@pytest.mark.parametrize(
    ("broken", "error"),
    [
        (local_service.Answer(status=418), SourceChanged),
        (local_service.Answer(status=403), SourceError),
        (local_service.Answer(status=500), SourceUnavailable),
    ],
    ids=["418", "403", "500"],
)
def test_a_round_that_breaks_off_tells_nothing(
    service: LocalService, client: Client, broken: local_service.Answer, error: type[SourceError]
) -> None:
    holds(service, [905])
    service.answers(path(907), broken)

    with pytest.raises(error):
        fetch(service, client)


@pytest.mark.parametrize(
    "body",
    [
        b'{"code":"odd","message":null,"content":null}',
        b'{"message":null,"content":{"campaignNo":907}}',
        b'{"code":200,"content":{"campaignNo":907},"x":"\\ud83d',
        b"<html>",
        b"[1]",
    ],
)
def test_one_answer_that_cannot_be_read_is_set_aside_and_its_number_is_not_judged(
    service: LocalService, client: Client, body: bytes
) -> None:
    holds(service, [905, 908])
    service.answers(path(907), local_service.Answer(body))
    source = ChzzkDrops(service.url, poll_every=timedelta(minutes=30))

    answer = fetch(service, client)
    snapshot = source.split(answer.payload or b"")

    assert [source.parse(item).external_id for item in snapshot.items] == ["905", "908"]
    assert [reason[:18] for _, reason in snapshot.broken] == ["not CHZZK's answer"]
    assert "907" not in (snapshot.scope or ())
    assert answer.validators.cursor["highest"] == 908


def test_a_code_that_cannot_be_read_costs_no_campaign(service: LocalService, client: Client) -> None:
    service.answers(path(905), chzzk(905).replace(b'"code": 200', b'"code": "OK"'))

    snapshot = ChzzkDrops(service.url, poll_every=timedelta(1)).split(fetch(service, client).payload or b"")

    assert len(snapshot.items) == 1


def test_a_round_of_which_no_answer_can_be_read_is_refused(service: LocalService, client: Client) -> None:
    for number in range(1, 1200):
        service.answers(path(number), b"<html>")

    with pytest.raises(SourceChanged):
        fetch(service, client)


def test_the_base_address_may_end_in_service(service: LocalService, client: Client) -> None:
    holds(service, [905])
    source = ChzzkDrops(service.url + "/service/", poll_every=timedelta(minutes=30), first_number=905)

    source.fetch(client, Validators())

    assert service.paths()[0] == path(905)
