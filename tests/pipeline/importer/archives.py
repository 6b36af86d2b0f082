"""Archives of payloads, made for a test."""

import gzip
import io
import lzma
import sys
import tarfile
import zipfile
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path

if sys.version_info >= (3, 14):
    from compression.zstd import compress as zstd_compress
else:
    import zstandard

    def zstd_compress(data: bytes) -> bytes:
        return zstandard.ZstdCompressor().compress(data)


Files = Mapping[str, bytes]


def name_of(at: datetime) -> str:
    """Return the name of a snapshot of this time in the archives of history."""
    return f"drops_{at:%Y-%m-%dT%H%M%SZ}.json"


def tar(files: Files) -> bytes:
    """A tar archive with the files in this order."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return out.getvalue()


def zip_(files: Files) -> bytes:
    """A zip archive with the files in this order."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return out.getvalue()


PACKERS: dict[str, Callable[[Files], bytes]] = {
    "tar": tar,
    "tar.gz": lambda files: gzip.compress(tar(files)),
    "tar.xz": lambda files: lzma.compress(tar(files)),
    "tar.zst": lambda files: zstd_compress(tar(files)),
    "zip": zip_,
}
COMPRESSORS: dict[str, Callable[[bytes], bytes]] = {
    "json": bytes,
    "json.gz": gzip.compress,
    "json.xz": lzma.compress,
    "json.zst": zstd_compress,
}


def write(folder: Path, files: Files) -> Path:
    """Write files below a folder and return it."""
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return folder


def tar_with_links(data: bytes, name: str) -> bytes:
    """A tar archive with one payload among links, devices and names that lead out of any folder."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for kind, link in ((tarfile.SYMTYPE, "/etc/passwd"), (tarfile.LNKTYPE, "../x"), (tarfile.FIFOTYPE, "")):
            info = tarfile.TarInfo(f"odd-{kind.decode()}.json")
            info.type, info.linkname = kind, link
            archive.addfile(info)
        for path in (name, f"../../../{name}"):
            info = tarfile.TarInfo(path)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return out.getvalue()


def zip_of_no_date(name: str, data: bytes) -> bytes:
    """A zip archive whose member has the date zero, as some programs write it."""
    packed = bytearray(zip_({name: data}))
    for mark, offset in ((b"PK\x03\x04", 10), (b"PK\x01\x02", 12)):
        at = packed.index(mark) + offset
        packed[at : at + 4] = b"\0\0\0\0"
    return bytes(packed)


def tar_of_odd_time(name: str, data: bytes) -> bytes:
    """A tar archive whose member was modified after all calendars end."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as archive:
        info = tarfile.TarInfo(name)
        info.size, info.mtime = len(data), 10**15
        archive.addfile(info, io.BytesIO(data))
    return out.getvalue()
