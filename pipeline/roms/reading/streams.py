"""Read a gz or a tar in the same pass that hashes the file itself."""

import gzip
import io
import os
import tarfile
from collections.abc import Iterator
from typing import IO

from pipeline.roms.reading.hashing import Hasher, as_text, hashed
from pipeline.roms.reading.limits import Limits, Spending, TooMuch
from pipeline.roms.reading.telling import BEGIN, kind_of
from pipeline.roms.reading.trouble import BROKEN, Broken, Contents, Troubles
from pipeline.roms.records import Container, Content

_STEP = 2**18
# Header blocks with long names and attributes.
_MAX_HEADER = 2**16
_HEADERS = (tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK, b"x", b"g", b"X")


class Source(io.RawIOBase):
    """An open file that hashes what is read from it."""

    def __init__(self, file: int, hasher: Hasher) -> None:
        self._file = file
        self._hasher = hasher

    def readable(self) -> bool:
        """Say that it can be read from."""
        return True

    def readinto(self, buffer: "bytearray | memoryview") -> int:  # type: ignore[override]
        """Read the next bytes."""
        # The first block is as long as what tells a header.
        count = os.readv(self._file, [buffer])
        if count:
            self._hasher.update(memoryview(buffer)[:count])
        return count

    def drain(self) -> None:
        """Read what is left, so that the hashes are those of the whole file."""
        while data := os.read(self._file, _STEP):
            self._hasher.update(data)


def read_stream(source: Source, kind: str, size: int, name: str, limits: Limits) -> tuple[Container, Contents]:
    """Return the members of a gz or tar, which are hashed whole, and which of both it is.

    `name` is the file's own, of which a gz's member has what stands before `.gz`.
    """
    spending, troubles = Spending(limits, size), Troubles()
    buffered = io.BufferedReader(source, _STEP)
    container: Container = "tar" if kind == "tar" else "gz"
    members: list[Content] = []
    try:
        if kind == "tar":
            _read_tar(buffered, members, spending)
        else:
            with gzip.GzipFile(fileobj=buffered, mode="rb") as unpacked, io.BufferedReader(unpacked, _STEP) as stream:
                if kind_of(stream.peek(BEGIN)[:BEGIN]) == "tar":
                    container = "tar"
                    _read_tar(stream, members, spending)
                else:
                    members.append(hashed(_within(name), None, _blocks(stream, spending)))
    except TooMuch as error:
        members.clear()
        troubles.add(None, error)
    except (*BROKEN, tarfile.TarError) as error:
        troubles.add(None, error)
    finally:
        buffered.detach()
    return container, Contents(members=tuple(members), error=troubles.sentence())


def _within(name: str) -> str:
    return name[:-3] if name.lower().endswith(".gz") else name


def _blocks(stream: IO[bytes], spending: Spending) -> Iterator[bytes]:
    while block := stream.read(_STEP):
        spending.add_bytes(len(block))
        yield block


class _Member(tarfile.TarInfo):
    """A member of a tar whose header blocks cannot fill the memory."""

    @classmethod
    def fromtarfile(cls, archive: tarfile.TarFile) -> "_Member":
        """Return the next member; raises for a damaged header in the middle, which tarfile takes for the end."""
        try:
            return super().fromtarfile(archive)
        except (tarfile.InvalidHeaderError, tarfile.TruncatedHeaderError) as error:  # type: ignore[attr-defined]
            raise Broken(f"damaged inside: {error}") from error

    def _proc_member(self, archive: tarfile.TarFile) -> tarfile.TarInfo:
        if self.type in _HEADERS and self.size > _MAX_HEADER:
            raise Broken(f"a header of {self.size:,} bytes")
        if self.type == tarfile.GNUTYPE_SPARSE:
            raise Broken(f"{as_text(self.name)}: a sparse file, which is not read")
        return super()._proc_member(archive)  # type: ignore[misc,no-any-return]

    def _proc_gnusparse_10(self, *_: object) -> None:
        raise Broken(f"{as_text(self.name)}: a sparse file, which is not read")


def _read_tar(stream: IO[bytes], members: list[Content], spending: Spending) -> None:
    with tarfile.open(fileobj=stream, mode="r|", bufsize=2**16, tarinfo=_Member) as tar:
        for member in tar:
            # tarfile remembers every member that it has seen.
            tar.members = []  # type: ignore[attr-defined]
            # Folders, links and devices have no bytes of their own.
            content = tar.extractfile(member) if member.isreg() else None
            if content is None:
                continue
            spending.add_member()
            result = hashed(as_text(member.name), member.size, _blocks(content, spending))
            if result.hashes.size != member.size:
                raise Broken(f"{as_text(member.name)}: the archive ends within it")
            members.append(result)
