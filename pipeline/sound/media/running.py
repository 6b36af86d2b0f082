"""Runs ffmpeg on local files: a process group of its own, with a limit of time, that cannot outlive its caller."""

import contextlib
import ctypes
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path

import msgspec

from models.errors import LootwireError
from pipeline.sound.media.saying import trouble_of
from pipeline.sound.records import Trouble

# What it may open: no playlist and no list of files, which could lead to other files or into the network.
_FORMATS = (
    "aac,ac3,aiff,amr,ape,asf,au,avi,caf,dsf,eac3,flac,flv,matroska,webm,mov,mp4,m4a,3gp,3g2,mj2,mp3,mpc,mpc8,mpeg,mpegts,"
    "ogg,opus,tta,voc,w64,wav,wv"
)
LOCAL = ("-protocol_whitelist", "file,pipe", "-format_whitelist", _FORMATS)
# Of what it says, that much of the beginning and of the end is kept.
_KEPT = 256 * 2**10
_LOOK_EVERY = 0.5
_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None)
_QUESTION_LIMIT = 30.0


class MediaFailed(LootwireError):
    """A file could not be read or rendered; `trouble` says why, and `is_passing` that the same may go well again."""

    def __init__(self, trouble: Trouble, *, is_passing: bool = False) -> None:
        super().__init__(trouble.reason if trouble.way_out is None else f"{trouble.reason}; {trouble.way_out}")
        self.trouble = trouble
        self.is_passing = is_passing


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """What a run brought: all that it said (its beginning and end, if that is long) and the seconds of sound made."""

    text: str
    seconds: float


def run(
    program: Path,
    arguments: Sequence[str | Path],
    *,
    limit: timedelta,
    on_progress: Callable[[float], None] | None = None,
    ending_well: frozenset[int] = frozenset({0}),
) -> Run:
    """Run ffmpeg to its end; raises `MediaFailed` where it fails, or takes longer than the limit (wall clock).

    `on_progress` gets the seconds of sound made so far, about twice a second; what it raises ends ffmpeg and comes out
    here. The thread that calls must be the one that stays: ffmpeg dies with it (Linux).
    """
    argv = [program, "-nostdin", "-hide_banner", "-nostats", "-progress", "pipe:1", *arguments]
    try:
        process = subprocess.Popen(
            [os.fspath(part) for part in argv],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C.UTF-8", "TZ": "UTC"},
            start_new_session=True,
            preexec_fn=_dying_with(os.getpid()),  # noqa: PLW1509 - one call into libc, and nothing of Python's locks
        )
    except OSError as error:
        trouble = Trouble(
            kind="tool", reason=f"cannot run {program}: {error.strerror}", way_out="see `lootwire doctor`"
        )
        raise MediaFailed(trouble) from error
    listener = _Listener(process, on_progress)
    try:
        is_in_time = listener.listen(time.monotonic() + limit.total_seconds())
    finally:
        _end(process)
    if not is_in_time:
        raise MediaFailed(Trouble(kind="broken", reason=f"ffmpeg was not done within {limit}"))
    if process.returncode not in ending_well:
        raise _failure(process.returncode, listener.text)
    return Run(text=listener.text, seconds=listener.seconds)


def output_of(program: Path, arguments: Sequence[str]) -> str:
    """Return what a question such as `-version` is answered with; raises `OSError` where it is not within 30 s.

    Raises `MediaFailed` where it was killed meanwhile: half of an answer would look as if it could do less.
    """
    try:
        answer = subprocess.run(
            [os.fspath(program), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            timeout=_QUESTION_LIMIT,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise TimeoutError(0, "it does not answer") from error
    if answer.returncode < 0:
        raise _failure(answer.returncode, "")
    return answer.stdout.decode(errors="replace")


class _Listener:
    """Hears a running ffmpeg: what it says on its error output, and how far it is on its output."""

    def __init__(self, process: subprocess.Popen[bytes], on_progress: Callable[[float], None] | None) -> None:
        assert process.stdout is not None  # noqa: S101 - they are pipes
        assert process.stderr is not None  # noqa: S101
        self._process = process
        self._report = on_progress
        self._progress = b""
        self._beginning = b""
        self._end = b""
        self.seconds = 0.0
        self._selector = selectors.DefaultSelector()
        self._selector.register(process.stdout, selectors.EVENT_READ, self._hear_progress)
        self._selector.register(process.stderr, selectors.EVENT_READ, self._hear_words)

    @property
    def text(self) -> str:
        return (self._beginning + self._end).decode(errors="replace")

    def listen(self, until: float) -> bool:
        """Hear it to its end; returns whether that came in time."""
        with self._selector:
            while self._selector.get_map():
                if time.monotonic() >= until:
                    return False
                for key, _ in self._selector.select(_LOOK_EVERY):
                    if data := os.read(key.fd, 2**16):
                        key.data(data)
                    else:
                        self._selector.unregister(key.fileobj)
        try:
            self._process.wait(max(until - time.monotonic(), 1))
        except subprocess.TimeoutExpired:
            return False
        return True

    def _hear_words(self, data: bytes) -> None:
        room = _KEPT - len(self._beginning)
        self._beginning += data[:room] if room else b""
        self._end = (self._end + data[room:])[-_KEPT:]

    def _hear_progress(self, data: bytes) -> None:
        *lines, self._progress = (self._progress + data).split(b"\n")
        for line in lines:
            name, _, value = line.partition(b"=")
            # `N/A` before the first packet.
            if name == b"out_time_us" and value.strip().isdigit():
                self.seconds = int(value) / 1e6
        if self._report is not None:
            self._report(self.seconds)


def _end(process: subprocess.Popen[bytes]) -> None:
    """See that nothing of it lives on; where it has ended, there is nobody left in its group."""
    if process.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    for pipe in (process.stdout, process.stderr):
        if pipe is not None:
            pipe.close()


def _failure(code: int, text: str) -> MediaFailed:
    if code < 0:
        name = signal.Signals(-code).name if -code in set(signal.Signals) else str(-code)
        # A kill by hand or for want of memory; a crash (SEGV, ABRT, FPE) is the file's doing, and would be again.
        is_passing = -code in {signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP}
        return MediaFailed(
            Trouble(kind="tool" if is_passing else "broken", reason=f"ffmpeg was ended by {name}"),
            is_passing=is_passing,
        )
    return MediaFailed(trouble_of(text))


def _dying_with(parent: int) -> Callable[[], None]:
    def prepare() -> None:
        if sys.platform == "linux":
            _LIBC.prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL))
            if os.getppid() != parent:  # it died before we asked
                os._exit(1)

    return prepare
