"""The ROMs of a person that are there, as exports write them."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime

import msgspec
from sqlalchemy import Connection, text

from pipeline.roms.exports.records import GameToExport

# What DATs call a BIOS or a device no front end lists. Each is one text of JSON, since the driver would take several
# times as long for twenty thousand rows of thirty columns; and each joins by keys alone, so that it takes as long as
# there are rows, whatever statistics PostgreSQL has of tables that a scan has just filled.
_OF_THESE = """
    folder.person_id = :person AND folder.removed_at IS NULL AND rom.missing_since IS NULL
    AND (CAST(:folder AS bigint) IS NULL OR folder.id = :folder)
    AND (CAST(:platform AS text) IS NULL OR coalesce(rom.platform, folder.platform) = :platform)
"""
_ROMS = text(rf"""
    SELECT CAST(json_agg(row_to_json(each)) AS text) FROM (
    SELECT rom.id AS rom_id, translate(encode(folder.path, 'base64'), E'\n', '') AS folder, rom.kind,
        coalesce(rom.platform, folder.platform) AS platform, rom.written, rom.title, rom.year, rom.regions,
        rom.languages, rom.disc, rom.verdict, rom.igdb_id,
        coalesce(rom.right_name, CASE WHEN rom.verdict = 'verified' THEN dat_game.name END) AS right_name,
        dat_game.year AS dat_year, dat_game.maker, state.name AS own_name, state.year AS own_year,
        state.genres AS own_genres, state.rating, coalesce(state.is_favourite, false) AS is_favourite,
        person_work.status, person_work.seconds, person_work.last_played_at
    FROM roms AS rom JOIN rom_folders AS folder ON folder.id = rom.folder_id
    LEFT JOIN dat_games AS dat_game ON dat_game.id = rom.dat_game_id
    LEFT JOIN games AS game ON game.id = rom.game_id
    LEFT JOIN game_states AS state ON state.work_id = game.work_id AND state.person_id = :person
    LEFT JOIN person_works AS person_work ON person_work.work_id = game.work_id AND person_work.person_id = :person
    WHERE {_OF_THESE} AND (rom.dat_game_id IS NULL OR dat_game.role = 'game')
    ORDER BY folder.path, rom.written, rom.id
    ) AS each
""")  # noqa: S608 - our own words
# Of an archive with one file in it the hashes are that file's.
_FILES = text(rf"""
    SELECT CAST(json_agg(json_build_array(each.rom_id, each.id,
        translate(encode(each.path, 'base64'), E'\n', ''), each.size, each.member, each.crc32,
        translate(encode(each.md5, 'base64'), E'\n', ''), translate(encode(each.sha1, 'base64'), E'\n', ''))) AS text)
    FROM (
    SELECT member.rom_id, file.id, file.path, coalesce(inner_one.size, whole.size) AS size, inner_one.member,
        CASE WHEN inner_one.file_id IS NULL THEN coalesce(whole.crc32_headerless, whole.crc32)
            ELSE coalesce(inner_one.crc32_headerless, inner_one.crc32) END AS crc32,
        CASE WHEN inner_one.file_id IS NULL THEN coalesce(whole.md5_headerless, whole.md5)
            ELSE coalesce(inner_one.md5_headerless, inner_one.md5) END AS md5,
        CASE WHEN inner_one.file_id IS NULL THEN coalesce(whole.sha1_headerless, whole.sha1)
            ELSE coalesce(inner_one.sha1_headerless, inner_one.sha1) END AS sha1
    FROM roms AS rom JOIN rom_folders AS folder ON folder.id = rom.folder_id
    JOIN rom_members AS member ON member.rom_id = rom.id
    JOIN rom_files AS file ON file.id = member.file_id
    LEFT JOIN rom_contents AS whole ON whole.file_id = file.id AND whole.position = 0
    LEFT JOIN rom_contents AS second ON second.file_id = file.id AND second.position = 2
    LEFT JOIN rom_contents AS inner_one
        ON inner_one.file_id = file.id AND inner_one.position = 1 AND second.file_id IS NULL
    WHERE {_OF_THESE} AND file.missing_since IS NULL
    ORDER BY member.rom_id, member.position
    ) AS each
""")  # noqa: S608 - our own words
# A day counts where IGDB knows the day; else the year alone does.
_ENTRIES = text("""
    SELECT CAST(json_agg(row_to_json(each)) AS text) FROM (
    SELECT entry.igdb_id, entry.name, entry.summary, entry.genres, entry.modes,
        CAST(entry.first_release_at AT TIME ZONE 'UTC' AS date) AS released_on, EXISTS (
            SELECT 1 FROM release_dates AS released WHERE released.game_igdb_id = entry.igdb_id
            AND released.precision = 'day' AND released.last_seen_at IS NULL
            AND released.date = CAST(entry.first_release_at AT TIME ZONE 'UTC' AS date)
        ) AS is_day, entry.raw -> 'involved_companies' AS companies
    FROM game_metadata AS entry WHERE entry.igdb_id = ANY(CAST(:ids AS bigint[]))
    ) AS each
""")


class _Row(msgspec.Struct, gc=False):
    rom_id: int
    folder: bytes
    kind: str
    platform: str | None
    written: str
    title: str
    year: int | None
    regions: list[str]
    languages: list[str]
    disc: int | None
    verdict: str
    igdb_id: int | None
    right_name: str | None
    dat_year: int | None
    maker: str | None
    own_name: str | None
    own_year: int | None
    own_genres: list[str] | None
    rating: float | None
    is_favourite: bool
    status: str | None
    seconds: int | None
    last_played_at: datetime | None


class _File(msgspec.Struct, array_like=True, gc=False):
    rom_id: int
    id: int
    path: bytes
    size: int | None
    member: str | None
    crc32: int | None
    md5: bytes | None
    sha1: bytes | None


class _Entry(msgspec.Struct, gc=False):
    igdb_id: int
    name: str
    summary: str | None
    genres: list[str]
    modes: list[str]
    released_on: date | None
    is_day: bool
    # As IGDB sent it.
    companies: msgspec.Raw


class _Company(msgspec.Struct, gc=False):
    name: str = ""


class _Involved(msgspec.Struct, gc=False):
    company: _Company | None = None
    developer: bool = False
    publisher: bool = False


_ROM_ROWS = msgspec.json.Decoder(list[_Row])
_FILE_ROWS = msgspec.json.Decoder(list[_File])
_INVOLVED = msgspec.json.Decoder(list[_Involved] | None)
_ENTRY_ROWS = msgspec.json.Decoder(list[_Entry])


def load_games(
    connection: Connection, person_id: int, *, folder_id: int | None = None, platform: str | None = None
) -> Sequence[GameToExport]:
    """Return a person's ROMs that are there, of a folder or a platform (a slug) or all of them, by folder and name.

    Missing ones, those of folders that were removed, and what a DAT calls a BIOS or a device are not among them.
    """
    asked = {"person": person_id, "folder": folder_id, "platform": platform}
    rows = _ROM_ROWS.decode(connection.scalar(_ROMS, asked) or "[]")
    files: defaultdict[int, list[_File]] = defaultdict(list)
    for file in _FILE_ROWS.decode(connection.scalar(_FILES, asked) or "[]"):
        files[file.rom_id].append(file)
    ids = sorted({row.igdb_id for row in rows if row.igdb_id is not None})
    known = _ENTRY_ROWS.decode(connection.scalar(_ENTRIES, {"ids": ids}) or "[]") if ids else []
    entries = {entry.igdb_id: entry for entry in known}
    return [_game(row, files[row.rom_id], entries.get(row.igdb_id or 0)) for row in rows if row.rom_id in files]


def _game(row: _Row, its_files: Sequence[_File], entry: _Entry | None) -> GameToExport:
    folder = row.folder.rstrip(b"/") + b"/"
    files = tuple(folder + file.path for file in its_files)
    first = its_files[0]
    released_on = entry.released_on if entry is not None and entry.is_day else None
    # Whose year is another knows of another day.
    if row.own_year is not None and released_on is not None and row.own_year != released_on.year:
        released_on = None
    year = entry.released_on.year if entry is not None and entry.released_on is not None else row.year or row.dat_year
    developer, publisher = _companies(entry.companies) if entry is not None else (None, None)
    title = row.own_name or (entry.name if entry is not None else None) or row.title or row.written
    genres = row.own_genres if row.own_genres is not None else entry.genres if entry is not None else ()
    return GameToExport(
        rom_id=row.rom_id,
        file_id=first.id,
        folder=row.folder,
        path=files[0],
        files=files,
        kind=row.kind,
        platform=row.platform,
        title=title if row.disc is None else f"{title} (Disc {row.disc})",
        dat_name=row.right_name or row.written,
        description=entry.summary if entry is not None else None,
        released_on=released_on,
        year=year if row.own_year is None else row.own_year,
        developer=developer or row.maker,
        publisher=publisher,
        genres=genres,
        # IGDB says how many only of some; that it is for one alone it says of all.
        players="1" if entry is not None and entry.modes == ["Single player"] else None,
        rating=row.rating,
        is_favourite=row.is_favourite,
        regions=row.regions,
        languages=row.languages,
        disc=row.disc,
        size=first.size,
        member=first.member,
        crc32=first.crc32,
        md5=first.md5,
        sha1=first.sha1,
        igdb_id=row.igdb_id,
        verdict=row.verdict,
        status=row.status,
        seconds=row.seconds,
        last_played_at=row.last_played_at,
    )


def _companies(raw: msgspec.Raw) -> tuple[str | None, str | None]:
    """Return the developers and the publishers of a document of IGDB; of one in an older shape neither is known."""
    try:
        involved = _INVOLVED.decode(raw) or ()
    except msgspec.ValidationError:
        return None, None
    makers = [each.company.name for each in involved if each.developer and each.company is not None]
    sellers = [each.company.name for each in involved if each.publisher and each.company is not None]
    return ", ".join(filter(None, makers)) or None, ", ".join(filter(None, sellers)) or None
