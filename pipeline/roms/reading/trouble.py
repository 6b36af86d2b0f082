"""What goes wrong with archives and their members, in sentences. Pure."""

import lzma
import struct
import zlib

import msgspec
from isal import isal_zlib

from models.errors import LootwireError
from pipeline.roms.records import Content


class Broken(LootwireError):
    """An archive, or a member of one, is damaged or of a kind that is not read; the text says which."""


# Its types say that this is an instance.
_ISAL_ERROR: type[Exception] = isal_zlib.error  # type: ignore[assignment]
# What damaged archives raise, in the libraries that read them: odd fields are a ValueError, an EOFError, and worse.
BROKEN = (
    Broken,
    EOFError,
    LookupError,
    NotImplementedError,
    OSError,
    OverflowError,
    RuntimeError,
    TypeError,
    ValueError,
    AttributeError,
    lzma.LZMAError,
    struct.error,
    zlib.error,
    _ISAL_ERROR,
)


class Contents(msgspec.Struct, frozen=True, kw_only=True):
    """The members of an archive, in its order, and what is wrong with it, if anything."""

    members: tuple[Content, ...]
    error: str | None


class Troubles:
    """Collects what is wrong with an archive: the first trouble is told, others are counted."""

    def __init__(self) -> None:
        self._first: str | None = None
        self._count = 0

    def add(self, member: str | None, error: Exception) -> None:
        """Note what is wrong with a member, or with the archive where it is None."""
        reason = str(error) if isinstance(error, LootwireError) else f"damaged: {str(error) or type(error).__name__}"
        self._count += 1
        if self._first is None:
            self._first = reason if member is None else f"{member[:200]}: {reason}"

    def sentence(self) -> str | None:
        """Return the first trouble, and how many more there are; None without any."""
        if self._first is None or self._count == 1:
            return self._first
        return f"{self._first} (and {self._count - 1:,} more members like it)"
