"""The ROMs of a person that are there, as exports write them."""

from collections.abc import Sequence
from datetime import date, datetime

import msgspec
from sqlalchemy import Connection, text

from pipeline.roms.exports.records import GameToExport

# What DATs call a BIOS or a device no front end lists. A day counts where IGDB knows the day; else the year alone does.
# As one text of JSON: the driver would take several times as long for twenty thousand rows of forty columns.
_GAMES = text(r"""
    WITH shown AS (
        SELECT rom.*, folder.path AS folder_path, coalesce(rom.platform, folder.platform) AS its_platform
        FROM roms AS rom JOIN rom_folders AS folder ON folder.id = rom.folder_id
        LEFT JOIN dat_games AS dat_game ON dat_game.id = rom.dat_game_id
        WHERE folder.person_id = :person AND folder.removed_at IS NULL AND rom.missing_since IS NULL
            AND (CAST(:folder AS bigint) IS NULL OR folder.id = :folder)
            AND (CAST(:platform AS text) IS NULL OR coalesce(rom.platform, folder.platform) = :platform)
            AND coalesce(dat_game.role, 'game') = 'game'
    ), files AS (
        SELECT member.rom_id, (array_agg(file.id ORDER BY member.position))[1] AS file_id,
            json_agg(translate(encode(file.path, 'base64'), E'\n', '') ORDER BY member.position) AS paths
        FROM rom_members AS member JOIN rom_files AS file ON file.id = member.file_id
        WHERE member.rom_id IN (SELECT id FROM shown) AND file.missing_since IS NULL
        GROUP BY member.rom_id
    ), contents AS (
        SELECT DISTINCT ON (content.file_id) content.*, of_file.members
        FROM rom_contents AS content JOIN (
            SELECT file_id, count(*) FILTER (WHERE member <> '') AS members FROM rom_contents
            WHERE file_id IN (SELECT file_id FROM files) GROUP BY file_id
        ) AS of_file ON of_file.file_id = content.file_id
        ORDER BY content.file_id, (of_file.members = 1 AND content.member = ''), content.position
    ), entries AS (
        SELECT entry.igdb_id, entry.name, entry.summary, entry.genres, entry.modes, entry.first_release_at,
            entry.raw -> 'involved_companies' AS involved, EXISTS (
                SELECT 1 FROM release_dates AS released WHERE released.game_igdb_id = entry.igdb_id
                AND released.precision = 'day' AND released.last_seen_at IS NULL
                AND released.date = CAST(entry.first_release_at AS date)
            ) AS is_day
        FROM game_metadata AS entry WHERE entry.igdb_id IN (SELECT igdb_id FROM shown)
    ), companies AS (
        SELECT entries.igdb_id,
            string_agg(company.value #>> '{company,name}', ', ' ORDER BY company.ordinality)
                FILTER (WHERE company.value -> 'developer' = 'true') AS developer,
            string_agg(company.value #>> '{company,name}', ', ' ORDER BY company.ordinality)
                FILTER (WHERE company.value -> 'publisher' = 'true') AS publisher
        FROM entries, jsonb_array_elements(entries.involved) WITH ORDINALITY AS company
        WHERE jsonb_typeof(entries.involved) = 'array'
        GROUP BY entries.igdb_id
    )
    SELECT CAST(json_agg(row_to_json(each)) AS text) FROM (
    SELECT shown.id AS rom_id, files.file_id, translate(encode(shown.folder_path, 'base64'), E'\n', '') AS folder,
        files.paths, shown.kind, shown.its_platform AS platform, shown.written,
        coalesce(shown.right_name, CASE WHEN shown.verdict = 'verified' THEN dat_game.name END) AS right_name,
        coalesce(state.name, entries.name, nullif(shown.title, ''), shown.written) AS title,
        entries.summary AS description, state.year AS year_by_hand,
        CASE WHEN entries.is_day THEN CAST(entries.first_release_at AT TIME ZONE 'UTC' AS date) END AS released_on,
        coalesce(CAST(extract(year FROM entries.first_release_at AT TIME ZONE 'UTC') AS integer), shown.year,
            dat_game.year) AS year,
        coalesce(companies.developer, dat_game.maker) AS developer, companies.publisher,
        coalesce(state.genres, entries.genres, '{}') AS genres, coalesce(entries.modes, '{}') AS modes,
        state.rating, coalesce(state.is_favourite, false) AS is_favourite, shown.regions, shown.languages, shown.disc,
        contents.size, CASE WHEN contents.members = 1 THEN contents.member END AS member,
        coalesce(contents.crc32_headerless, contents.crc32) AS crc32,
        translate(encode(coalesce(contents.md5_headerless, contents.md5), 'base64'), E'\n', '') AS md5,
        translate(encode(coalesce(contents.sha1_headerless, contents.sha1), 'base64'), E'\n', '') AS sha1,
        shown.igdb_id, shown.verdict, person_work.status, person_work.seconds, person_work.last_played_at
    FROM shown JOIN files ON files.rom_id = shown.id
    LEFT JOIN contents ON contents.file_id = files.file_id
    LEFT JOIN dat_games AS dat_game ON dat_game.id = shown.dat_game_id
    LEFT JOIN entries ON entries.igdb_id = shown.igdb_id
    LEFT JOIN companies ON companies.igdb_id = shown.igdb_id
    LEFT JOIN games AS game ON game.id = shown.game_id
    LEFT JOIN game_states AS state ON state.work_id = game.work_id AND state.person_id = :person
    LEFT JOIN person_works AS person_work ON person_work.work_id = game.work_id AND person_work.person_id = :person
    ORDER BY shown.folder_path, shown.written, shown.id
    ) AS each
""")


class _Row(msgspec.Struct, gc=False):
    rom_id: int
    file_id: int
    folder: bytes
    paths: list[bytes]
    kind: str
    platform: str | None
    written: str
    right_name: str | None
    title: str
    description: str | None
    year_by_hand: int | None
    released_on: date | None
    year: int | None
    developer: str | None
    publisher: str | None
    genres: list[str]
    modes: list[str]
    rating: float | None
    is_favourite: bool
    regions: list[str]
    languages: list[str]
    disc: int | None
    size: int | None
    member: str | None
    crc32: int | None
    md5: bytes | None
    sha1: bytes | None
    igdb_id: int | None
    verdict: str
    status: str | None
    seconds: int | None
    last_played_at: datetime | None


_DECODER = msgspec.json.Decoder(list[_Row])


def load_games(
    connection: Connection, person_id: int, *, folder_id: int | None = None, platform: str | None = None
) -> Sequence[GameToExport]:
    """Return a person's ROMs that are there, of a folder or a platform (a slug) or all of them, by folder and name.

    Missing ones, those of folders that were removed, and what a DAT calls a BIOS or a device are not among them.
    """
    rows = connection.scalar(_GAMES, {"person": person_id, "folder": folder_id, "platform": platform})
    return [] if rows is None else [_game(row) for row in _DECODER.decode(rows)]


def _game(row: _Row) -> GameToExport:
    files = tuple(row.folder.rstrip(b"/") + b"/" + path for path in row.paths)
    # Whose year is another knows of another day.
    is_other_year = (
        row.year_by_hand is not None and row.released_on is not None and row.year_by_hand != row.released_on.year
    )
    return GameToExport(
        rom_id=row.rom_id,
        file_id=row.file_id,
        folder=row.folder,
        path=files[0],
        files=files,
        kind=row.kind,
        platform=row.platform,
        title=row.title if row.disc is None else f"{row.title} (Disc {row.disc})",
        dat_name=row.right_name or row.written,
        description=row.description,
        released_on=None if is_other_year else row.released_on,
        year=row.year if row.year_by_hand is None else row.year_by_hand,
        developer=row.developer,
        publisher=row.publisher,
        genres=row.genres,
        # IGDB says how many only of some; that it is for one alone it says of all.
        players="1" if row.modes == ["Single player"] else None,
        rating=row.rating,
        is_favourite=row.is_favourite,
        regions=row.regions,
        languages=row.languages,
        disc=row.disc,
        size=row.size,
        member=row.member,
        crc32=row.crc32,
        md5=row.md5,
        sha1=row.sha1,
        igdb_id=row.igdb_id,
        verdict=row.verdict,
        status=row.status,
        seconds=row.seconds,
        last_played_at=row.last_played_at,
    )
