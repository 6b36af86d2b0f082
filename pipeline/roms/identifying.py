"""By what a set is identified, and what cannot be known from an archive's list of contents. Pure."""

from collections.abc import Mapping
from typing import Final

from pipeline.roms.records import IdentifiedBy

# From the strongest to the weakest; a set's is the weakest of those that its game was known by.
STRENGTHS: Final[tuple[IdentifiedBy, ...]] = ("disk", "sha1", "md5", "crc32", "name")
# The headers of copiers and emulators, which DATs leave out, by the endings of the files that may begin with one.
HEADER_BYTES: Final[Mapping[str, int]] = {
    **dict.fromkeys(("nes", "fds", "unf", "unif"), 16),
    "lnx": 64,
    "lyx": 64,
    "a78": 128,
    **dict.fromkeys(("smc", "sfc", "swc", "fig"), 512),
}
# Files in which other files lie, as DATs may name them too.
ARCHIVES: Final = ("zip", "7z", "rar", "tar", "gz", "tgz")
# The files that a disc is dumped as; a CHD of it has none of them as it was.
DISC_FILES: Final = ("bin", "cue", "gdi", "img", "iso", "raw", "ccd", "sub", "mdf", "mds", "wav")


def ends_with(endings: tuple[str, ...]) -> str:
    r"""Return a regular expression of PostgreSQL for names with one of these endings: `\.(bin|cue)$`, in any case."""
    return rf"(?i)\.({'|'.join(endings)})$"
