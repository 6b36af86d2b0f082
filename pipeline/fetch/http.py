"""Ask a service over HTTP with a total deadline, a cap on the size of its answer, and retries that fit the error."""

import email.utils
import functools
import re
import ssl
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Any, Self

import httpcore
import httpx
import msgspec
from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception,
    stop_after_attempt,
    stop_after_delay,
    wait_random_exponential,
)

from pipeline.errors import SourceChanged, SourceRefused, SourceUnavailable
from pipeline.fetch.addresses import MAX_REDIRECTS, REDIRECTS, Resolve, Rules, Unreachable, checked, resolve
from pipeline.fetch.limits import TooMuch, check_values
from pipeline.fetch.mending import readable
from pipeline.fetch.proxies import pool_of, proxy_of
from pipeline.fetch.sent_at import sent_at
from pipeline.fetch.unpacking import ACCEPTED, Unpackable, encoding_of, unpacked
from pipeline.fetch.wire import Deadline, Wire, core_url, deadline

USER_AGENT = "Lootwire/0.1 (self-hosted drop tracker)"
# One slow or endless answer must not hold a worker: the largest real answer is 2.5 MB and takes a second. The deadline
# holds from looking up the name to the last byte, redirects included.
DEADLINE = timedelta(seconds=60)
# A service that is silent for so long in the middle of it is given up earlier.
CONNECT_SECONDS = 10.0
SILENT_SECONDS = 20.0
MAX_BYTES = 32 * 1024 * 1024
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

_FIELDS = {"User-Agent": USER_AGENT, "Accept": "application/json", "Accept-Encoding": ACCEPTED}
# What another host may see of a request that was led to it: no token and no name of an account is among them.
_FOR_ANYBODY = frozenset({"user-agent", "accept", "accept-encoding", "referer", "if-none-match", "if-modified-since"})
_CONDITIONS = frozenset({"if-none-match", "if-modified-since"})
# A service may lead to any port of the public internet.
ELSEWHERE = Rules(ports=None)
# How h11 and httpcore begin to say that the connection ended too early.
_CUT_OFF = re.compile(r"\A(?:peer closed|Server disconnected)")

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
    """An HTTP client for polite polling; use it as a context manager, in one thread or several.

    `get` and `post` raise `SourceUnavailable` (network, 429, 5xx, cut off, too slow, too large), `SourceRefused`
    (401, 403) or `SourceChanged` (any other status); `ask` leaves 4xx to its caller.

    An address that a caller gives may be of any machine, for the operator chose it; where a redirect of it leads must
    be an address of the public internet, unless it stays on the same host and port. `rules` and `resolve` say what is
    one.
    """

    def __init__(
        self,
        *,
        deadline: timedelta | None = None,
        max_bytes: int = MAX_BYTES,
        in_all: int | None = None,
        attempts: int = ATTEMPTS,
        rules: Rules = ELSEWHERE,
        resolve: Resolve = resolve,
    ) -> None:
        """`max_bytes` is the most that an answer may hold, and `in_all` what all answers together may, if given."""
        self._deadline = deadline or DEADLINE
        self._max_bytes = max_bytes
        self._left = in_all
        self._attempts = attempts
        self._rules = rules
        self._resolve = resolve
        self._pools: dict[str | None, httpcore.ConnectionPool] = {}
        self._opened = ExitStack()
        # When its last answer was sent, by the clock of whoever sent it.
        self.answered_at: datetime | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
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
            # An attempt that has used up the deadline is the last one: a worker is not held three times as long.
            stop=stop_after_attempt(attempts) | stop_after_delay(self._deadline),
            wait=_wait,
            retry=retry_if_exception(_worth_retrying_now),
            reraise=True,
        )

    def _ask_once(self, method: str, url: str, headers: dict[str, str], body: bytes | None = None) -> Reply:
        answer = self._exchange(method, url, headers, body)
        _raise_for_status(answer)
        if answer.reply.status == 304 and _CONDITIONS.isdisjoint(map(str.lower, headers)):
            # To believe it would be to believe that nothing is there.
            raise SourceChanged(
                f"{answer.place} answered 304 (not changed) to a request that did not ask so", status=304
            )
        return answer.reply

    def _ask_in_turn(self, turn: Turn, method: str, url: str, headers: dict[str, str], body: bytes | None) -> Reply:
        with turn() as sent:
            answer = self._exchange(method, url, headers, body, sent)
        if answer.reply.status >= 500:
            _raise_for_status(answer)
        return answer.reply

    def _exchange(
        self,
        method: str,
        url: str,
        headers: dict[str, str],
        body: bytes | None,
        sent: Callable[[], object] | None = None,
    ) -> "_Answer":
        request = _Request(method, _address(url), _fields(headers), body or None, sent)
        first = request.url
        with deadline(self._deadline) as ends:
            for _ in range(MAX_REDIRECTS + 1):
                answer = self._answer(request, first, ends)
                if isinstance(answer, _Answer):
                    return answer
                request = self._led(request, first, answer)
        raise _Unfit(f"{request.url.host}: the answer could not be read (more than {MAX_REDIRECTS} redirects)")

    def _answer(self, request: "_Request", first: httpx.URL, ends: Deadline) -> "_Answer | str":
        """Return the whole answer of one host, or where it leads."""
        place = request.url.host
        try:
            with self._pool(request.url, first) as pool, _sent_by(pool, request, ends) as response:
                headers = httpx.Headers(response.headers)
                self.answered_at = sent_at(headers)
                if request.method == "GET" and response.status in REDIRECTS and "Location" in headers:
                    return headers["Location"]
                body = self._read(response, headers)
                self._take(body)
        except httpcore.TimeoutException as error:
            if ends.is_over:
                seconds = self._deadline.total_seconds()
                raise SourceUnavailable(f"{place}: the answer took longer than {seconds:g} s") from error
            raise SourceUnavailable(f"{place}: {_describe(error)}") from error
        except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.ProxyError) as error:
            raise SourceUnavailable(f"{place}: {_describe(error)}") from error
        except (Unpackable, TooMuch) as error:
            raise _Unfit(f"{place}: the answer could not be read ({error})") from error
        except Unreachable as error:
            raise _Unfit(f"{first.host} leads to another host: {error}") from error
        return _Answer(Reply(response.status, headers, readable(body)), place)

    def _read(self, response: httpcore.Response, headers: httpx.Headers) -> bytes:
        encoding = encoding_of(headers.get_list("Content-Encoding"))
        # What is packed has the same limit: an endless one may unpack to nothing.
        packed = self._limited(response.iter_stream())
        # Not joined in the end: chunks of a byte take fifty times their size.
        body = bytearray()
        for part in self._limited(unpacked(packed, encoding)):
            body += part
        return bytes(body)

    def _take(self, body: bytes) -> None:
        """Refuse an answer that is too much to decode, alone or with those before it."""
        check_values(body)
        if self._left is not None:
            self._left -= len(body)
            if self._left < 0:
                raise TooMuch("with the other answers of this fetch more than memory is there for")

    def _limited(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        size = 0
        for chunk in chunks:
            size += len(chunk)
            if size > self._max_bytes:
                raise TooMuch(f"larger than {self._max_bytes} bytes")
            yield chunk

    @contextmanager
    def _pool(self, url: httpx.URL, first: httpx.URL) -> Iterator[httpcore.ConnectionPool]:
        """Give the connections that may be used: kept ones for the host that was asked first, none for another."""
        if _stays(url, first):
            yield self._kept(proxy_of(url))
            return
        if proxy_of(url) is not None:
            raise Unreachable(f"the proxy would resolve {url.host}, so that nothing could be said of its address")
        with pool_of(None, load_certificates(), Wire(self._rules.allowed, self._resolve)) as pool:
            yield pool

    def _kept(self, proxy: str | None) -> httpcore.ConnectionPool:
        if proxy not in self._pools:
            pool = pool_of(proxy, load_certificates(), Wire(resolve=self._resolve))
            self._pools[proxy] = self._opened.enter_context(pool)
        return self._pools[proxy]

    def _led(self, request: "_Request", first: httpx.URL, location: str) -> "_Request":
        """Return the request to where a redirect leads; another host sees no more of it than anybody may."""
        try:
            url = checked(location, self._rules, led_by=request.url)
        except Unreachable as error:
            raise _Unfit(f"{request.url.host} leads to another address: {error}") from error
        kept = request.headers if _stays(url, first) else _for_anybody(request.headers)
        return msgspec.structs.replace(request, url=url, headers=kept)


class _Request(msgspec.Struct, frozen=True):
    method: str
    url: httpx.URL
    headers: httpx.Headers
    body: bytes | None
    sent: Callable[[], object] | None


class _Answer(msgspec.Struct, frozen=True):
    """A reply with the host that gave it, which a redirect may have chosen."""

    reply: Reply
    place: str


class _Unfit(SourceUnavailable):
    """An answer that is not worth asking for again at once: the next one would hold a worker as long."""


@contextmanager
def _sent_by(pool: httpcore.ConnectionPool, request: _Request, ends: Deadline) -> Iterator[httpcore.Response]:
    """Send a request, and give its answer as soon as its headers have come."""
    timeouts = {
        "pool": ends.left(None, httpcore.PoolTimeout),
        "connect": CONNECT_SECONDS,
        "read": SILENT_SECONDS,
        "write": SILENT_SECONDS,
    }
    # A request that may have a body says so even where it has none.
    content = request.body if request.body is not None or request.method in {"GET", "DELETE"} else b""
    with pool.stream(
        request.method,
        core_url(request.url),
        headers=[(b"Host", request.url.netloc), *request.headers.raw],
        content=content,
        extensions={"timeout": timeouts, **_tracing(request.sent)},
    ) as response:
        yield response


def _address(url: str) -> httpx.URL:
    try:
        address = httpx.URL(url)
        has_host = bool(address.host)
    except (httpx.InvalidURL, UnicodeError) as error:
        raise _Unfit("not an http or https address") from error
    if address.scheme not in {"http", "https"} or not has_host:
        raise _Unfit(f"{address.host or address.scheme}: not an http or https address")
    return address


def _fields(headers: Mapping[str, str]) -> httpx.Headers:
    # A validator is given back as it came, whatever characters it holds.
    fields = httpx.Headers(_FIELDS, encoding="utf-8")
    for name, value in headers.items():
        fields[name] = value
    return fields


def _for_anybody(headers: httpx.Headers) -> httpx.Headers:
    return httpx.Headers([(name, value) for name, value in headers.raw if name.lower().decode() in _FOR_ANYBODY])


def _stays(url: httpx.URL, first: httpx.URL) -> bool:
    """Whether an address is of the service that was asked first; the usual ports of http and https count as one.

    On another port of the same host something else may listen, which our token is not for.
    """
    return (url.host, url.port) == (first.host, first.port)


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
    if not isinstance(error, SourceUnavailable) or isinstance(error, _Unfit):
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


def _raise_for_status(answer: _Answer) -> None:
    reply, place = answer.reply, answer.place
    status = reply.status
    # A part of an answer (206), which nobody asks for, would look as if the rest were gone.
    if (200 <= status < 300 and status != 206) or status == 304:
        return
    if status == 429 or status >= 500:
        wait = parse_retry_after(reply.headers.get("Retry-After"), datetime.now(UTC))
        if status == 429 and wait is None:
            wait = timedelta(minutes=1)
        raise SourceUnavailable(f"{place} answered {status}", status=status, retry_after=wait)
    if status in {401, 403}:
        raise SourceRefused(f"{place} refused the request ({status})", status=status)
    raise SourceChanged(f"{place} answered {status}", payload=reply.body, status=status)


def _describe(error: Exception) -> str:
    """Say what went wrong in our own words: the library's may repeat what came over the wire."""
    kinds: dict[type[Exception], str] = {
        httpcore.ConnectTimeout: "no connection in time",
        httpcore.ConnectError: "no connection",
        httpcore.TimeoutException: "no answer in time",
        httpcore.ProxyError: "the proxy gives no connection",
        httpcore.LocalProtocolError: "the request cannot be written in HTTP",
        httpcore.NetworkError: "the answer was cut off",
    }
    is_cut_off = isinstance(error, httpcore.RemoteProtocolError) and _CUT_OFF.search(str(error)) is not None
    described = next((text for kind, text in kinds.items() if isinstance(error, kind)), "the answer is no HTTP")
    return "the answer was cut off" if is_cut_off else described
