"""Where an export goes: a file that appears when it is whole, or standard output; compressed by zstd on demand."""

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from models.errors import LootwireError, UsageError
from models.privacy import PRIVATE_FILE

STANDARD_OUTPUT = Path("-")
COMPRESSED = ".zst"


@contextmanager
def destination(output: Path) -> Iterator[IO[bytes]]:
    """Give a stream to write to; raises `LootwireError` where nothing can be written."""
    if output == STANDARD_OUTPUT:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    with _appearing(output) as path, path.open("wb") as file:
        if output.suffix == COMPRESSED:
            with _compressing(file) as stream:
                yield stream
        else:
            yield file
        file.flush()
        os.fsync(file.fileno())


@contextmanager
def database_file(output: Path) -> Iterator[Path]:
    """Give the path of a file for another program to write; afterwards it is moved, or compressed, to the output."""
    if output == STANDARD_OUTPUT:
        raise UsageError("SQLite cannot be written to standard output: give --output PATH")
    if output.suffix != COMPRESSED:
        with _appearing(output) as path:
            yield path
        return
    with tempfile.TemporaryDirectory(prefix=".lootwire-", dir=_folder_of(output)) as folder:
        path = Path(folder) / "database"
        yield path
        with destination(output) as stream, path.open("rb") as written:
            while data := written.read(2**20):
                stream.write(data)


@contextmanager
def _appearing(output: Path) -> Iterator[Path]:
    """Give a path beside the output, which takes its place when all went well."""
    handle, name = tempfile.mkstemp(prefix=f".{output.name}-", suffix=".part", dir=_folder_of(output))
    os.close(handle)
    path = Path(name)
    try:
        yield path
        # SQLite may have made it anew.
        path.chmod(PRIVATE_FILE)
        path.replace(output)
    except OSError as error:
        raise LootwireError(f"cannot write {output}: {error.strerror or error}") from error
    finally:
        path.unlink(missing_ok=True)


def _folder_of(output: Path) -> Path:
    folder = output.absolute().parent
    if not folder.is_dir():
        raise UsageError(f"cannot write {output}: there is no folder {folder}")
    if output.is_dir():
        raise UsageError(f"cannot write {output}: it is a folder")
    return folder


def _compressing(file: IO[bytes]) -> Any:
    if sys.version_info >= (3, 14):
        from compression import zstd

        return zstd.open(file, "w")
    import zstandard

    return zstandard.ZstdCompressor(level=6).stream_writer(file, closefd=False)
