"""Runs the child that fetches, and ends it with all that it started when its time is over or its work is another's."""

import os
import selectors
import signal
import subprocess
import sys
import sysconfig
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

import msgspec

from pipeline.sound.downloading import wire
from pipeline.sound.downloading.sniffing import HEAD, extension_of, is_text
from pipeline.sound.downloading.wire import Limits, Listing, Progress
from pipeline.sound.records import MediaInfo, Trouble
from pipeline.sound.troubles import FetchTroubled, read_failure, trouble

# How often the parent is heard at least, in seconds.
BEAT = 1.0
# A probe reads some pages: what takes longer drips.
PROBE_SECONDS = 240.0
# A line of the child is a document of ours, with at most 1,000 chapters or 200 entries.
LINE_BYTES = 16 * 2**20
# What goes to the child of our own environment: where this machine has its certificates and libraries.
PASSED_ON = ("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "LD_LIBRARY_PATH", "SYSTEMROOT", "TZ")
# Ports of local servers, parted by commas: tests and the demo set it for all that they start.
LOOPBACK_PORTS = "LOOTWIRE_SOUND_LOOPBACK_PORTS"
_COOKIES = "cookies.txt"

Beat = Callable[[Progress | None], None]


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """An address to fetch from. `workspace` is a folder of this job alone, kept from try to try: a download goes on.

    `extractors` is the folder of a newer yt-dlp (`updating.newest`); `cookies` a Netscape cookie file's content, which
    the child gets as a file of mode 0600 that is removed as soon as it is read. `loopback_ports` are for tests: None
    takes those that the environment names.
    """

    url: str
    workspace: Path
    extractors: Path | None = None
    cookies: bytes | None = None
    limits: Limits = Limits()
    # The most entries of a list.
    entries: int = 50
    loopback_ports: tuple[int, ...] | None = None


class Subtitled(msgspec.Struct, frozen=True, kw_only=True):
    """Subtitles that came with a sound; `format` is `vtt` or `srt`."""

    path: Path
    language: str
    format: str


class Downloaded(msgspec.Struct, frozen=True, kw_only=True):
    """A sound in its workspace, with the bytes that the service sent, and what came beside it.

    `extension` is what the bytes are (`m4a`, `ts`, `mp3`, `webm`), whatever the service called them.
    """

    media: MediaInfo
    path: Path
    extension: str
    size: int
    subtitles: tuple[Subtitled, ...] = ()
    thumbnail: Path | None = None


class ChildEnded(FetchTroubled):
    """The child ended without a last word: something killed it, or a mistake of its own or of ours did."""


def probe(job: Job, beat: Beat | None = None) -> MediaInfo | Listing:
    """Return what an address holds: one sound, or a list of them.

    `beat` is called with the progress, and at least once a second; what it raises ends the child and is passed on.
    Raises `FetchTroubled`, also for what is live or begins later; its `media` says what is known of it.
    """
    message = _run(job, "probe", beat)
    if isinstance(message, wire.Probed) and (held := message.media or message.listing) is not None:
        return held
    raise FetchTroubled(trouble("tool", "yt-dlp said nothing of this address"))


def download(job: Job, beat: Beat | None = None) -> Downloaded:
    """Fetch the sound of an address into its workspace, from where the last try ended; raises as `probe` does.

    Its bytes are those that the service sent. A page that came in their place is `broken`, and removed.
    """
    message = _run(job, "download", beat)
    if not isinstance(message, wire.Fetched):
        raise FetchTroubled(trouble("tool", "yt-dlp ended without a file"))
    path = _inside(job.workspace, message.name)
    with path.open("rb") as file:
        head = file.read(HEAD)
    extension = extension_of(head)
    if not head or (extension is None and is_text(head)):
        path.unlink()
        said = "a page came in place of a sound" if head else "nothing came"
        raise FetchTroubled(trouble("broken", said), message.media)
    return Downloaded(
        media=message.media,
        path=path,
        extension=extension or path.suffix[1:].lower() or "bin",
        size=path.stat().st_size,
        subtitles=tuple(
            Subtitled(path=_inside(job.workspace, each.name), language=each.language, format=each.format)
            for each in message.subtitles
        ),
        thumbnail=_inside(job.workspace, message.thumbnail) if message.thumbnail is not None else None,
    )


def _run(job: Job, act: str, beat: Beat | None) -> wire.Message:
    """Return the last word of a child; raises `FetchTroubled` for a failure."""
    _check_address(job.url)
    job.workspace.mkdir(mode=0o700, parents=True, exist_ok=True)
    cookies = _write_cookies(job)
    try:
        request = msgspec.convert(
            {
                "act": act,
                "url": job.url,
                "workspace": os.fspath(job.workspace.absolute()),
                "limits": msgspec.to_builtins(job.limits),
                "entries": job.entries,
                "cookies": os.fspath(cookies) if cookies is not None else None,
                "extractors": os.fspath(job.extractors) if job.extractors is not None else None,
                "deno": _deno(),
                "loopback_ports": _loopback_ports() if job.loopback_ports is None else job.loopback_ports,
            },
            wire.Request,
        )
        with _Child(request) as child:
            message = child.listen(beat or _unheard)
    finally:
        if cookies is not None:
            cookies.unlink(missing_ok=True)
    if isinstance(message, wire.Failed):
        raise FetchTroubled(_meaning(message), message.media)
    return message


def _meaning(failed: wire.Failed) -> Trouble:
    now = datetime.now(UTC)
    meaning = read_failure(failed.failure, now)
    if meaning.kind == "upcoming" and failed.media is not None and failed.media.starts_at is not None:
        wait = max((failed.media.starts_at - now).total_seconds(), 60.0)
        return msgspec.structs.replace(meaning, retry_after=wait)
    return meaning


def _check_address(url: str) -> None:
    try:
        parts = urlsplit(url)
        is_of_web = parts.scheme.lower() in {"http", "https"} and bool(parts.hostname)
    except ValueError:
        is_of_web = False
    if not is_of_web:
        raise FetchTroubled(trouble("unsupported", "an address begins with https:// or http:// and names a host"))


def _write_cookies(job: Job) -> Path | None:
    path = job.workspace.absolute() / _COOKIES
    # One that a killed try has left behind.
    path.unlink(missing_ok=True)
    if job.cookies is None:
        return None
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(job.cookies)
    return path


def _loopback_ports() -> tuple[int, ...]:
    return tuple(int(port) for port in os.environ.get(LOOPBACK_PORTS, "").split(",") if port.strip().isdigit())


def _deno() -> str | None:
    """Return the path of deno, where the group `youtube` is installed: its wheel puts that program there."""
    path = Path(sysconfig.get_path("scripts")) / "deno"
    return os.fspath(path) if path.is_file() else None


def _inside(workspace: Path, name: str) -> Path:
    path = workspace / Path(name).name
    if path.is_symlink() or not path.is_file():
        raise FetchTroubled(trouble("tool", "yt-dlp named a file that is not there"))
    return path


def _unheard(_progress: Progress | None) -> None:
    """Nobody is told of the progress."""


class _Child:
    """A process that fetches, in a group and session of its own; at the end of the `with` block none of it is left."""

    def __init__(self, request: wire.Request) -> None:
        self._request = request
        self._decoder: msgspec.json.Decoder[wire.Message] = msgspec.json.Decoder(wire.Message)
        environment = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
        environment |= {
            # yt-dlp finds no program there, above all no ffmpeg, which would open addresses past the guard.
            "PATH": os.devnull,
            "HOME": request.workspace,
            "TMPDIR": request.workspace,
            "LANG": "C.UTF-8",
            "YTDLP_NO_PLUGINS": "1",
            "DENO_NO_UPDATE_CHECK": "1",
        }
        # Isolated: no variable, no folder of a person's own and no working directory adds a module.
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-m", "pipeline.sound.downloading.child"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
            bufsize=0,
            start_new_session=True,
        )
        assert self._process.stdin is not None  # noqa: S101 - it is a pipe
        assert self._process.stdout is not None  # noqa: S101
        self._input, self._output = self._process.stdin, self._process.stdout

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._input.close()
        self._output.close()
        self._process.wait()

    def listen(self, beat: Beat) -> wire.Message:
        """Ask, and return the child's last word; raises `FetchTroubled` where its time is over or nothing comes."""
        with suppress(BrokenPipeError):
            # Its output ends too, and there it is seen.
            self._input.write(msgspec.json.encode(self._request) + b"\n")
        deadlines = _Deadlines(self._request)
        received = bytearray()
        with selectors.DefaultSelector() as selector:
            selector.register(self._output, selectors.EVENT_READ)
            while True:
                if selector.select(BEAT):
                    data = os.read(self._output.fileno(), 2**16)
                    received += data
                    if not data or len(received) > LINE_BYTES:
                        return self._ended()
                *lines, rest = received.split(b"\n")
                received = bytearray(rest)
                for line in lines:
                    message = self._decoder.decode(line)
                    if not isinstance(message, Progress):
                        return message
                    deadlines.note(message)
                    beat(message)
                if not lines:
                    beat(None)
                deadlines.check()

    def _ended(self) -> wire.Message:
        """Say why a child ended without a last word: killed for its memory, or by a mistake of its own or of ours."""
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(10)
        code = self._process.returncode
        said = f"killed by signal {-code}" if code is not None and code < 0 else f"code {code}"
        raise ChildEnded(trouble("tool", f"the program that fetches ended ({said})"))


class _Deadlines:
    """When a child's time is over: all of it, or that in which something must have come."""

    def __init__(self, request: wire.Request) -> None:
        self._limits = request.limits
        self._seconds = min(PROBE_SECONDS, request.limits.seconds) if request.act == "probe" else request.limits.seconds
        self._is_probe = request.act == "probe"
        self._began = self._moved = time.monotonic()
        self._size = -1

    def note(self, progress: Progress) -> None:
        """Take a progress for one if more has come than a drip since the last."""
        # Of a stream in parts, that which is being fetched may be counted anew.
        if progress.size < self._size or progress.size - self._size >= self._limits.least:
            self._size, self._moved = progress.size, time.monotonic()

    def check(self) -> None:
        """Raise `FetchTroubled` where the time is over."""
        now = time.monotonic()
        if now - self._began > self._seconds:
            if self._is_probe:
                raise FetchTroubled(trouble("network", f"no answer within {self._seconds:,.0f} seconds"))
            raise FetchTroubled(trouble("too_long", f"more than {self._seconds / 3600:g} hours"))
        if not self._is_probe and now - self._moved > self._limits.patience:
            raise FetchTroubled(trouble("network", f"next to nothing came for {self._limits.patience:,.0f} seconds"))
