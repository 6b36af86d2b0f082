"""Random sets and random DATs: what they are said to be does not depend on the order in which they came."""

import random
from pathlib import Path

import pytest

from pipeline.roms.records import FileReading
from tests.databases import Databases
from tests.pipeline.roms.shelf import Shelf, game_of, logiqx, plain, rom_line, zipped

CONTENTS = [f"content {number}".encode() * (number + 1) for number in range(7)]
HASHES = (("size", "crc"), ("md5", "size"), ("sha1",), ("size", "crc", "md5", "sha1"))
Set = tuple[str, str, dict[str, FileReading]]
Verdict = tuple[str | None, str, str | None, str | None]


def random_dat(dice: random.Random, name: str) -> str:
    """Return a DAT of few games of the same few contents, some of them clones or bad dumps."""
    games = []
    for number in range(dice.randrange(1, 6)):
        picked = dice.sample(CONTENTS, dice.randrange(1, 4))
        status = dice.choice(("", "", 'status="baddump"'))
        lines = [rom_line(f"{at}.bin", data, only=dice.choice(HASHES), more=status) for at, data in enumerate(picked)]
        more = dice.choice(("", "", 'cloneof="game 0"'))
        games.append(game_of(f"game {number}", *lines, more=more))
    return logiqx(*games, name=name)


def random_set(dice: random.Random, number: int) -> Set:
    """Return a set: a file, a folder of files, or a zip."""
    written = f"game {number}"
    picked = dice.sample(CONTENTS, dice.randrange(1, 4))
    kind = dice.choice(("file", "folder", "archive"))
    if kind == "file":
        return written, kind, {f"{number}.bin": plain(picked[0])}
    if kind == "folder":
        return written, kind, {f"{number}/{at}.bin": plain(data) for at, data in enumerate(picked)}
    members = {f"{at}.bin": data for at, data in enumerate(picked)}
    itself = dice.choice((b"a zip", CONTENTS[0]))
    return written, kind, {f"{number}.zip": zipped(members, itself=itself, deep=dice.random() < 0.5)}


def verdicts(databases: Databases, folder: Path, sets: list[Set], dats: list[str]) -> dict[str, Verdict]:
    """Return what each set is said to be, where all came in this order."""
    with databases.new() as engine:
        shelf = Shelf(engine, folder)
        folder_id = shelf.add_folder()
        ids = {written: shelf.add(folder_id, written, files, kind=kind) for written, kind, files in sets}
        for dat in dats:
            shelf.dat(dat)
        return {written: shelf.verdict(rom_id) for written, rom_id in ids.items()}


@pytest.mark.parametrize("seed", range(6))
def test_what_sets_are_does_not_depend_on_the_order_of_dats_or_files(
    databases: Databases, tmp_path: Path, seed: int
) -> None:
    dice = random.Random(seed)  # noqa: S311 - not a secret
    sets = [random_set(dice, number) for number in range(12)]
    dats = [random_dat(dice, f"dat {number}") for number in range(4)]
    first = verdicts(databases, tmp_path, sets, dats)
    others = []
    for _ in range(2):
        dice.shuffle(sets)
        dice.shuffle(dats)
        others.append(verdicts(databases, tmp_path, sets, dats))

    assert others == [first, first]
    assert len({verdict for _, verdict, _, _ in first.values()}) > 1
