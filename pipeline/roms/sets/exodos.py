"""Join eXoDOS's games: `!dos/<short>/<Title (year)>.bat` and `<Title (year)>.zip`. Pure."""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence

from pipeline.roms.sets.entries import Entry, key_of

LAUNCHERS = "!dos"
_DATED = re.compile(r".+ \((?:19|20)\d\d\)$")


def exodos_games(entries: Sequence[Entry]) -> Iterator[tuple[str, bool, list[Entry]]]:
    """Yield each game's name, whether its zip is there, and its files: the zip first, else the batch file."""
    zips = {(entry.folders, key_of(entry.stem)): entry for entry in reversed(entries) if entry.file.container == "zip"}
    games: dict[tuple[str, ...], list[Entry]] = defaultdict(list)
    for entry in entries:
        place = entry.folders.index(LAUNCHERS) if LAUNCHERS in entry.folders else -1
        if 0 <= place < len(entry.folders) - 1:
            games[entry.folders[: place + 2]].append(entry)
    for folder, inside in games.items():
        batch = _batch(folder, inside)
        if batch is None:
            continue
        packed = zips.pop((folder[:-2], key_of(batch.stem)), None)
        rest = [entry for entry in inside if entry is not batch]
        yield batch.stem, packed is not None, [*([packed] if packed is not None else ()), batch, *rest]


def _batch(folder: tuple[str, ...], inside: Sequence[Entry]) -> Entry | None:
    batches = [entry for entry in inside if entry.ending == "bat" and entry.folders == folder]
    dated = [entry for entry in batches if _DATED.fullmatch(entry.stem)]
    return next(iter(dated or [entry for entry in batches if not entry.is_helper]), None)
