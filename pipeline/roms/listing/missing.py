"""What a collection lacks of the games of DATs, what is called otherwise, and which are clones of each other.

A file is lacking that no folder of the person holds, wherever it would lie. Nothing is renamed.
"""

# ruff: noqa: S608 - statements are put together of our own parts, and values are parameters.

import csv
import io
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Literal
from xml.sax.saxutils import XMLGenerator
from xml.sax.xmlreader import AttributesImpl

import msgspec
from sqlalchemy import Connection, text

from models.people import OWNER_ID
from models.printable import on_a_line
from pipeline.roms.dats.limits import MAX_TEXT
from pipeline.roms.store.identification import FILES_THAT_ARE_THERE

State = Literal["absent", "incomplete"]
_AT_ONCE = 5_000
_CSV = ("platform", "dat", "version", "game", "role", "clone of", "state", "file", "size", "crc32", "md5", "sha1")

_LACKING = text(
    f"""
WITH {FILES_THAT_ARE_THERE},
-- A game that some set is whole of lacks nothing, even where its files were known by a CHD's header.
whole AS (
    SELECT DISTINCT r.dat_game_id
    FROM roms AS r JOIN rom_folders AS o ON o.id = r.folder_id AND o.removed_at IS NULL AND o.person_id = :person
    WHERE r.missing_since IS NULL AND r.verdict IN ('verified', 'bad') AND r.dat_game_id IS NOT NULL
)
SELECT f.id AS dat_id, f.name AS dat, f.version, f.platform, g.id AS game_id, g.name AS game, g.description, g.role,
    g.parent_name AS parent, g.position,
    EXISTS (SELECT FROM there WHERE there.dat_game_id = g.id) AS has_some,
    d.name, d.size, d.crc32, d.md5, d.sha1, d.is_disk, d.status
FROM dat_files AS f
JOIN dat_games AS g ON g.dat_id = f.id
JOIN dat_roms AS d ON d.dat_game_id = g.id
WHERE f.superseded_at IS NULL
    AND (CAST(:dat_id AS bigint) IS NULL OR f.id = :dat_id)
    AND (CAST(:platform AS text) IS NULL OR f.platform = :platform)
    AND (CAST(:game_after AS bigint) IS NULL OR (f.platform IS NULL, coalesce(f.platform, ''), f.name, f.id, g.position)
        > (SELECT d.platform IS NULL, coalesce(d.platform, ''), d.name, d.id, last.position
            FROM dat_games AS last JOIN dat_files AS d ON d.id = last.dat_id WHERE last.id = :game_after))
    AND d.status <> 'nodump' AND (d.sha1 IS NOT NULL OR d.md5 IS NOT NULL OR d.crc32 IS NOT NULL)
    AND NOT EXISTS (SELECT FROM whole WHERE whole.dat_game_id = g.id)
    AND NOT EXISTS (SELECT FROM there WHERE there.dat_game_id = g.id AND there.rom = d.position)
ORDER BY f.platform NULLS LAST, f.name, f.id, g.position, d.position
"""
)
_MISNAMED = text("""
SELECT r.id AS rom_id, o.shown AS folder, f.shown AS path, r.written, r.right_name, r.verdict, r.identified_by,
    d.name AS dat
FROM roms AS r
JOIN rom_folders AS o ON o.id = r.folder_id AND o.removed_at IS NULL AND o.person_id = :person
JOIN rom_members AS m ON m.rom_id = r.id AND m.position = 0
JOIN rom_files AS f ON f.id = m.file_id
JOIN dat_games AS g ON g.id = r.dat_game_id
JOIN dat_files AS d ON d.id = g.dat_id
WHERE r.right_name IS NOT NULL AND r.missing_since IS NULL
    AND (CAST(:folder_id AS bigint) IS NULL OR r.folder_id = :folder_id)
ORDER BY o.shown, f.shown, r.id
""")
_FAMILY = text("""
WITH family AS (
    SELECT g.*
    FROM roms AS r
    JOIN dat_games AS mine ON mine.id = r.dat_game_id
    JOIN dat_games AS g ON g.dat_id = mine.dat_id AND coalesce(mine.parent_name, mine.name) IN (g.parent_name, g.name)
    WHERE r.id = :rom_id
),
held AS (
    SELECT r.dat_game_id, array_agg(r.id ORDER BY r.id) AS rom_ids
    FROM roms AS r JOIN rom_folders AS o ON o.id = r.folder_id AND o.removed_at IS NULL AND o.person_id = :person
    WHERE r.dat_game_id IN (SELECT id FROM family) AND r.missing_since IS NULL
    GROUP BY r.dat_game_id
)
SELECT g.name, g.description, g.role, g.parent_name IS NULL AS is_parent, coalesce(held.rom_ids, '{}') AS rom_ids
FROM family AS g LEFT JOIN held ON held.dat_game_id = g.id
ORDER BY g.parent_name IS NOT NULL, g.position
""")


class LackingFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file of a DAT's game that no collection holds, as the DAT has it."""

    name: str
    size: int | None
    crc32: int | None
    md5: bytes | None
    sha1: bytes | None
    is_disk: bool
    status: str


class LackingGame(msgspec.Struct, frozen=True, kw_only=True):
    """A game of a DAT of which files are lacking: all (`absent`), or some."""

    dat_id: int
    dat: str
    version: str
    platform: str | None
    game_id: int
    game: str
    description: str | None
    role: str
    parent: str | None
    state: State
    files: tuple[LackingFile, ...]


class Misnamed(msgspec.Struct, frozen=True, kw_only=True):
    """A set whose name is not what its DAT calls it; `path` is of the file that a front end opens."""

    rom_id: int
    folder: str
    path: str
    written: str
    right_name: str
    verdict: str
    identified_by: str
    dat: str


class Relative(msgspec.Struct, frozen=True, kw_only=True):
    """A parent or a clone, and the sets that are it."""

    name: str
    description: str | None
    role: str
    is_parent: bool
    rom_ids: tuple[int, ...]


def list_lacking(
    connection: Connection,
    *,
    dat_id: int | None = None,
    platform: str | None = None,
    state: State | None = None,
    after: int | None = None,
    person_id: int = OWNER_ID,
) -> Iterator[LackingGame]:
    """Yield the games of living DATs of which a person lacks a file, by platform, DAT and its order.

    Of one DAT, of one platform's DATs, or of all; with `state` only those that are absent, or only incomplete ones;
    `after` a game of a DAT only those behind it. Files that nobody has dumped are lacking nowhere. The rows come as they
    are asked for.
    """
    connection.execute(text("SELECT set_config('work_mem', '48MB', true)"))
    query = _LACKING.execution_options(yield_per=_AT_ONCE)
    which = {"dat_id": dat_id, "platform": platform, "game_after": after, "person": person_id}
    rows = connection.execute(query, which)
    fields = LackingFile.__struct_fields__
    for _, grouped in groupby(rows, key=lambda row: row.game_id):
        lines = list(grouped)
        first = lines[0]
        game = LackingGame(
            dat_id=first.dat_id,
            dat=first.dat,
            version=first.version,
            platform=first.platform,
            game_id=first.game_id,
            game=first.game,
            description=first.description,
            role=first.role,
            parent=first.parent,
            state="incomplete" if first.has_some else "absent",
            files=tuple(LackingFile(**{name: getattr(line, name) for name in fields}) for line in lines),
        )
        if state is None or game.state == state:
            yield game


def list_misnamed(connection: Connection, *, folder_id: int | None = None, person_id: int = OWNER_ID) -> list[Misnamed]:
    """Return the sets of a person, of a folder or all, that their DATs call otherwise, by folder and path."""
    rows = connection.execute(_MISNAMED, {"folder_id": folder_id, "person": person_id})
    return [Misnamed(**row) for row in rows.mappings()]


def clones_of(connection: Connection, rom_id: int, *, person_id: int = OWNER_ID) -> list[Relative]:
    """Return the family of a set's game in its DAT, itself among them: the parent, then its clones in their order.

    Empty where no DAT knows the set.
    """
    rows = connection.execute(_FAMILY, {"rom_id": rom_id, "person": person_id}).mappings()
    return [Relative(**{**row, "rom_ids": tuple(row["rom_ids"])}) for row in rows]


def as_csv(games: Iterable[LackingGame]) -> Iterator[str]:
    """Yield the lines of a table: a header, and a line for each file that is lacking; hashes are in hexadecimal."""
    yield _csv_line(_CSV)
    for game in games:
        before = (game.platform, game.dat, game.version, game.game, game.role, game.parent, game.state)
        for file in game.files:
            yield _csv_line((*before, file.name, file.size, *_hexadecimal(file)))


def as_fix_list(games: Iterable[LackingGame], name: str) -> Iterator[str]:
    """Yield the text of a DAT in Logiqx XML of what is lacking, as ROM managers read: a list to fix a collection by.

    `name` is for its header. Characters that XML cannot have are spaces.
    """
    buffer = io.StringIO()
    xml = XMLGenerator(buffer, "utf-8", short_empty_elements=True)
    xml.startDocument()
    buffer.write('<!DOCTYPE datafile PUBLIC "-//Logiqx//DTD ROM Management Datafile//EN" ')
    buffer.write('"http://www.logiqx.com/Dats/datafile.dtd">\n')
    xml.startElement("datafile", AttributesImpl({}))
    buffer.write("\n")
    _element(xml, "header", {}, [("name", name), ("description", name), ("author", "Lootwire")])
    buffer.write("\n")
    for game in games:
        _game(xml, game)
        buffer.write("\n")
        yield buffer.getvalue()
        buffer.seek(0)
        buffer.truncate()
    xml.endElement("datafile")
    buffer.write("\n")
    yield buffer.getvalue()


def _game(xml: XMLGenerator, game: LackingGame) -> None:
    attributes = {"name": game.game, "cloneof": game.parent, "isbios": "yes" if game.role == "bios" else None}
    xml.startElement("game", _attributes(attributes))
    _element(xml, "description", {}, [("", game.description or game.game)])
    for file in game.files:
        crc32, md5, sha1 = _hexadecimal(file)
        values = {"name": file.name, "size": None if file.size is None else str(file.size), "crc": crc32}
        values |= {"md5": md5, "sha1": sha1, "status": None if file.status == "good" else file.status}
        _element(xml, "disk" if file.is_disk else "rom", values, [])
    xml.endElement("game")


def _element(xml: XMLGenerator, name: str, attributes: dict[str, str | None], texts: list[tuple[str, str]]) -> None:
    xml.startElement(name, _attributes(attributes))
    for child, content in texts:
        if child:
            _element(xml, child, {}, [("", content)])
        else:
            xml.characters(on_a_line(content, MAX_TEXT))
    xml.endElement(name)


def _attributes(values: dict[str, str | None]) -> "AttributesImpl[str]":
    return AttributesImpl({key: on_a_line(value, MAX_TEXT) for key, value in values.items() if value})


def _hexadecimal(file: LackingFile) -> tuple[str | None, str | None, str | None]:
    crc32 = None if file.crc32 is None else f"{file.crc32:08x}"
    return crc32, file.md5.hex() if file.md5 else None, file.sha1.hex() if file.sha1 else None


def _csv_line(cells: Iterable[object]) -> str:
    written = io.StringIO()
    csv.writer(written, lineterminator="\n").writerow(cells)
    return written.getvalue()
