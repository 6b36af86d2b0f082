"""Make a reading of a format's lines: keys of playthroughs that stay, repeats, and what a person says of all. Pure."""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from hashlib import blake2b
from typing import TypeVar

import msgspec

from models.errors import UsageError
from models.names import name_key
from models.printable import on_a_line
from pipeline.errors import InvalidItem
from pipeline.fetch.shapes import UNREADABLE
from pipeline.library.formats.table import WRITTEN, Row
from pipeline.library.records import Broken, ListRecord, PlaythroughRecord, Reading, ReadOptions, Record

Shape = TypeVar("Shape")
# What `key_of` makes.
_KEY = re.compile(r"[a-z_-]+:[0-9a-f]{18}:[0-9a-f]{18}")


def key_of(format_name: str, game: Sequence[object], *way: object) -> str:
    """Return the key of a playthrough by what its file knows the game by, and what tells it from the game's other ones.

    `way` is where and when it began: its end may still come. Where a line stands does not count.
    """
    return f"{format_name}:{_digest(tuple(game))}:{_digest_again(way)}"


def _digest(parts: tuple[object, ...]) -> str:
    names = (name_key(part) if isinstance(part, str) else "" if part is None else str(part) for part in parts)
    return blake2b("\x1f".join(names).encode("utf-8", "replace"), digest_size=9).hexdigest()


# Where and when are few: a file has many games on one platform.
_digest_again = lru_cache(maxsize=4096)(_digest)


def read_rows(
    rows: Iterable[Row | Broken], convert: Callable[[Row], Record | None], title_at: int | None = None
) -> tuple[list[Record], list[Broken]]:
    """Return the rows of a table as records, and those that cannot be read; None of `convert` is no line at all."""
    records: list[Record] = []
    broken: list[Broken] = []
    for row in rows:
        if isinstance(row, Broken):
            broken.append(row)
            continue
        try:
            record = convert(row)
        except InvalidItem as error:
            broken.append(Broken(line=row.line, written=_written(row.cells, title_at), reason=str(error)))
        else:
            records += [] if record is None else [record]
    return records, broken


def _written(cells: Sequence[str], title_at: int | None) -> str:
    if title_at is not None and title_at < len(cells) and cells[title_at]:
        return on_a_line(cells[title_at], WRITTEN)
    return on_a_line(", ".join(cell for cell in cells[:20] if cell), WRITTEN)


def read_elements(
    elements: Iterable[msgspec.Raw], shape: type[Shape], convert: Callable[[int, Shape], Record]
) -> tuple[list[Record], list[Broken]]:
    """Return the elements of a JSON list as records, and those that cannot be read; they count from 1 on."""
    decoder = msgspec.json.Decoder(shape)
    records: list[Record] = []
    broken: list[Broken] = []
    for line, raw in enumerate(elements, 1):
        try:
            records.append(convert(line, decoder.decode(raw)))
        except (InvalidItem, *UNREADABLE) as error:
            written = on_a_line(bytes(raw)[: 2 * WRITTEN].decode(errors="replace"), WRITTEN)
            broken.append(Broken(line=line, written=" ".join(written.split()), reason=_reason(error)))
    return records, broken


def _reason(error: Exception) -> str:
    if isinstance(error, InvalidItem):
        return str(error)
    return "it is nested too deeply" if isinstance(error, RecursionError) else f"it is of another shape: {error}"


def reading(
    format_name: str,
    taken_for: str,
    records: Sequence[Record],
    broken: Sequence[Broken],
    *,
    name: str,
    options: ReadOptions,
    lists: Sequence[ListRecord] = (),
    is_whole: bool = False,
    notes: Sequence[str] = (),
) -> Reading:
    """Return what a format read of a file; raises `UsageError` for a file without a line."""
    if not records and not broken:
        raise UsageError(f"{name} was taken for {taken_for}, and names no game")
    if not records and len(broken) > 1:
        first = broken[0]
        raise UsageError(
            f"{name} was taken for {taken_for}, and none of its {len(broken):,} lines can be read; of line "
            f"{first.line}: {first.reason}"
        )
    return Reading(
        format=format_name,
        taken_for=taken_for,
        records=_as_options_say(_numbered(records), options),
        lists=lists,
        broken=broken,
        is_whole=is_whole,
        notes=notes,
    )


def _as_options_say(records: Sequence[Record], options: ReadOptions) -> Sequence[Record]:
    """Fill in the store and the platform that a person says, where the lines name none; who names a store owns."""
    if options.store is None and options.platform is None:
        return records
    return [_filled_in(record, options) for record in records]


def _filled_in(record: Record, options: ReadOptions) -> Record:
    if record.no_game is not None:
        return record
    is_ranked_alone = bool(record.placings) and record.status is None and not record.playthroughs
    ownership = record.ownership
    if options.store is not None and record.store is None and ownership is None and not is_ranked_alone:
        ownership = "owned"
    return msgspec.structs.replace(
        record,
        ownership=ownership,
        store=record.store or (options.store if ownership is not None else None),
        platforms=record.platforms or ((options.platform,) if options.platform and not is_ranked_alone else ()),
    )


def _numbered(records: Sequence[Record]) -> Sequence[Record]:
    """Give playthroughs of one key a number in the order of time, and mark a game's later ones as replays.

    So a file whose lines come in another order gives the same.
    """
    by_game: defaultdict[str, list[tuple[int, int, PlaythroughRecord]]] = defaultdict(list)
    for nth, record in enumerate(records):
        for at, playthrough in enumerate(record.playthroughs):
            if not _KEY.fullmatch(playthrough.key):
                # One of our own lines, which has its key and its replays already.
                continue
            by_game[playthrough.key.rpartition(":")[0]].append((nth, at, playthrough))
    changed: dict[int, list[PlaythroughRecord]] = {}
    for ways in by_game.values():
        if len(ways) == 1:
            continue
        numbers: defaultdict[str, int] = defaultdict(int)
        for place, (nth, at, playthrough) in enumerate(sorted(ways, key=_in_time)):
            numbers[playthrough.key] += 1
            number = numbers[playthrough.key]
            changed.setdefault(nth, list(records[nth].playthroughs))[at] = msgspec.structs.replace(
                playthrough,
                key=playthrough.key if number == 1 else f"{playthrough.key}-{number}",
                is_replay=playthrough.is_replay or place > 0,
            )
    if not changed:
        return records
    return [
        msgspec.structs.replace(record, playthroughs=tuple(changed[nth])) if nth in changed else record
        for nth, record in enumerate(records)
    ]


def _in_time(way: tuple[int, int, PlaythroughRecord]) -> tuple[object, ...]:
    """Return what playthroughs of a game are sorted by; those without a day come first, as a person wrote them."""
    _, at, each = way
    when = each.finished or each.started or ""
    return (
        when,
        each.is_replay,
        each.started or "",
        at,
        each.platform,
        each.seconds or 0,
        str(each.status),
        each.notes or "",
    )
