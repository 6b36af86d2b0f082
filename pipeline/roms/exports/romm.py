"""The folders that RomM reads, as a plan of which file would be where; nothing is moved. Pure.

A platform's folder has `roms` in it, unless the library is of RomM's other form, `roms` with the platforms in it
(https://docs.romm.app, folder structure). A game of several files is a folder of them.
"""

import csv
import io
import json
import os
import posixpath
from collections.abc import Iterable, Sequence

import msgspec

from pipeline.roms.exports.discs import shown
from pipeline.roms.exports.markup import Unreadable
from pipeline.roms.exports.records import GameToExport, LeftOut

_HEAD = ("from", "to")


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """A file, and where it would be, below the library's folder."""

    rom_id: int
    source: bytes
    target: bytes


def plan(games: Iterable[GameToExport], *, roms_first: bool = False) -> tuple[list[Step], list[LeftOut]]:
    """Return the place of each file, and the ROMs that have none: without a platform, or of a name that is taken."""
    steps: list[Step] = []
    left_out: list[LeftOut] = []
    taken: dict[bytes, bytes] = {}
    for game in sorted(games, key=lambda game: game.path):
        if game.platform is None:
            left_out.append(LeftOut(shown=shown(game.path), reason="its platform is not known"))
            continue
        own = _steps(game, posixpath.join(*(("roms", game.platform) if roms_first else (game.platform, "roms"))))
        clash = next((step for step in own if step.target in taken), None)
        if clash is not None:
            reason = f"{shown(taken[clash.target])} has its place {shown(clash.target)} already"
            left_out.append(LeftOut(shown=shown(game.path), reason=reason))
            continue
        taken |= {step.target: step.source for step in own}
        steps += own
    return steps, left_out


def _steps(game: GameToExport, folder: str) -> list[Step]:
    files = game.files or (game.path,)
    place = os.fsencode(folder)
    if len(files) == 1:
        return [Step(rom_id=game.rom_id, source=files[0], target=posixpath.join(place, posixpath.basename(files[0])))]
    above = posixpath.commonpath([posixpath.dirname(path) for path in files])
    is_folder = game.kind == "folder" and above != game.folder
    name = posixpath.basename(above) if is_folder else posixpath.splitext(posixpath.basename(game.path))[0]
    return [
        Step(rom_id=game.rom_id, source=path, target=posixpath.join(place, name, path[len(above) + 1 :]))
        for path in files
    ]


def as_csv(steps: Iterable[Step]) -> bytes:
    """Return a plan as CSV with a head."""
    written = io.StringIO()
    sheet = csv.writer(written, lineterminator="\n")
    sheet.writerow(_HEAD)
    sheet.writerows((step.source.decode(), step.target.decode()) for step in steps)
    return written.getvalue().encode()


def as_lines(steps: Iterable[Step]) -> bytes:
    """Return a plan as lines of JSON."""
    lines = (dict(zip(_HEAD, (step.source.decode(), step.target.decode()), strict=True)) for step in steps)
    return "".join(f"{json.dumps(line, ensure_ascii=False)}\n" for line in lines).encode()


def check_plan(existing: bytes | None) -> None:
    """Raise `Unreadable` for a file that is no plan, so that none is written over."""
    if not existing or existing.startswith(b"from,to\n"):
        return
    try:
        first = json.loads(existing.partition(b"\n")[0])
    except ValueError as error:
        raise Unreadable("it is no plan of an earlier export", 1) from error
    if not isinstance(first, dict) or set(first) != set(_HEAD):
        raise Unreadable("it is no plan of an earlier export", 1)


def writable(steps: Sequence[Step]) -> tuple[list[Step], list[LeftOut]]:
    """Return the steps that a text can hold, and the others."""
    good, left_out = [], []
    for step in steps:
        try:
            step.source.decode()
            step.target.decode()
        except UnicodeDecodeError:
            left_out.append(LeftOut(shown=shown(step.source), reason="its name is no UTF-8, which a plan cannot hold"))
        else:
            good.append(step)
    return good, left_out
