"""List a person's ROMs: what each is, where it lies, what DATs say of it, and which game it is."""

import posixpath
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Literal, get_args

import msgspec
from sqlalchemy import Connection, Select, func, literal, select, tuple_

from models import DatFile, DatGame, Game, Rom, RomContent, RomFile, RomFolder, RomMember
from models.names import name_key
from models.platforms import PLATFORMS
from pipeline.roms.records import Verdict
from pipeline.roms.resolving import UnknownRom

VERDICTS: tuple[str, ...] = get_args(Verdict)
_FILES = (
    select(RomMember.rom_id, func.array_agg(RomFile.shown).label("files"), func.sum(RomFile.size).label("size"))
    .join(RomFile, RomFile.id == RomMember.file_id)
    .group_by(RomMember.rom_id)
    .subquery("its_files")
)
# What each of its sheets lists, a name a line.
_LISTED = (
    select(RomMember.rom_id, func.array_agg(func.array_to_string(RomFile.sheet, "\n")).label("listed"))
    .join(RomFile, RomFile.id == RomMember.file_id)
    .where(RomFile.sheet != [])
    .group_by(RomMember.rom_id)
    .subquery("its_sheets")
)

_ORDER = (Rom.title_key, Rom.platform.is_(None), func.coalesce(Rom.platform, ""), Rom.written, Rom.id)


class CollectedRom(msgspec.Struct, frozen=True, kw_only=True):
    """A ROM of a collection; `models.roms.Rom` says what its fields are.

    `files` are paths below `folder`, the first is what a front end opens; `size` is theirs together, in bytes. `game`
    is what the library calls it, `dat` the DAT that knows it, and `dat_game` its name there. `lacks` are the files that
    its sheets list and that are not there.
    """

    id: int
    written: str
    title: str
    platform: str | None
    year: int | None
    regions: tuple[str, ...]
    languages: tuple[str, ...]
    disc: int | None
    revision: str | None
    flags: tuple[str, ...]
    tags: tuple[str, ...]
    verdict: str
    identified_by: str | None
    dat: str | None
    dat_game: str | None
    parent: str | None
    right_name: str | None
    game_id: int | None
    igdb_id: int | None
    game: str | None
    how: str | None
    confidence: float | None
    is_pinned: bool
    folder_id: int
    folder: str
    files: tuple[str, ...]
    lacks: tuple[str, ...] = ()
    size: int
    added_at: datetime
    missing_since: datetime | None

    @property
    def platform_name(self) -> str:
        """The platform as people write it; "" where nobody knows it."""
        known = PLATFORMS.get(self.platform or "")
        return known.name if known is not None else self.platform or ""


class RomFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which ROMs are listed. `platform` is a slug; `text` is looked for in names and titles, whatever its case.

    Without `ids` all that fit.
    """

    ids: Collection[int] | None = None
    folder_id: int | None = None
    platform: str | None = None
    verdict: Literal["verified", "incomplete", "bad", "unknown"] | None = None
    text: str | None = None
    missing: bool = False
    unmatched: bool = False


class RomKey(msgspec.Struct, frozen=True):
    """Where a ROM stands among a person's, as they are listed."""

    title_key: str
    is_unknown: bool
    platform: str
    written: str
    rom: int


class RomFileLine(msgspec.Struct, frozen=True, kw_only=True):
    """What is in a file of a ROM; hashes are in hexadecimal digits, and those that nobody computed are None."""

    file: str
    member: str
    size: int
    crc32: str | None
    md5: str | None
    sha1: str | None
    header_bytes: int
    sha1_headerless: str | None
    disk_sha1: str | None
    error: str | None


def load_collected(
    connection: Connection,
    person_id: int,
    wish: RomFilter = RomFilter(),  # noqa: B008 - it is frozen
    *,
    after: RomKey | None = None,
    limit: int | None = None,
) -> list[CollectedRom]:
    """Return a person's ROMs by title, those of removed folders left out; behind one, so many at most, where given."""
    query = _wished(_query(person_id), wish).limit(limit)
    if after is not None:
        query = query.where(tuple_(*_ORDER) > tuple_(*(literal(part) for part in msgspec.structs.astuple(after))))
    return [_collected(row) for row in connection.execute(query)]


def key_of(rom: CollectedRom) -> RomKey:
    """Return where a ROM stands among a person's."""
    return RomKey(name_key(rom.title), rom.platform is None, rom.platform or "", rom.written, rom.id)


def load_named(connection: Connection, person_id: int, names: Sequence[str]) -> list[CollectedRom]:
    """Return the ROMs that a person names: each by its number, its name as written, its title, or a file's path.

    A title names all its ROMs. Raises `UnknownRom` for a name of none.
    """
    every = load_collected(connection, person_id)
    by_id = {rom.id: rom for rom in every}
    chosen: dict[int, CollectedRom] = {}
    for name in names:
        if name.isdecimal() and int(name) in by_id:
            chosen[int(name)] = by_id[int(name)]
            continue
        key = name_key(name)
        exact = [rom for rom in every if name in {rom.written, *rom.files}]
        named = exact or [rom for rom in every if key and key in _keys(rom)]
        if not named:
            raise UnknownRom(f"no ROM is called {name!r}; `lootwire roms show` lists them with their numbers")
        chosen |= {rom.id: rom for rom in named}
    return list(chosen.values())


def _keys(rom: CollectedRom) -> set[str]:
    return {name_key(rom.title), name_key(rom.written), name_key(rom.game or "")}


def load_contents(connection: Connection, rom_id: int) -> list[RomFileLine]:
    """Return what is in the files of a ROM."""
    statement = (
        select(RomFile.shown, RomFile.error, *RomContent.__table__.c)
        .join(RomMember, RomMember.file_id == RomFile.id)
        .outerjoin(RomContent, RomContent.file_id == RomFile.id)
        .where(RomMember.rom_id == rom_id)
        .order_by(RomMember.position, RomContent.position)
    )
    return [
        RomFileLine(
            file=row.shown,
            member=row.member or "",
            size=row.size or 0,
            crc32=None if row.crc32 is None else f"{row.crc32:08x}",
            md5=_hex(row.md5),
            sha1=_hex(row.sha1),
            header_bytes=row.header_bytes or 0,
            sha1_headerless=_hex(row.sha1_headerless),
            disk_sha1=_hex(row.disk_sha1),
            error=row.error,
        )
        for row in connection.execute(statement)
    ]


def load_unreadable(connection: Connection, person_id: int) -> list[tuple[str, str, str]]:
    """Return the files that could not be read: folder, path in it, and why."""
    statement = (
        select(RomFolder.shown, RomFile.shown, RomFile.error)
        .join(RomFolder, RomFolder.id == RomFile.folder_id)
        .where(RomFolder.person_id == person_id, RomFolder.removed_at.is_(None))
        .where(RomFile.error.is_not(None), RomFile.missing_since.is_(None))
        .order_by(RomFolder.shown, RomFile.shown)
    )
    return [(row[0], row[1], row[2] or "") for row in connection.execute(statement)]


def _query(person_id: int) -> Select[*tuple[object, ...]]:
    return (
        select(
            *Rom.__table__.c,
            DatGame.name.label("dat_game"),
            DatGame.parent_name.label("parent"),
            DatFile.name.label("dat"),
            Game.name.label("game"),
            RomFolder.shown.label("folder"),
            _FILES.c.files,
            _FILES.c.size,
            _LISTED.c.listed,
        )
        .join(RomFolder, RomFolder.id == Rom.folder_id)
        .outerjoin(DatGame, DatGame.id == Rom.dat_game_id)
        .outerjoin(DatFile, DatFile.id == DatGame.dat_id)
        .outerjoin(Game, Game.id == Rom.game_id)
        .outerjoin(_FILES, _FILES.c.rom_id == Rom.id)
        .outerjoin(_LISTED, _LISTED.c.rom_id == Rom.id)
        .where(RomFolder.person_id == person_id, RomFolder.removed_at.is_(None))
        .order_by(*_ORDER)
    )


def _wished(query: Select[*tuple[object, ...]], wish: RomFilter) -> Select[*tuple[object, ...]]:
    if wish.ids is not None:
        query = query.where(Rom.id.in_(sorted(wish.ids)))
    if wish.folder_id is not None:
        query = query.where(Rom.folder_id == wish.folder_id)
    if wish.platform is not None:
        query = query.where(Rom.platform == wish.platform)
    if wish.verdict is not None:
        query = query.where(Rom.verdict == wish.verdict)
    if wish.missing:
        query = query.where(Rom.missing_since.is_not(None))
    if wish.unmatched:
        query = query.where(Rom.game_id.is_(None))
    if wish.text:
        query = query.where(
            Rom.written.icontains(wish.text, autoescape=True)
            | Rom.title.icontains(wish.text, autoescape=True)
            | Game.name.icontains(wish.text, autoescape=True)
        )
    return query


def _collected(row: object) -> CollectedRom:
    values = dict(row._mapping)  # type: ignore[attr-defined]  # noqa: SLF001 - SQLAlchemy's public name
    lists = {name: tuple(values[name] or ()) for name in ("regions", "languages", "flags", "tags", "files")}
    lists["lacks"] = _lacking(values["listed"] or (), lists["files"])
    kept = {name: values[name] for name in CollectedRom.__struct_fields__ if name in values}
    size, is_pinned = int(values["size"] or 0), values["pinned_at"] is not None
    return CollectedRom(**{**kept, **lists, "size": size, "is_pinned": is_pinned})


def _lacking(sheets: Sequence[str], files: Sequence[str]) -> tuple[str, ...]:
    """Return what sheets list that is not there; as many files as they list are those, by other names."""
    listed = {posixpath.basename(name.replace("\\", "/")): None for sheet in sheets for name in sheet.split("\n")}
    if len(files) - len(sheets) >= len(listed):
        return ()
    there = {posixpath.basename(file).casefold() for file in files}
    return tuple(name for name in listed if name.casefold() not in there)


def _hex(digest: bytes | None) -> str | None:
    return None if digest is None else digest.hex()
