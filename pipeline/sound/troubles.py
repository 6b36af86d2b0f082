"""What an error of a download means: its kind, a sentence without secrets, and what a person can do. Pure.

yt-dlp has classes for few of them: HTTP statuses and the texts of its extractors decide, which are those of yt-dlp
2026.10 (https://github.com/yt-dlp/yt-dlp/tree/master/yt_dlp/extractor), and of YouTube, Twitch and SoundCloud in them.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from types import MappingProxyType
from urllib.parse import urlsplit

import msgspec

from models.errors import LootwireError
from models.printable import on_a_line
from pipeline.sound.records import ErrorKind, MediaInfo, Trouble

REASON_LENGTH = 300
# A service that wants more is asked again after a day.
LONGEST_WAIT = 86_400.0


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    """What a child says of an error: the names of its classes and of what caused it, its text, what the answer said.

    `kind` is there where the child knows it by itself. `status` is an HTTP status, `retry_after` that header as it
    came, `sent_at` the answer's own time (`Date`).
    `errno_name` is that of a system call: `ENOSPC`. `is_inward` is True where the guard refused an address,
    `is_expected` where yt-dlp does not take the error for a mistake of its own. `while_downloading` is after the probe.
    """

    names: tuple[str, ...]
    text: str
    kind: ErrorKind | None = None
    status: int | None = None
    retry_after: str | None = None
    sent_at: str | None = None
    errno_name: str | None = None
    is_inward: bool = False
    is_expected: bool = False
    with_cookies: bool = False
    while_downloading: bool = False


class FetchTroubled(LootwireError):
    """A sound was not fetched; `trouble` says why, `media` what the service said of it, where it said anything."""

    def __init__(self, trouble: Trouble, media: MediaInfo | None = None) -> None:
        super().__init__(trouble.reason)
        self.trouble = trouble
        self.media = media


_BY_CLASS: Mapping[str, ErrorKind] = MappingProxyType(
    {
        "GeoRestrictedError": "geo",
        "UnsupportedError": "unsupported",
        "UserNotLive": "upcoming",
        # An address, or a redirect, that is none of the web: `file:`, `ftp:`.
        "InvalidSchema": "unsupported",
        "UnsupportedRequest": "unsupported",
        "NoSupportingHandlers": "unsupported",
        "_UnsafeExtensionError": "unsupported",
        "CookieLoadError": "cookies",
        "MemoryError": "broken",
    }
)
_BY_ERRNO: Mapping[str, ErrorKind] = MappingProxyType(
    {
        "ENOSPC": "disk",
        "EDQUOT": "disk",
        "EROFS": "disk",
        "EACCES": "disk",
        "EFBIG": "quota",
    }
)
# The first that fits decides, so the narrower ones come first.
_TEXTS: Sequence[tuple[ErrorKind, Sequence[str]]] = (
    ("rate", ("not a bot", "rate.?limit", "too many requests", "try again later", "ip is likely being blocked")),
    ("drm", (r"\bdrm\b",)),
    (
        "upcoming",
        ("premieres? (?:in|will)", "will begin (?:in|shortly)", "live event is scheduled", "has not started yet"),
    ),
    ("live", (r"is (?:still |currently )?live\b", "live (?:hls )?streams? (?:are|is) not supported")),
    (
        "members",
        (
            *("members?[- ]only", "channel's members", "subscriber[- ]only", "premium members", "for subscribers"),
            *("requires payment", "vod_manifest_restricted", "must be purchased", "patrons? only"),
            r"only available to (?:\w+ ){0,3}(?:members|subscribers)",
        ),
    ),
    ("geo", ("in your (?:country|region)", "from your location", "geo.?restrict", "geo.?block")),
    (
        "private",
        (r"\bprivate (?:video|track|playlist|account)", "(?:video|track|it|playlist) is private", "password"),
    ),
    (
        "sign_in",
        (
            *(
                "sign in to",
                "log ?in (?:to|is )",
                "logged[- ]in",
                "login required",
                "registered users",
                "--cookies",
            ),
            *("requires? authentication", "age[- ]restricted", "confirm your age"),
        ),
    ),
    (
        "gone",
        (
            *("does not exist", "doesn't exist", "no longer (?:available|exists)", "not found", "has expired"),
            *(
                "has been (?:removed|deleted|terminated)",
                "been terminated",
                "removed by",
                "content isn't available",
            ),
            "(?:video|track|playlist)(?: is)? unavailable",
        ),
    ),
    (
        "unsupported",
        (
            *("unsupported url", "no suitable extractor", "is not a valid url", "no video formats found"),
            *("ffmpeg", "requested format is not available", "unsafe file ext"),
        ),
    ),
    ("network", ("giving up after", "bytes read", "timed out", "connection (?:reset|refused|aborted|broken)")),
)
_BY_TEXT = tuple((kind, re.compile("|".join(patterns), re.IGNORECASE)) for kind, patterns in _TEXTS)
_NETWORK = frozenset(
    {
        *("TransportError", "IncompleteRead", "ContentTooShortError", "SSLError", "ProxyError", "TimeoutError"),
        *("gaierror", "ConnectionError", "ConnectionResetError", "ConnectionRefusedError", "RemoteDisconnected"),
    }
)
_SENTENCES: Mapping[ErrorKind, str] = MappingProxyType(
    {
        "gone": "It is not there any more",
        "private": "It is private",
        "members": "It is for members or subscribers only",
        "geo": "The service does not give it to this country",
        "drm": "It is protected by DRM",
        "unsupported": "There is no sound or video that yt-dlp can fetch",
        "broken": "What came is no sound that can be read",
        "too_long": "It took too long",
        "sign_in": "The service wants somebody to sign in",
        "cookies": "The cookies for this host do not sign in any more",
        "disk": "The data directory cannot be written",
        "quota": "There is no room for it in what LOOTWIRE_SOUND_MB allows",
        "tool": "yt-dlp could not read the service's answer",
        "rate": "The service wants to be left alone for a while",
        "server": "The service has a failure",
        "network": "The connection failed",
        "live": "It is live: it is fetched after its end",
        "upcoming": "It has not begun yet",
    }
)
_FILES_OF_ONES_OWN = "files of your own become sounds by lootwire sounds scan FOLDER"
_WAYS_OUT: Mapping[ErrorKind, str] = MappingProxyType(
    {
        "sign_in": "give the cookies of a browser that is signed in: lootwire sounds cookies set HOST FILE",
        "cookies": "give the browser's cookies anew: lootwire sounds cookies set HOST FILE",
        "disk": "make room, then lootwire sounds retry",
        "quota": "remove sounds, let shows keep less, or raise LOOTWIRE_SOUND_MB; then lootwire sounds retry",
        "tool": "lootwire sounds update-extractors, then lootwire sounds retry",
        "unsupported": "open the address in a browser: is it the page of one sound or video?",
        "members": "lootwire sounds retry, once you may see it",
        "private": "lootwire sounds retry, once you may see it",
    }
)
_BY_STATUS: Mapping[int, ErrorKind] = MappingProxyType(
    {
        401: "sign_in",
        402: "members",
        403: "sign_in",
        404: "gone",
        407: "network",
        408: "network",
        410: "gone",
        425: "rate",
        429: "rate",
        451: "geo",
        # "Bandwidth limit exceeded", which no standard has.
        509: "rate",
    }
)


def trouble(kind: ErrorKind, detail: str = "", *, retry_after: float | None = None) -> Trouble:
    """Return a trouble of a kind, with what is known beyond it; addresses in `detail` lose all but their host."""
    more = without_secrets(detail)
    reason = f"{_SENTENCES[kind]}: {more}" if more else f"{_SENTENCES[kind]}."
    return Trouble(kind=kind, reason=reason, way_out=_WAYS_OUT.get(kind), retry_after=retry_after)


def read_failure(failure: Failure, now: datetime) -> Trouble:
    """Return what an error of the child means; `now` counts where the answer does not say when it was sent."""
    if failure.is_inward:
        inward = trouble("unsupported", "its address, or one that it leads to, is inside a private network")
        return msgspec.structs.replace(inward, way_out=_FILES_OF_ONES_OWN)
    kind = _kind(failure)
    if kind == "sign_in" and failure.with_cookies:
        kind = "cookies"
    wait = _wait(failure, now) if kind in {"rate", "server"} else None
    return trouble(kind, _said(failure), retry_after=wait)


def _kind(failure: Failure) -> ErrorKind:
    known = failure.kind or _BY_ERRNO.get(failure.errno_name or "")
    by_class = next((_BY_CLASS[name] for name in failure.names if name in _BY_CLASS), None)
    if failure.status is not None:
        return known or _of_answer(failure, failure.status, by_class)
    return known or by_class or _by_text(failure.text) or _without_answer(failure)


def _of_answer(failure: Failure, status: int, by_class: ErrorKind | None) -> ErrorKind:
    if status in {408, 425, 429} or status >= 500:
        return _BY_STATUS.get(status, "server")
    if status in {401, 403, 404, 410} and failure.while_downloading:
        # The address of a medium that was given a moment ago: it has expired, and another try gets a new one, or hears
        # from the page what is wrong.
        return "server"
    # What a service says of a refusal is more than its status, but for the words that HTTP itself has for that.
    by_text = _by_text(failure.text.replace(f"HTTP Error {status}", ""))
    return by_class or (by_text if by_text != "gone" else None) or _BY_STATUS.get(status, "unsupported")


def _without_answer(failure: Failure) -> ErrorKind:
    if not _NETWORK.isdisjoint(failure.names):
        return "network"
    return "unsupported" if failure.is_expected else "tool"


def _by_text(text: str) -> ErrorKind | None:
    return next((kind for kind, pattern in _BY_TEXT if pattern.search(text)), None)


def _said(failure: Failure) -> str:
    if failure.status is not None:
        return f"HTTP status {failure.status}"
    return failure.text


def _wait(failure: Failure, now: datetime) -> float | None:
    """Return the seconds of a `Retry-After` (RFC 9110, 10.2.3), which is a number of them or a time."""
    value = (failure.retry_after or "").strip()
    if value.isascii() and value.isdigit():
        return min(float(value), LONGEST_WAIT)
    until, sent_at = _time(value), _time(failure.sent_at or "") or now
    return None if until is None else min(max((until - sent_at).total_seconds(), 0.0), LONGEST_WAIT)


def _time(value: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(value)
    except (ValueError, TypeError):
        return None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


_ADDRESS = re.compile(r"\b(?:[a-z][a-z0-9+.-]*)://[^\s'\"<>)\]]+", re.IGNORECASE)
# The rest of one, as urllib3 names it by itself, and what may be a signature.
_PATH = re.compile(r"(?<=\burl: )/\S*|\?[\w%.~-]+=\S*")
# What yt-dlp adds for its own users, and the name of the extractor before it.
_FOR_OTHERS = re.compile(
    r"(?:[;.]\s*)?(?:please report this issue|use --\S+|see\s+https?://\S+|try again with|confirm you are on the latest"
    r"|also see https?://\S+|\(caused by ).*",
    re.IGNORECASE | re.DOTALL,
)
_PREFIX = re.compile(r"^(?:ERROR:\s*)?(?:\[[\w:+.-]+\]\s*)?(?:[\w-]{1,80}:\s+)?")


def without_secrets(text: str) -> str:
    """Return a service's sentence as one line, without yt-dlp's own words: addresses are cut down to their hosts."""
    plain = _FOR_OTHERS.sub("", _PREFIX.sub("", text))
    return on_a_line(" ".join(_PATH.sub("…", _ADDRESS.sub(_host, plain)).split()), REASON_LENGTH).strip().rstrip(":;,")


def _host(address: re.Match[str]) -> str:
    try:
        return urlsplit(address[0]).hostname or "an address"
    except ValueError:
        return "an address"
