"""Counts the games and files of a DAT against the limits while they are read. Pure."""

from collections.abc import Iterable, Iterator

from models.errors import UsageError
from pipeline.roms.dats import limits
from pipeline.roms.records import DatGameRecord


def within_limits(games: Iterable[DatGameRecord], name: str) -> Iterator[DatGameRecord]:
    """Yield the games of the DAT of this name; raises `UsageError` for more than a DAT may have."""
    roms = 0
    for count, game in enumerate(games, 1):
        roms += len(game.roms)
        if count > limits.MAX_GAMES:
            raise UsageError(f"{name} has more than {limits.MAX_GAMES:,} games: no DAT is that large")
        if roms > limits.MAX_ROMS:
            raise UsageError(f"{name} has more than {limits.MAX_ROMS:,} files: no DAT is that large")
        yield game


def check_files(count: int, name: str, game: str) -> None:
    """Raise `UsageError` for more files than a game may have."""
    if count > limits.MAX_ROMS_OF_A_GAME:
        raise UsageError(f"{name}: “{game[:60]}” has more than {limits.MAX_ROMS_OF_A_GAME:,} files")
