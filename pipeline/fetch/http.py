"""Ask a service over HTTP with a total deadline, a cap on the size of its answer, and retries that fit the error."""

import email.utils
import functools
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, closing, nullcontext
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Any, Self

import httpx
import msgspec
from tenacity import RetryCallState, Retrying, retry_if_exception, stop_after_attempt, wait_random_exponential

from pipeline.errors import SourceChanged, SourceRefused, SourceUnavailable
from pipeline.fetch.mending import readable

USER_AGENT = "Lootwire/0.1 (self-hosted drop tracker)"
# One slow or endless answer must not hold a worker: the largest real answer is 2.5 MB and takes a second.
DEADLINE = timedelta(seconds=60)
MAX_BYTES = 64 * 1024 * 1024
MAX_REDIRECTS = 3
ATTEMPTS = 3
# A longer wait belongs in the source's due time, where a worker does not sit it out.
LONGEST_WAIT_INSIDE = timedelta(seconds=5)
# A service may ask for a longer one, and is not believed.
LONGEST_RETRY_AFTER = timedelta(days=1)

# Waits for a place within a rate limit, and keeps it until the answer has come; may give a function that is called when
# the request has left.
Turn = Callable[[], AbstractContextManager[Callable[[], object] | None]]
# httpcore's name for the moment at which all of a request is on its way.
SENT = "http11.send_request_body.complete"

_GROWING = wait_random_exponential(multiplier=0.5, max=LONGEST_WAIT_INSIDE.total_seconds())


class Reply(msgspec.Struct, frozen=True):
    """A complete answer: 2xx with its body, or 304 without one; from `ask` also 3xx and 4xx.

    A body of JSON in which a few characters are wrong is mended.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes


@functools.cache
def load_certificates() -> ssl.SSLContext:
    """Return the certificates that are trusted, once for all clients of a process: reading them costs 25 ms."""
    return httpx.create_ssl_context()


class Client:
    """An HTTP client for polite polling; use it as a context manager.

    `get` and `post` raise `SourceUnavailable` (network, 429, 5xx, cut off, too slow, too large), `SourceRefused`
    (401, 403) or `SourceChanged` (any other status); `ask` leaves 4xx to its caller.
    """

    def __init__(self, *, deadline: timedelta = DEADLINE, max_bytes: int = MAX_BYTES, attempts: int = ATTEMPTS) -> None:
        self._deadline = deadline
        self._max_bytes = max_bytes
        self._attempts = attempts
        self._opened: httpx.Client | None = None

    @property
    def _client(self) -> httpx.Client:
        """The client of the library, made for the first request."""
        if self._opened is None:
            # br and zstd are off: without streaming limits of their own they are one more way to be flooded.
            self._opened = httpx.Client(
                headers={"User-Agent": USER_AGENT, "Accept": "application/json", "Accept-Encoding": "gzip, deflate"},
                timeout=httpx.Timeout(20, connect=10),
                follow_redirects=True,
                max_redirects=MAX_REDIRECTS,
                verify=load_certificates(),
            )
        return self._opened

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._opened is not None:
            self._opened.close()

    def get(self, url: str, *, headers: Mapping[str, str] | None = None) -> Reply:
        """Return the answer to a GET, tried up to three times where a short wait may cure the error."""
        return self._retrying(self._attempts)(self._ask_once, "GET", url, dict(headers or {}))

    def post(
        self, url: str, body: bytes, *, content_type: str, headers: Mapping[str, str] | None = None, once: bool = False
    ) -> Reply:
        """Return the answer to a POST; `once` is for a request that must not be repeated when its answer was lost.

        Redirects are not followed: what is posted is meant for that address alone.
        """
        all_headers = {**(headers or {}), "Content-Type": content_type}
        return self._retrying(1 if once else self._attempts)(self._ask_once, "POST", url, all_headers, body)

    def ask(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        body: bytes | None = None,
        content_type: str = "application/json",
        once: bool = False,
        turn: Turn = nullcontext,
    ) -> Reply:
        """Return the answer to any status below 500, for callers that must read the text of a refusal.

        Each attempt takes a turn of its own; `once` is for a request that must not be repeated when its answer was
        lost. Redirects are followed for GET alone. Raises `SourceUnavailable`.
        """
        all_headers = {**headers, **({} if body is None else {"Content-Type": content_type})}
        return self._retrying(1 if once else self._attempts)(self._ask_in_turn, turn, method, url, all_headers, body)

    def _retrying(self, attempts: int) -> Retrying:
        return Retrying(
            stop=stop_after_attempt(attempts),
            wait=_wait,
            retry=retry_if_exception(_worth_retrying_now),
            reraise=True,
        )

    def _ask_once(self, method: str, url: str, headers: dict[str, str], body: bytes | None = None) -> Reply:
        reply = self._exchange(method, url, headers, body)
        _raise_for_status(reply, httpx.URL(url).host)
        return reply

    def _ask_in_turn(self, turn: Turn, method: str, url: str, headers: dict[str, str], body: bytes | None) -> Reply:
        with turn() as sent:
            reply = self._exchange(method, url, headers, body, sent)
        if reply.status >= 500:
            _raise_for_status(reply, httpx.URL(url).host)
        return reply

    def _exchange(
        self,
        method: str,
        url: str,
        headers: dict[str, str],
        body: bytes | None,
        sent: Callable[[], object] | None = None,
    ) -> Reply:
        place = httpx.URL(url).host
        until = time.monotonic() + self._deadline.total_seconds()
        request = self._client.build_request(method, url, headers=headers, content=body, extensions=_tracing(sent))
        try:
            with closing(self._client.send(request, stream=True, follow_redirects=method == "GET")) as response:
                answer = b"".join(self._limited(response, until, place))
        except httpx.TransportError as error:
            raise SourceUnavailable(f"{place}: {_describe(error)}") from error
        except (httpx.DecodingError, httpx.TooManyRedirects) as error:
            raise SourceUnavailable(f"{place}: the answer could not be read ({error})") from error
        return Reply(response.status_code, response.headers, readable(answer))

    def _limited(self, response: httpx.Response, until: float, place: str) -> Iterator[bytes]:
        size = 0
        for chunk in response.iter_bytes():
            size += len(chunk)
            if size > self._max_bytes:
                raise SourceUnavailable(f"{place}: the answer is larger than {self._max_bytes} bytes")
            if time.monotonic() > until:
                raise SourceUnavailable(f"{place}: the answer took longer than {self._deadline.total_seconds():g} s")
            yield chunk


def conditional(etag: str | None, last_modified: str | None) -> dict[str, str]:
    """Return the headers that ask for an answer only if it changed.

    A validator that is no ASCII, which a service may send and HTTP libraries do not send back, is none.
    """
    wanted = {"If-None-Match": etag, "If-Modified-Since": last_modified}
    return {name: value for name, value in wanted.items() if value and value.isascii()}


def parse_retry_after(value: str | None, now: datetime) -> timedelta | None:
    """Return how long a Retry-After header asks to wait (seconds or an HTTP date); None if it says nothing usable."""
    if not value:
        return None
    try:
        if value.strip().isdigit():
            return min(timedelta(seconds=int(value)), LONGEST_RETRY_AFTER)
        when = email.utils.parsedate_to_datetime(value)
    except (ValueError, OverflowError):
        return None
    wait = when.replace(tzinfo=when.tzinfo or UTC) - now
    return min(max(wait, timedelta(0)), LONGEST_RETRY_AFTER)


def _worth_retrying_now(error: BaseException) -> bool:
    if not isinstance(error, SourceUnavailable):
        return False
    return error.retry_after is None or error.retry_after <= LONGEST_WAIT_INSIDE


def _wait(state: RetryCallState) -> float:
    """Return the seconds to wait: a growing, random while, and never less than the service asked for."""
    error = state.outcome.exception() if state.outcome else None
    least = error.retry_after if isinstance(error, SourceUnavailable) else None
    return max(_GROWING(state), least.total_seconds() if least else 0.0)


def _tracing(sent: Callable[[], object] | None) -> dict[str, Any]:
    if sent is None:
        return {}

    def trace(event: str, _: Mapping[str, Any]) -> None:
        if event == SENT:
            sent()

    return {"trace": trace}


def _raise_for_status(reply: Reply, place: str) -> None:
    status = reply.status
    if 200 <= status < 300 or status == 304:
        return
    if status == 429 or status >= 500:
        wait = parse_retry_after(reply.headers.get("Retry-After"), datetime.now(UTC))
        if status == 429 and wait is None:
            wait = timedelta(minutes=1)
        raise SourceUnavailable(f"{place} answered {status}", status=status, retry_after=wait)
    if status in {401, 403}:
        raise SourceRefused(f"{place} refused the request ({status})", status=status)
    raise SourceChanged(f"{place} answered {status}", payload=reply.body, status=status)


def _describe(error: httpx.TransportError) -> str:
    kinds: dict[type[httpx.TransportError], str] = {
        httpx.ConnectTimeout: "no connection in time",
        httpx.ConnectError: "no connection",
        httpx.ReadTimeout: "no answer in time",
        httpx.RemoteProtocolError: "the answer was cut off",
        httpx.UnsupportedProtocol: "not an http or https address",
    }
    return next((text for kind, text in kinds.items() if isinstance(error, kind)), type(error).__name__)
