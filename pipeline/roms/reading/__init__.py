"""Read a file of a collection once: what it is, its hashes, and those of the members of an archive."""

from pipeline.roms.reading.files import read_file
from pipeline.roms.reading.limits import Limits

__all__ = ["Limits", "read_file"]
