"""Carries the HTTP requests of Apprise, and notes in the call's hearing what came of each.

Apprise keeps status and headers to itself, and its library's time limits begin anew with each byte. So requests gets an
adapter of ours, in processes that send and in no other; outside a call of `send` it does what its own does.
"""

import http.client
import io
import json
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import requests
from requests import sessions
from requests.adapters import HTTPAdapter
from requests.utils import select_proxy
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError

from notifiers.answers import HttpAnswer
from notifiers.guard import refuse_private
from notifiers.hearing import Hearing, TimedReader, current
from notifiers.rests import asked_rest, is_for_all
from notifiers.unreachable import why_unreachable

# No answer that anybody reads is longer; headers have limits of their own, but not what comes before them.
MAX_BYTES = 1_000_000
MAX_BODY_BYTES = 250_000
_CHUNK = 16_384
# Where services write what is wrong: Telegram, Discord, ntfy and most others.
_WORDS = ("description", "message", "error", "detail", "errmsg")


def install() -> None:
    """Let requests carry what it sends by the adapter of this module; safe to call again."""
    # It makes a session for each request, and each session its own adapters.
    vars(sessions)["HTTPAdapter"] = HearingAdapter


class _TimedSocket:
    """A connection as `http.client` reads answers from it."""

    def __init__(self, reader: TimedReader) -> None:
        self._reader = reader

    def makefile(self, *_: Any) -> io.BufferedReader:
        return io.BufferedReader(self._reader)


class _HearingMixin:
    """Notes when a request is sent whole, and reads its answer against a deadline."""

    reader: TimedReader | None = None
    _was_unanswered = False

    def request(self, *arguments: Any, **options: Any) -> None:
        super().request(*arguments, **options)  # type: ignore[misc]
        if (hearing := current()) is not None:
            # Several requests may make up a message, and one that was never answered stays so.
            self._was_unanswered, hearing.is_unanswered = hearing.is_unanswered, True

    def response_class(self, connection: Any, **options: Any) -> http.client.HTTPResponse:
        hearing = current()
        if hearing is None:
            return http.client.HTTPResponse(connection, **options)
        self.reader = TimedReader(connection)
        self.reader.allow(hearing.seconds(hearing.patience.http_answer), MAX_BYTES)
        return http.client.HTTPResponse(_TimedSocket(self.reader), **options)  # type: ignore[arg-type]

    def getresponse(self) -> Any:
        response = super().getresponse()  # type: ignore[misc]
        if (hearing := current()) is not None:
            hearing.is_unanswered = self._was_unanswered
            if self.reader is not None:
                self.reader.allow(hearing.seconds(hearing.patience.http_body), MAX_BYTES)
        return response


class _Connection(_HearingMixin, HTTPConnection):  # type: ignore[misc]
    pass


class _TlsConnection(_HearingMixin, HTTPSConnection):  # type: ignore[misc]
    pass


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _TlsConnection


_POOLS = {"http": _Pool, "https": _TlsPool}


class HearingAdapter(HTTPAdapter):
    """Sends requests of a call with the call's patience, and hands Apprise no more of an answer than it needs."""

    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        super().init_poolmanager(*arguments, **options)
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def proxy_manager_for(self, proxy: str, **options: Any) -> Any:
        manager = super().proxy_manager_for(proxy, **options)
        if not proxy.lower().startswith("socks"):
            manager.pool_classes_by_scheme = _POOLS
        return manager

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: Any = None,
        verify: bool | str = True,
        cert: Any = None,
        proxies: dict[str, str] | None = None,
    ) -> requests.Response:
        hearing = current()
        if hearing is None:
            return super().send(request, stream, timeout, verify, cert, proxies)
        left = hearing.seconds(hearing.patience.http_answer)
        if left <= 0 or any(answer.rest and not answer.is_good for answer in hearing.answers):
            # Some of Apprise's services ask again at once.
            raise requests.ConnectionError("no more requests in this call")
        if select_proxy(str(request.url), proxies):
            _judge_behind(str(request.url), hearing)
        hearing.is_attempted = True
        # A packed answer could become any size.
        request.headers["Accept-Encoding"] = "identity"
        limits = (hearing.seconds(hearing.patience.connect), left)
        try:
            response = super().send(request, True, limits, verify, cert, proxies)
        except requests.RequestException as error:
            hearing.unreachable = why_unreachable(error)
            raise
        _hear(hearing, response)
        return response


def _judge_behind(url: str, hearing: Hearing) -> None:
    parts = urlsplit(url)
    try:
        refuse_private(parts.hostname or "", parts.port or 0, hearing)
    except OSError as error:
        raise requests.ConnectionError("a private address behind a proxy") from error


def _hear(hearing: Hearing, response: requests.Response) -> None:
    body = _read(response)
    # Apprise reads it from here; where it was cut off, the status has to do.
    response.raw = io.BytesIO(body or b"")
    response.headers.pop("Content-Encoding", None)
    document = _document(body or b"")
    rest = asked_rest(response.status_code, response.headers, document, datetime.now(UTC))
    code = document.get("code")
    hearing.answers.append(
        HttpAnswer(
            status=response.status_code,
            words=next((str(document[name]) for name in _WORDS if isinstance(document.get(name), str)), ""),
            code=code if isinstance(code, int) else None,
            rest=rest,
            is_for_all=is_for_all(response.status_code, response.headers, document),
            is_whole=body is not None,
        )
    )


def _read(response: requests.Response) -> bytes | None:
    """Return the body, None where it does not come whole, in time and at a bearable size."""
    if response.headers.get("Content-Encoding", "identity").lower() not in {"identity", "gzip", "deflate"}:
        response.close()
        return None
    body = bytearray()
    # Whatever is wrong with it, the status has been heard.
    with suppress(HTTPError, OSError, http.client.HTTPException, ValueError):
        for chunk in response.raw.stream(_CHUNK, decode_content=True):
            body += chunk
            if len(body) > MAX_BODY_BYTES:
                break
        else:
            response.close()
            return bytes(body)
    response.close()
    return None


def _document(body: bytes) -> dict[str, Any]:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}
