"""SMDB, the lists of hardware-target: a line a file, with tabs between its fields. Pure.

SHA-256, path, SHA-1, MD5, CRC32, and in newer ones the size: https://github.com/SmokeMonsterPacks/EverDrive-Packs-Lists-Database
"""

import re
from collections.abc import Iterator

from models.errors import UsageError
from pipeline.roms.dats import fields
from pipeline.roms.dats.counting import within_limits
from pipeline.roms.dats.dat import Dat, DatHeader, refuse
from pipeline.roms.dats.naming import base_of, stem_of
from pipeline.roms.dats.source import Source, lines
from pipeline.roms.records import DatGameRecord

TAKEN_FOR = "an SMDB"
FIELDS = ("sha256", "name", "sha1", "md5", "crc", "size")
# SHA-256 and SHA-1 as they stand in a line.
LINE = re.compile(rb"\s*[0-9A-Fa-f]{64}\t[^\t\n]+\t[0-9A-Fa-f]{40}\t")
_LEAST = 5


def read_smdb(source: Source, blocks: Iterator[bytes]) -> Dat:
    """Return the DAT of an SMDB; each file is a game, and its name is that of its file, which has no header."""
    games = within_limits(_games(source, blocks), source.name)
    return Dat(kind="smdb", header=DatHeader(name=stem_of(source.name)), games=games)


def _games(source: Source, blocks: Iterator[bytes]) -> Iterator[DatGameRecord]:
    for number, line in enumerate(lines(source, blocks), 1):
        if not line.strip():
            continue
        cells = line.strip("\r\n").split("\t")
        if len(cells) < _LEAST:
            refuse(source.name, TAKEN_FOR, f"line {number:,} has {len(cells)} fields: SHA-256, path, SHA-1, MD5, CRC32")
        row = dict(zip(FIELDS, cells, strict=False))
        row["name"] = base_of(row["name"])
        try:
            rom = fields.rom(row)
        except UsageError as error:
            refuse(source.name, TAKEN_FOR, f"line {number:,} is not as it should be: {error}")
        name = stem_of(rom.name)
        yield DatGameRecord(name=name, roms=(rom,), role=fields.role(name))
