"""Processes that read files for a scan, side by side: what costs is hashing, which one core alone does slowly.

They are programs of their own and no forks, since a scan may be run by a process of a Celery pool, beside threads; and
what they read is hostile, so that one of them may die of it: the file is set aside then.
"""

import os
import selectors
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from types import TracebackType
from typing import NamedTuple, Self

import msgspec

from pipeline.roms.records import FileReading
from pipeline.roms.scanning.reader import Request, encode_frame

# A request of small files takes some milliseconds, so that neither process is done long before the other.
FILES_AT_ONCE = 64
BYTES_AT_ONCE = 8 * 2**20
# What is on its way to one process fits into its pipe, so that writing never waits.
PATHS_AT_ONCE = 12 * 2**10
AHEAD = 4


class ToRead(NamedTuple):
    """A file to be read: new without an `id`. `path` is as it is stored, and leads to it in the folder."""

    id: int | None
    path: bytes
    size: int
    mtime_ns: int
    inode: int


class _Asked(NamedTuple):
    files: Sequence[ToRead]
    deep: bool
    # Each by itself, after a process died of one of them.
    alone: bool = False


class _Reader:
    """One process, and what it was asked."""

    def __init__(self, root: int) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "pipeline.roms.scanning.reader", str(root)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,
            pass_fds=[root],
            start_new_session=True,
        )
        assert self._process.stdin is not None  # noqa: S101 - it is a pipe
        assert self._process.stdout is not None  # noqa: S101
        self._input, self.output = self._process.stdin, self._process.stdout
        self.asked: deque[_Asked] = deque()
        self._received = bytearray()

    @property
    def pid(self) -> int:
        return self._process.pid

    def ask(self, asked: _Asked) -> None:
        self.asked.append(asked)
        request = Request(tuple(file.path for file in asked.files), asked.deep)
        try:
            self._input.write(encode_frame(msgspec.msgpack.encode(request)))
        except BrokenPipeError:
            # Its output ends too, and there it is seen.
            return

    def answers(self) -> Iterator[bytes]:
        """Give the answers that have come; raises `EOFError` where no more will."""
        data = os.read(self.output.fileno(), 2**20)
        if not data:
            raise EOFError
        self._received += data
        while len(self._received) >= 4:
            end = 4 + int.from_bytes(self._received[:4], "big")
            if len(self._received) < end:
                return
            yield bytes(self._received[4:end])
            del self._received[:end]

    def end(self) -> None:
        # It ends at once when this is closed.
        self._input.close()
        self.output.close()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


class Readers:
    """Processes that read files of an open folder, for the length of a `with` block; they begin at the first file."""

    def __init__(self, root: int, processes: int) -> None:
        self._root = root
        self._most = max(processes, 1)
        self._readers: list[_Reader] = []
        self._selector = selectors.DefaultSelector()
        self._decoder = msgspec.msgpack.Decoder(list[FileReading])

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._selector.close()
        for reader in self._readers:
            reader.end()

    @property
    def pids(self) -> Sequence[int]:
        """The processes that there are."""
        return [reader.pid for reader in self._readers]

    def read(
        self, files: Iterable[ToRead], *, deep: bool = False, is_over: Callable[[], bool] = lambda: False
    ) -> Iterator[tuple[ToRead, FileReading]]:
        """Read files, and give each as soon as it is read, in no order; those begun when it `is_over` are the last."""
        batches = _batches(files, deep=deep)
        again: deque[_Asked] = deque()
        is_more = True
        while True:
            while is_more or again:
                if is_over():
                    is_more = False
                    again.clear()
                    break
                reader = self._idle()
                if reader is None:
                    break
                asked = again.popleft() if again else next(batches, None)
                if asked is None:
                    is_more = False
                else:
                    self._started(reader).ask(asked)
            if not any(reader.asked for reader in self._readers):
                return
            yield from self._received(again)

    def _idle(self) -> "_Reader | int | None":
        """Return a process that may be asked more: one that does nothing first, then a place for another."""
        least = min(self._readers, key=lambda reader: len(reader.asked), default=None)
        if (least is None or least.asked) and len(self._readers) < self._most:
            return len(self._readers)
        if least is None or len(least.asked) >= AHEAD or (least.asked and least.asked[-1].alone):
            return None
        return least

    def _started(self, reader: "_Reader | int") -> _Reader:
        if isinstance(reader, _Reader):
            return reader
        started = _Reader(self._root)
        self._readers.append(started)
        self._selector.register(started.output, selectors.EVENT_READ, started)
        return started

    def _received(self, again: deque[_Asked]) -> Iterator[tuple[ToRead, FileReading]]:
        for key, _ in self._selector.select():
            reader: _Reader = key.data
            try:
                for answer in reader.answers():
                    yield from zip(reader.asked.popleft().files, self._decoder.decode(answer), strict=True)
            except EOFError:
                yield from self._bury(reader, again)

    def _bury(self, reader: _Reader, again: deque[_Asked]) -> Iterator[tuple[ToRead, FileReading]]:
        """Have another process read what a dead one was asked, each file by itself; one that kills it is set aside."""
        self._selector.unregister(reader.output)
        self._readers.remove(reader)
        first, *others = reader.asked
        reader.end()
        if len(first.files) == 1 and first.alone:
            reading = FileReading(container="plain", contents=(), error="the process that read it died of it")
            yield first.files[0], reading
        else:
            again.extend(_Asked([file], first.deep, alone=True) for file in first.files)
        again.extend(others)


def _batches(files: Iterable[ToRead], *, deep: bool) -> Iterator[_Asked]:
    batch: list[ToRead] = []
    size = length = 0
    for file in files:
        if batch and (
            len(batch) == FILES_AT_ONCE or size + file.size > BYTES_AT_ONCE or length + len(file.path) > PATHS_AT_ONCE
        ):
            yield _Asked(batch, deep)
            batch, size, length = [], 0, 0
        batch.append(file)
        size += file.size
        length += len(file.path) + 4
    if batch:
        yield _Asked(batch, deep)
