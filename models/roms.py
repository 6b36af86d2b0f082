"""Collections of ROM files: folders, files, what is in them, the sets that they make, and the DATs that know them.

Files are only ever read. What is a person's word (`roms.pinned_at`, `how` = `hand`) no scan overwrites.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import REAL
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, BigId


class RomFolder(Base):
    """A folder of ROMs that a person has added; `shown` is its path as text, which need not be UTF-8.

    `layout` is `auto`, `flat`, `romm`, `esde` or `exodos`; `platform` a slug of `models.platforms`, null where
    its folders say it. `options` has `extensions` and `ignore`. A scan that goes on has a `scan_started_at`, and
    `scanned_at` is when the last one ended that saw the folder whole. Since `suspect_since` so much of it is gone that
    nothing is believed, and `problem` says so in a sentence. One with a `removed_at` is looked at no more.
    """

    __tablename__ = "rom_folders"
    __table_args__ = (UniqueConstraint("person_id", "path"), Index(None, "next_due_at"))

    id: Mapped[BigId]
    person_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("people.id"), server_default=text("1"))
    path: Mapped[bytes]
    shown: Mapped[str]
    platform: Mapped[str | None]
    layout: Mapped[str] = mapped_column(server_default=text("'auto'"))
    options: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    added_at: Mapped[datetime]
    next_due_at: Mapped[datetime]
    # Counts the scans that saw the folder whole.
    scans: Mapped[int] = mapped_column(server_default=text("0"))
    scan_started_at: Mapped[datetime | None]
    scanned_at: Mapped[datetime | None]
    suspect_since: Mapped[datetime | None]
    problem: Mapped[str | None]
    problem_since: Mapped[datetime | None]
    removed_at: Mapped[datetime | None]


class RomFile(Base):
    """A file of a collection, by its path in its folder; size, time of change and inode say whether it is the same.

    `container` is `plain`, `zip`, `7z`, `rar`, `tar`, `gz`, `chd` or `cso`. Without a `read_at` it is to be read;
    `error` says why it could not be. `absences` counts the whole scans in a row that lacked it; from the second on it
    has a `missing_since`.
    """

    __tablename__ = "rom_files"
    __table_args__ = (
        UniqueConstraint("folder_id", "path"),
        Index("ix_rom_files_unread", "folder_id", postgresql_where=text("read_at IS NULL")),
    )

    id: Mapped[BigId]
    folder_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("rom_folders.id"))
    path: Mapped[bytes]
    shown: Mapped[str]
    size: Mapped[int] = mapped_column(BigInteger)
    mtime_ns: Mapped[int] = mapped_column(BigInteger)
    # As a signed number, since some file systems use all 64 bits.
    inode: Mapped[int] = mapped_column(BigInteger)
    container: Mapped[str] = mapped_column(server_default=text("'plain'"))
    # The names that a cue, gdi or m3u sheet lists.
    sheet: Mapped[list[str]] = mapped_column(server_default=text("'{}'"))
    first_seen_at: Mapped[datetime]
    read_at: Mapped[datetime | None]
    error: Mapped[str | None]
    absences: Mapped[int] = mapped_column(server_default=text("0"))
    missing_since: Mapped[datetime | None]


class RomContent(Base):
    """What a file is, or a member of an archive: its hashes, and those without a copier's header where it has one.

    `member` is empty for the file itself. What was not computed is null: a zip's list gives CRC32 alone. `disk_sha1` is
    the one in a CHD's header, of its raw and meta data.
    """

    __tablename__ = "rom_contents"
    __table_args__ = (
        Index("ix_rom_contents_sha1", "sha1", postgresql_where=text("sha1 IS NOT NULL")),
        Index("ix_rom_contents_disk_sha1", "disk_sha1", postgresql_where=text("disk_sha1 IS NOT NULL")),
        Index("ix_rom_contents_crc32_size", "crc32", "size"),
    )

    file_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("rom_files.id", ondelete="CASCADE"), primary_key=True)
    # From 0 on, in the order of the archive.
    position: Mapped[int] = mapped_column(primary_key=True)
    member: Mapped[str] = mapped_column(server_default=text("''"))
    size: Mapped[int] = mapped_column(BigInteger)
    crc32: Mapped[int | None] = mapped_column(BigInteger)
    md5: Mapped[bytes | None]
    sha1: Mapped[bytes | None]
    header_bytes: Mapped[int] = mapped_column(server_default=text("0"))
    crc32_headerless: Mapped[int | None] = mapped_column(BigInteger)
    md5_headerless: Mapped[bytes | None]
    sha1_headerless: Mapped[bytes | None]
    disk_sha1: Mapped[bytes | None]


class DatFile(Base):
    """A DAT, in one version; a newer one of the same name takes its place from `superseded_at` on.

    `kind` is `logiqx`, `clrmamepro`, `softwarelist` or `smdb`. `lacks_crc32` where some of its files are known by
    other hashes alone, so that members of archives are to be read for it.
    """

    __tablename__ = "dat_files"
    __table_args__ = (UniqueConstraint("digest"), Index(None, "name"))

    id: Mapped[BigId]
    kind: Mapped[str]
    name: Mapped[str]
    version: Mapped[str] = mapped_column(server_default=text("''"))
    platform: Mapped[str | None]
    digest: Mapped[bytes]
    file_name: Mapped[str]
    games: Mapped[int]
    roms: Mapped[int]
    lacks_crc32: Mapped[bool] = mapped_column(server_default=text("false"))
    imported_at: Mapped[datetime]
    superseded_at: Mapped[datetime | None]


class DatGame(Base):
    """A game of a DAT: a set of files. `parent_name` is the game that it is a clone of, by its name in the same DAT."""

    __tablename__ = "dat_games"
    __table_args__ = (UniqueConstraint("dat_id", "position"), Index(None, "dat_id", "name"))

    id: Mapped[BigId]
    dat_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("dat_files.id", ondelete="CASCADE"))
    # From 1 on, in the order of the DAT.
    position: Mapped[int]
    name: Mapped[str]
    description: Mapped[str | None]
    parent_name: Mapped[str | None]
    year: Mapped[int | None]
    maker: Mapped[str | None]
    serial: Mapped[str | None]
    # `game`, `bios` or `device`.
    role: Mapped[str] = mapped_column(server_default=text("'game'"))
    # How many of its files can be known: those with a hash that are dumped.
    files: Mapped[int] = mapped_column(server_default=text("0"))


class DatRom(Base):
    """A file of a game of a DAT; what the DAT does not say of it is null. `is_disk` for a CHD, known by its header.

    `status` is `good`, `verified`, `baddump` or `nodump`.
    """

    __tablename__ = "dat_roms"
    __table_args__ = (
        Index("ix_dat_roms_sha1", "sha1", postgresql_where=text("sha1 IS NOT NULL")),
        Index("ix_dat_roms_md5", "md5", postgresql_where=text("md5 IS NOT NULL")),
        Index("ix_dat_roms_crc32_size", "crc32", "size", postgresql_where=text("crc32 IS NOT NULL")),
    )

    dat_game_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("dat_games.id", ondelete="CASCADE"), primary_key=True
    )
    position: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    size: Mapped[int | None] = mapped_column(BigInteger)
    crc32: Mapped[int | None] = mapped_column(BigInteger)
    md5: Mapped[bytes | None]
    sha1: Mapped[bytes | None]
    is_disk: Mapped[bool] = mapped_column(server_default=text("false"))
    status: Mapped[str] = mapped_column(server_default=text("'good'"))


class Rom(Base):
    """A set: the files that make one release of a game, as a front end starts it.

    `kind` is `file`, `archive`, `cue`, `gdi`, `m3u`, `folder` or `split`; `written` is the name as it stands there, and
    the columns after it are what `pipeline.roms.names` reads from it. `verdict` is what DATs say: `verified`,
    `incomplete` (some of its game's files), `bad` (a bad dump) or `unknown`; `identified_by` is the weakest of the
    hashes that said so: `sha1`, `md5`, `crc32`, `disk`, or `name` alone. `game_id` is the game that it is, `how` whose
    word that is: `id`, `title` or a person's `hand`; with `hand` and no game it is unmatched, and stays so.
    """

    __tablename__ = "roms"
    __table_args__ = (
        Index(None, "folder_id"),
        Index(None, "game_id"),
        Index("ix_roms_unmatched", "folder_id", postgresql_where=text("game_id IS NULL AND pinned_at IS NULL")),
        # To say anew what DATs know of each takes a third of the time where no index is written for it: a row has room
        # beside itself, and what DATs say of it is in none.
        {"postgresql_with": {"fillfactor": 50}},
    )

    id: Mapped[BigId]
    folder_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("rom_folders.id"))
    kind: Mapped[str]
    written: Mapped[str]
    platform: Mapped[str | None]
    title: Mapped[str]
    title_key: Mapped[str]
    year: Mapped[int | None]
    regions: Mapped[list[str]] = mapped_column(server_default=text("'{}'"))
    languages: Mapped[list[str]] = mapped_column(server_default=text("'{}'"))
    # From 1 on; `side` of a disk and the like are tags.
    disc: Mapped[int | None]
    revision: Mapped[str | None]
    # `beta`, `demo`, `hack`, `translation`, `bad` and others of `pipeline.roms.names`.
    flags: Mapped[list[str]] = mapped_column(server_default=text("'{}'"))
    # As they are written, those that nobody knows.
    tags: Mapped[list[str]] = mapped_column(server_default=text("'{}'"))
    # No foreign key: to check it takes as long as to identify 100,000 sets, and no game of a DAT is ever deleted.
    dat_game_id: Mapped[int | None] = mapped_column(BigInteger)
    verdict: Mapped[str] = mapped_column(server_default=text("'unknown'"))
    identified_by: Mapped[str | None]
    # What the DAT calls it, where it is called otherwise here.
    right_name: Mapped[str | None]
    game_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("games.id"))
    igdb_id: Mapped[int | None] = mapped_column(BigInteger)
    how: Mapped[str | None]
    confidence: Mapped[float | None] = mapped_column(REAL)
    pinned_at: Mapped[datetime | None]
    # When its title was last looked up.
    matched_at: Mapped[datetime | None]
    added_at: Mapped[datetime]
    missing_since: Mapped[datetime | None]


class RomMember(Base):
    """A file of a set; the one at position 0 is what a front end opens."""

    __tablename__ = "rom_members"
    __table_args__ = (Index(None, "file_id"),)

    rom_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("roms.id", ondelete="CASCADE"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    file_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("rom_files.id"))


class RomExport(Base):
    """What an export last wrote into a file of a front end, by the file's path (of a plan or links, their folder's).

    `written` is what `pipeline.roms.exports.memory` makes of it: for each ROM its entry, and digests of its fields.
    Without the row all that is in the file is somebody else's, and stays.
    """

    __tablename__ = "rom_exports"

    person_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("people.id"), primary_key=True)
    path: Mapped[bytes] = mapped_column(primary_key=True)
    format: Mapped[str]
    written: Mapped[bytes]
    written_at: Mapped[datetime]
