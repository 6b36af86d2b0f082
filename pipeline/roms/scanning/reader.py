"""A process that reads files for a scan: requests come by its standard input, readings go to its standard output.

`python -m pipeline.roms.scanning.reader 7` reads below the folder that is open as descriptor 7. It ends with the
process that started it, whatever killed that: its standard input is closed then.
"""

import gc
import os
import queue
import resource
import sys
import threading
from collections.abc import Callable

import msgspec

from pipeline.roms.reading import Limits, read_file
from pipeline.roms.records import FileReading

# More than any archive may need by the limits of reading: one that takes more is set aside, not the scan.
MOST_MEMORY = 2 * 2**30


class Request(msgspec.Struct, frozen=True, array_like=True):
    """Files to read, by their paths in the folder, archives with all hashes where `deep`."""

    paths: tuple[bytes, ...]
    deep: bool = False


def encode_frame(body: bytes) -> bytes:
    """Return a message with its length before it."""
    return len(body).to_bytes(4, "big") + body


def main() -> None:
    """Answer requests until there are no more."""
    root = int(sys.argv[1])
    requests: queue.SimpleQueue[Request] = queue.SimpleQueue()
    threading.Thread(target=_receive, args=(requests.put,), daemon=True).start()
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    gc.disable()
    encoder, limits = msgspec.msgpack.Encoder(), Limits()
    while True:
        request = requests.get()
        readings = [_read(root, path, limits, deep=request.deep) for path in request.paths]
        _send(encode_frame(encoder.encode(readings)))
        # What is unpacked may leave cycles; plain files do not.
        if any(reading.container != "plain" for reading in readings):
            gc.collect(0)


def _read(root: int, path: bytes, limits: Limits, *, deep: bool) -> FileReading:
    try:
        return read_file(root, path, limits, deep=deep)
    except MemoryError:
        return FileReading(container="plain", contents=(), error="reading it needs more memory than a file may take")
    except Exception as error:  # noqa: BLE001 - one file, however odd, must not end a scan of a hundred thousand
        return FileReading(container="plain", contents=(), error=f"cannot be read: {type(error).__name__}: {error}")


def _receive(take: Callable[[Request], None]) -> None:
    decoder = msgspec.msgpack.Decoder(Request)
    # Without the buffer's lock, which the interpreter would want at its end.
    while len(head := _exactly(4)) == 4:
        take(decoder.decode(_exactly(int.from_bytes(head, "big"))))
    # Also in the middle of a file: nobody waits for it any more.
    os._exit(0)


def _exactly(count: int) -> bytes:
    data = b""
    while len(data) < count and (more := os.read(0, count - len(data))):
        data += more
    return data


def _send(data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(1, view) :]


if __name__ == "__main__":
    main()
