"""The HTTP client against a real server that behaves badly."""

import gzip
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest

from pipeline.errors import SourceChanged, SourceError, SourceRefused, SourceUnavailable
from pipeline.fetch.http import Client, conditional, parse_retry_after
from tests.pipeline.fetch.local_service import Answer, LocalService

NOW = datetime(2031, 3, 4, 12, tzinfo=UTC)


def get(service: LocalService, *, path: str = "/list", attempts: int = 1, **options: object) -> bytes:
    limits = {"deadline": timedelta(seconds=10), "max_bytes": 2**20} | options
    with Client(attempts=attempts, **limits) as client:  # type: ignore[arg-type]
        return client.get(service.url + path).body


def failure(service: LocalService, **options: object) -> SourceError:
    with pytest.raises(SourceError) as caught:
        get(service, **options)  # type: ignore[arg-type]
    return caught.value


def unavailable(service: LocalService, **options: object) -> SourceUnavailable:
    error = failure(service, **options)
    assert isinstance(error, SourceUnavailable)
    return error


def test_an_answer_comes_with_its_status_headers_and_body(service: LocalService) -> None:
    service.answers("/list", Answer(b"[1]", headers={"X-Refresh-Interval-Seconds": "60"}))
    with Client() as client:
        reply = client.get(service.url + "/list", headers={"Referer": "https://example.org/"})

    assert (reply.status, reply.body, reply.headers["x-refresh-interval-seconds"]) == (200, b"[1]", "60")
    (request,) = service.requests
    assert request.headers["Referer"] == "https://example.org/"
    assert request.headers["User-Agent"].startswith("Lootwire/")
    assert request.headers["Accept-Encoding"] == "gzip, deflate"


def test_an_answer_that_did_not_change_is_a_reply_without_a_body(service: LocalService) -> None:
    service.answers("/list", Answer(b"[1]", etag='"v1"'))
    with Client() as client:
        first = client.get(service.url + "/list")
        second = client.get(service.url + "/list", headers=conditional(first.headers["ETag"], None))

    assert (first.status, second.status, second.body) == (200, 304, b"")


def test_not_changed_says_nothing_to_a_request_that_did_not_ask_so(service: LocalService) -> None:
    service.answers("/list", Answer(status=304))

    error = failure(service)
    assert isinstance(error, SourceChanged)
    assert "answered 304 (not changed) to a request that did not ask so" in str(error)


def test_a_request_is_conditional_only_on_what_is_known() -> None:
    assert conditional(None, None) == {}
    assert conditional('"a"', "Tue, 04 Mar 2031 12:00:00 GMT") == {
        "If-None-Match": '"a"',
        "If-Modified-Since": "Tue, 04 Mar 2031 12:00:00 GMT",
    }


@pytest.mark.parametrize("status", [500, 502, 503, 504, 520])
def test_a_server_error_is_tried_three_times_and_then_unavailable(service: LocalService, status: int) -> None:
    service.answers("/list", Answer(b"oops", status=status))

    error = unavailable(service, attempts=3)

    assert error.status == status
    assert len(service.requests) == 3


def test_a_server_error_that_passes_is_not_noticed(service: LocalService) -> None:
    service.answers("/list", Answer(status=503), Answer(status=500), b"[1]")

    assert get(service, attempts=3) == b"[1]"


def test_too_many_requests_are_not_repeated_before_the_wait_that_was_asked_for(service: LocalService) -> None:
    service.answers("/list", Answer(status=429, headers={"Retry-After": "90"}))

    error = unavailable(service, attempts=3)

    assert (error.status, error.retry_after) == (429, timedelta(seconds=90))
    assert len(service.requests) == 1


def test_a_short_wait_that_is_asked_for_is_waited_in_full(service: LocalService) -> None:
    service.answers("/list", Answer(status=429, headers={"Retry-After": "1"}), b"[1]")

    assert get(service, attempts=3) == b"[1]"

    first, second = service.requests
    assert second.at - first.at >= 1


def test_too_many_requests_without_a_wait_mean_a_minute(service: LocalService) -> None:
    service.answers("/list", Answer(status=429))

    assert unavailable(service, attempts=3).retry_after == timedelta(minutes=1)
    assert len(service.requests) == 1


def test_the_wait_may_be_a_date(service: LocalService) -> None:
    service.answers("/list", Answer(status=503, headers={"Retry-After": "Fri, 31 Dec 2100 23:59:59 GMT"}))

    assert unavailable(service, attempts=3).retry_after == timedelta(days=1)
    assert len(service.requests) == 1


@pytest.mark.parametrize(
    ("value", "wait"),
    [
        (None, None),
        ("", None),
        ("0", timedelta(0)),
        (" 120 ", timedelta(minutes=2)),
        ("999999999999999999999999", None),
        ("172800", timedelta(days=1)),
        ("-5", None),
        ("soon", None),
        ("²", None),
        ("Tue, 04 Mar 2031 12:01:30 GMT", timedelta(seconds=90)),
        ("Tue, 04 Mar 2031 12:01:30 -0000", timedelta(seconds=90)),
        ("Tue, 04 Mar 2031 11:00:00 GMT", timedelta(0)),
        ("Tue, 99 Mar 2031 11:00:00 GMT", None),
    ],
)
def test_a_retry_after_header_is_a_wait_of_a_day_at_most_or_nothing(value: str | None, wait: timedelta | None) -> None:
    assert parse_retry_after(value, NOW) == wait


@pytest.mark.parametrize("status", [401, 403])
def test_a_refusal_is_told_at_once_because_only_a_person_can_cure_it(service: LocalService, status: int) -> None:
    service.answers("/list", Answer(status=status))

    error = failure(service, attempts=3)

    assert isinstance(error, SourceRefused)
    assert str(status) in str(error)
    assert len(service.requests) == 1


@pytest.mark.parametrize("status", [206, 400, 404, 410, 418])
def test_any_other_status_means_that_the_service_has_changed(service: LocalService, status: int) -> None:
    service.answers("/list", Answer(b"gone", status=status))

    error = failure(service, attempts=3)

    assert isinstance(error, SourceChanged)
    assert (error.status, error.payload) == (status, b"gone")
    assert len(service.requests) == 1


Misbehaviour = Callable[[], Answer]
MISBEHAVIOURS: dict[str, tuple[Answer, dict[str, object], str]] = {
    "a cut-off answer": (Answer(b"[1,2", cut_off=True), {}, "cut off"),
    "an answer that is too large": (Answer(b" " * 3000), {"max_bytes": 2000}, "larger than 2000 bytes"),
    "an endless answer": (Answer(endless=True), {"max_bytes": 500_000}, "larger than 500000 bytes"),
    "an answer that drips": (Answer(b" " * 100, drip=0.05), {"deadline": timedelta(seconds=0.2)}, "longer than 0.2 s"),
    "broken compression": (Answer(b"not gzip", headers={"Content-Encoding": "gzip"}), {}, "could not be read"),
    "a bomb": (
        Answer(gzip.compress(b" " * 2**22), headers={"Content-Encoding": "gzip"}),
        {"max_bytes": 2**20},
        "larger than",
    ),
}


@pytest.mark.parametrize("case", MISBEHAVIOURS)
def test_a_misbehaving_service_is_unavailable_and_its_error_says_why(service: LocalService, case: str) -> None:
    answer, limits, reason = MISBEHAVIOURS[case]
    service.answers("/list", answer)

    error = unavailable(service, **limits)

    assert reason in str(error)
    assert "127.0.0.1" in str(error)


def test_a_service_that_is_not_there_is_unavailable() -> None:
    with LocalService() as stopped:
        url = stopped.url
    with Client(attempts=1) as client, pytest.raises(SourceUnavailable, match=r"127\.0\.0\.1: no connection"):
        client.get(url + "/list")


def test_an_address_without_a_usable_scheme_is_an_error_of_ours() -> None:
    with Client(attempts=1) as client, pytest.raises(SourceUnavailable, match="not an http or https address"):
        client.get("ftp://127.0.0.1/list")


def test_redirects_are_followed_three_times_and_not_for_ever(service: LocalService) -> None:
    for number in range(3):
        service.answers(f"/{number}", Answer(status=302, headers={"Location": f"/{number + 1}"}))
    service.answers("/3", b"[3]")
    service.answers("/list", Answer(status=301, headers={"Location": "/list"}))

    assert get(service, path="/0") == b"[3]"
    assert "could not be read" in str(unavailable(service))


def test_an_error_never_holds_the_query_of_the_address(service: LocalService) -> None:
    service.answers("/list?token=s3cret", Answer(status=500))

    assert "s3cret" not in str(unavailable(service, path="/list?token=s3cret"))


def test_what_all_answers_of_a_client_may_hold_together_is_limited(service: LocalService) -> None:
    service.answers("/list", Answer(b"[" + b" " * 1000 + b"]"))
    with Client(in_all=2500) as client:
        assert [client.get(service.url + "/list").status for _ in range(2)] == [200, 200]
        with pytest.raises(SourceUnavailable, match="with the other answers of this fetch"):
            client.get(service.url + "/list")


def test_a_compressed_answer_is_unpacked(service: LocalService) -> None:
    service.answers("/list", Answer(gzip.compress(b"[1]"), headers={"Content-Encoding": "gzip"}))

    assert get(service) == b"[1]"


class Turns:
    """A rate limit that never waits: it counts turns and notes that a request left."""

    def __init__(self) -> None:
        self.open = 0
        self.taken = 0
        self.left = threading.Event()

    @contextmanager
    def __call__(self) -> Iterator[Callable[[], None]]:
        self.taken, self.open = self.taken + 1, self.open + 1
        try:
            yield self.left.set
        finally:
            self.open -= 1


@pytest.mark.parametrize("status", [200, 204, 304, 400, 401, 403, 404, 409, 429])
def test_ask_returns_any_answer_below_500_with_its_body(service: LocalService, status: int) -> None:
    body = b"" if status in {204, 304} else b"why"
    service.answers("/list", Answer(body, status=status))

    with Client() as client:
        reply = client.ask("GET", service.url + "/list", headers={"Authorization": "x"})

    assert (reply.status, reply.body) == (status, body)
    assert [request.headers["Authorization"] for request in service.requests] == ["x"]


def test_each_attempt_takes_a_turn_and_gives_it_back(service: LocalService) -> None:
    service.answers("/list", Answer(status=503), Answer(cut_off=True), b"[1]")
    turns = Turns()

    with Client() as client:
        assert client.ask("GET", service.url + "/list", headers={}, turn=turns).body == b"[1]"

    assert (turns.taken, turns.open) == (3, 0)


def test_a_request_that_must_not_be_repeated_is_sent_once(service: LocalService) -> None:
    service.answers("/list", Answer(status=503))
    turns = Turns()

    with Client() as client, pytest.raises(SourceUnavailable):
        client.ask("GET", service.url + "/list", headers={}, once=True, turn=turns)

    assert turns.taken == 1


def test_a_turn_hears_that_the_request_has_left_before_the_answer_comes(service: LocalService) -> None:
    service.hold_back("/list")
    turns = Turns()
    with Client() as client:
        thread = threading.Thread(
            target=lambda: client.ask("GET", service.url + "/list", headers={}, turn=turns), daemon=True
        )
        thread.start()
        assert turns.left.wait(60)
        assert turns.open == 1
        service.released.set()
        thread.join()
