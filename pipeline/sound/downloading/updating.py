"""A newer yt-dlp than the installed one, in the data directory: the child that fetches looks there first."""

from pathlib import Path

import msgspec


class Extractors(msgspec.Struct, frozen=True, kw_only=True):
    """A yt-dlp: its version (`2026.10.26`), and its folder where it is not the installed one."""

    version: str
    folder: Path | None = None


def newest(data_dir: Path) -> Extractors | None:
    """Return the newest yt-dlp that there is here, None where the group `sound` is not installed."""
    raise NotImplementedError(data_dir)


def update(data_dir: Path, wheel: Path | None = None) -> Extractors:
    """Fetch the newest yt-dlp of the package index, or take a wheel's file; try it, and keep it where it is newer."""
    raise NotImplementedError(data_dir, wheel)
