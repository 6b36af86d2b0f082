"""Read a rar: its list of contents by rarfile, its members by a program that unpacks them, where there is one."""

import os
from collections.abc import Iterator
from typing import Any

from pipeline.roms.reading.hashing import Member, as_text, hashed, may_have_header
from pipeline.roms.reading.limits import Limits, Spending, TooMuch
from pipeline.roms.reading.trouble import BROKEN, Broken, Contents, Troubles
from pipeline.roms.records import Content

_STEP = 2**18
_NO_PROGRAM = "no program here unpacks RAR: install unrar, unar, 7-Zip (7z) or bsdtar, then scan with --full"


def read_rar(file: int, size: int, limits: Limits, *, deep: bool) -> Contents:
    """Return the members of the rar that is open as `file` and has `size` bytes.

    Without `deep` only those are unpacked that may begin with a copier's header, or have no CRC32.
    """
    import rarfile

    spending, troubles = Spending(limits, size), Troubles()
    try:
        archive = _open(file, spending)
        members = [(entry, _member(entry)) for entry in archive.infolist() if entry.is_file()]
    except TooMuch as error:
        return Contents(members=(), error=str(error))
    except (*BROKEN, rarfile.Error) as error:
        troubles.add(None, error)
        return Contents(members=(), error=troubles.sentence())
    contents: list[Content] = []
    for entry, member in members:
        if spending.is_over or not (deep or member.crc32 is None or may_have_header(member.name, member.size)):
            contents.append(member.listed())
        else:
            contents.append(_unpack(archive, entry, member, spending, troubles))
    return Contents(members=tuple(contents), error=troubles.sentence())


def _open(file: int, spending: Spending) -> Any:
    import rarfile

    # It would write a member's packed bytes to a file of its own.
    rarfile.USE_EXTRACT_HACK = 0

    def count(entry: Any) -> None:
        if entry.is_file():
            spending.add_member()
            spending.announce(entry.file_size)

    # A program is given the file that is open here, not whatever bears its name by then.
    path = f"/proc/{os.getpid()}/fd/{file}"
    archive = rarfile.RarFile(path, info_callback=count, part_only=True, errors="stop")
    if not archive.infolist():
        if archive.needs_password():
            raise Broken("its list of contents is encrypted")
        if archive.strerror():
            raise Broken(f"damaged: {archive.strerror()}")
    return archive


def _unpack(archive: Any, entry: Any, member: Member, spending: Spending, troubles: Troubles) -> Content:
    import rarfile

    try:
        return _unpacked(archive, entry, member, spending)
    except rarfile.RarCannotExec:
        troubles.add(None, Broken(_NO_PROGRAM))
    except TooMuch as error:
        troubles.add(None, error)
    except (*BROKEN, rarfile.Error) as error:
        troubles.add(member.name, error)
        return member.listed() if entry.needs_password() else member.broken()
    return member.listed()


def _member(entry: Any) -> Member:
    # Of a member that goes on in the next part the CRC32 is that of this piece.
    whole = not entry.flags & 0x3
    return Member(name=as_text(entry.filename), size=entry.file_size, crc32=entry.CRC if whole else None)


def _unpacked(archive: Any, entry: Any, member: Member, spending: Spending) -> Content:
    if entry.needs_password():
        raise Broken("it is encrypted, and was not unpacked")
    with archive.open(entry) as stream:

        def blocks() -> Iterator[bytes]:
            while block := stream.read(_STEP):
                spending.add_bytes(len(block))
                yield block

        content = hashed(member.name, member.size, blocks())
    if content.hashes.size != member.size or (member.crc32 is not None and content.hashes.crc32 != member.crc32):
        raise Broken("its CRC32 is not the listed one")
    return content
