"""Mend broken JSON, in a process of its own: a hostile file can make the mending take hours.

    python -m pipeline.importer.repair

reads payloads from standard input and writes mended ones, each preceded by its length; zero means "cannot be mended".
"""

import resource
import struct
import subprocess
import sys
from types import TracebackType
from typing import IO, Self

# Cutting a real payload off costs a tenth of a second; 100 KB of quotation marks cost three minutes.
_CPU_SECONDS = 2
_MEMORY = 2**30
_LARGEST = 4 * 2**20
_LENGTH = struct.Struct(">I")


class Mender:
    """A process that mends payloads, started when the first one needs it; use it in a `with` block."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._stop()

    def mend(self, payload: bytes) -> bytes | None:
        """Return a payload as valid JSON; None where mending takes long, or it is no JSON at all."""
        if len(payload) > _LARGEST or payload.lstrip()[:1] not in {b"{", b"["}:
            return None
        process = self._running()
        if process.stdin is None or process.stdout is None:
            return None
        try:
            _write(process.stdin, payload)
            mended = _read(process.stdout)
        except (OSError, EOFError):
            # It ran into its limits; the next payload gets a new one.
            self._stop()
            return None
        return mended or None

    def _running(self) -> "subprocess.Popen[bytes]":
        if self._process is None:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "pipeline.importer.repair"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )
        return self._process

    def _stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None


def serve(received: IO[bytes], sent: IO[bytes]) -> None:
    """Mend payload after payload until the other side is gone."""
    import json_repair
    import msgspec

    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    while True:
        payload = _read(received)
        used = resource.getrusage(resource.RUSAGE_SELF)
        spent = int(used.ru_utime + used.ru_stime)
        # A limit of CPU time: a machine under load must not make a payload unmendable.
        resource.setrlimit(resource.RLIMIT_CPU, (spent + _CPU_SECONDS, resource.RLIM_INFINITY))
        try:
            value = json_repair.loads(payload.decode(errors="replace"), skip_json_loads=True)
            mended = msgspec.json.encode(value) if isinstance(value, dict | list) else b""
        except Exception:  # noqa: BLE001 - whatever it stumbles over, the payload cannot be mended
            mended = b""
        _write(sent, mended)


def _write(stream: IO[bytes], payload: bytes) -> None:
    stream.write(_LENGTH.pack(len(payload)) + payload)
    stream.flush()


def _read(stream: IO[bytes]) -> bytes:
    (length,) = _LENGTH.unpack(_exactly(stream, _LENGTH.size))
    return _exactly(stream, length)


def _exactly(stream: IO[bytes], length: int) -> bytes:
    data = stream.read(length)
    if len(data) < length:
        raise EOFError
    return data


if __name__ == "__main__":
    try:
        serve(sys.stdin.buffer, sys.stdout.buffer)
    except (EOFError, OSError):
        sys.exit(0)
