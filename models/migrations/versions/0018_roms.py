"""Collections of ROMs: folders, files, what is in them, sets, and DATs."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

_TIME = sa.DateTime(timezone=True)
_TABLES = ("rom_members", "roms", "rom_contents", "rom_files", "rom_folders", "dat_roms", "dat_games", "dat_files")


def upgrade() -> None:
    op.create_table(
        "dat_files",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("version", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("platform", sa.Text(), nullable=True),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("file_name", sa.Text(), nullable=False),
        sa.Column("games", sa.Integer(), nullable=False),
        sa.Column("roms", sa.Integer(), nullable=False),
        sa.Column("lacks_crc32", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("imported_at", _TIME, nullable=False),
        sa.Column("superseded_at", _TIME, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dat_files")),
        sa.UniqueConstraint("digest", name=op.f("uq_dat_files_digest")),
    )
    op.create_index(op.f("ix_dat_files_name"), "dat_files", ["name"], unique=False)
    op.create_table(
        "dat_games",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("dat_id", sa.BigInteger(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("parent_name", sa.Text(), nullable=True),
        sa.Column("year", sa.Integer(), nullable=True),
        sa.Column("maker", sa.Text(), nullable=True),
        sa.Column("serial", sa.Text(), nullable=True),
        sa.Column("role", sa.Text(), server_default=sa.text("'game'"), nullable=False),
        sa.Column("files", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.ForeignKeyConstraint(
            ["dat_id"], ["dat_files.id"], name=op.f("fk_dat_games_dat_id_dat_files"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dat_games")),
        sa.UniqueConstraint("dat_id", "position", name=op.f("uq_dat_games_dat_id_position")),
    )
    op.create_index(op.f("ix_dat_games_dat_id_name"), "dat_games", ["dat_id", "name"], unique=False)
    op.create_table(
        "rom_folders",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("person_id", sa.BigInteger(), server_default=sa.text("1"), nullable=False),
        sa.Column("path", sa.LargeBinary(), nullable=False),
        sa.Column("shown", sa.Text(), nullable=False),
        sa.Column("platform", sa.Text(), nullable=True),
        sa.Column("layout", sa.Text(), server_default=sa.text("'auto'"), nullable=False),
        sa.Column("options", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("added_at", _TIME, nullable=False),
        sa.Column("next_due_at", _TIME, nullable=False),
        sa.Column("scans", sa.Integer(), server_default="0", nullable=False),
        sa.Column("scan_started_at", _TIME, nullable=True),
        sa.Column("scanned_at", _TIME, nullable=True),
        sa.Column("suspect_since", _TIME, nullable=True),
        sa.Column("problem", sa.Text(), nullable=True),
        sa.Column("problem_since", _TIME, nullable=True),
        sa.Column("removed_at", _TIME, nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_rom_folders_person_id_people")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rom_folders")),
        sa.UniqueConstraint("person_id", "path", name=op.f("uq_rom_folders_person_id_path")),
    )
    op.create_index(op.f("ix_rom_folders_next_due_at"), "rom_folders", ["next_due_at"], unique=False)
    op.create_table(
        "dat_roms",
        sa.Column("dat_game_id", sa.BigInteger(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=True),
        sa.Column("crc32", sa.BigInteger(), nullable=True),
        sa.Column("md5", sa.LargeBinary(), nullable=True),
        sa.Column("sha1", sa.LargeBinary(), nullable=True),
        sa.Column("is_disk", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("status", sa.Text(), server_default=sa.text("'good'"), nullable=False),
        sa.ForeignKeyConstraint(
            ["dat_game_id"], ["dat_games.id"], name=op.f("fk_dat_roms_dat_game_id_dat_games"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("dat_game_id", "position", name=op.f("pk_dat_roms")),
    )
    op.create_index(
        "ix_dat_roms_crc32_size",
        "dat_roms",
        ["crc32", "size"],
        unique=False,
        postgresql_where=sa.text("crc32 IS NOT NULL"),
    )
    op.create_index("ix_dat_roms_md5", "dat_roms", ["md5"], unique=False, postgresql_where=sa.text("md5 IS NOT NULL"))
    op.create_index(
        "ix_dat_roms_sha1", "dat_roms", ["sha1"], unique=False, postgresql_where=sa.text("sha1 IS NOT NULL")
    )
    op.create_table(
        "rom_files",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("folder_id", sa.BigInteger(), nullable=False),
        sa.Column("path", sa.LargeBinary(), nullable=False),
        sa.Column("shown", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("mtime_ns", sa.BigInteger(), nullable=False),
        sa.Column("inode", sa.BigInteger(), nullable=False),
        sa.Column("container", sa.Text(), server_default=sa.text("'plain'"), nullable=False),
        sa.Column("sheet", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("first_seen_at", _TIME, nullable=False),
        sa.Column("read_at", _TIME, nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("absences", sa.Integer(), server_default="0", nullable=False),
        sa.Column("missing_since", _TIME, nullable=True),
        sa.ForeignKeyConstraint(["folder_id"], ["rom_folders.id"], name=op.f("fk_rom_files_folder_id_rom_folders")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rom_files")),
        sa.UniqueConstraint("folder_id", "path", name=op.f("uq_rom_files_folder_id_path")),
    )
    op.create_index(
        "ix_rom_files_unread", "rom_files", ["folder_id"], unique=False, postgresql_where=sa.text("read_at IS NULL")
    )
    op.create_table(
        "roms",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("folder_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("written", sa.Text(), nullable=False),
        sa.Column("platform", sa.Text(), nullable=True),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("title_key", sa.Text(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=True),
        sa.Column("regions", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("languages", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("disc", sa.Integer(), nullable=True),
        sa.Column("revision", sa.Text(), nullable=True),
        sa.Column("flags", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("tags", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("dat_game_id", sa.BigInteger(), nullable=True),
        sa.Column("verdict", sa.Text(), server_default=sa.text("'unknown'"), nullable=False),
        sa.Column("identified_by", sa.Text(), nullable=True),
        sa.Column("right_name", sa.Text(), nullable=True),
        sa.Column("game_id", sa.BigInteger(), nullable=True),
        sa.Column("igdb_id", sa.BigInteger(), nullable=True),
        sa.Column("how", sa.Text(), nullable=True),
        sa.Column("confidence", sa.REAL(), nullable=True),
        sa.Column("pinned_at", _TIME, nullable=True),
        sa.Column("matched_at", _TIME, nullable=True),
        sa.Column("added_at", _TIME, nullable=False),
        sa.Column("missing_since", _TIME, nullable=True),
        sa.ForeignKeyConstraint(["folder_id"], ["rom_folders.id"], name=op.f("fk_roms_folder_id_rom_folders")),
        sa.ForeignKeyConstraint(["game_id"], ["games.id"], name=op.f("fk_roms_game_id_games")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_roms")),
        postgresql_with={"fillfactor": 50},
    )
    op.create_index(op.f("ix_roms_folder_id"), "roms", ["folder_id"], unique=False)
    op.create_index(op.f("ix_roms_game_id"), "roms", ["game_id"], unique=False)
    op.create_index(
        "ix_roms_unmatched",
        "roms",
        ["folder_id"],
        unique=False,
        postgresql_where=sa.text("game_id IS NULL AND pinned_at IS NULL"),
    )
    op.create_table(
        "rom_contents",
        sa.Column("file_id", sa.BigInteger(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("member", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("crc32", sa.BigInteger(), nullable=True),
        sa.Column("md5", sa.LargeBinary(), nullable=True),
        sa.Column("sha1", sa.LargeBinary(), nullable=True),
        sa.Column("header_bytes", sa.Integer(), server_default="0", nullable=False),
        sa.Column("crc32_headerless", sa.BigInteger(), nullable=True),
        sa.Column("md5_headerless", sa.LargeBinary(), nullable=True),
        sa.Column("sha1_headerless", sa.LargeBinary(), nullable=True),
        sa.Column("disk_sha1", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(
            ["file_id"], ["rom_files.id"], name=op.f("fk_rom_contents_file_id_rom_files"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("file_id", "position", name=op.f("pk_rom_contents")),
    )
    op.create_index("ix_rom_contents_crc32_size", "rom_contents", ["crc32", "size"], unique=False)
    op.create_index(
        "ix_rom_contents_disk_sha1",
        "rom_contents",
        ["disk_sha1"],
        unique=False,
        postgresql_where=sa.text("disk_sha1 IS NOT NULL"),
    )
    op.create_index(
        "ix_rom_contents_sha1", "rom_contents", ["sha1"], unique=False, postgresql_where=sa.text("sha1 IS NOT NULL")
    )
    op.create_table(
        "rom_members",
        sa.Column("rom_id", sa.BigInteger(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("file_id", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["file_id"], ["rom_files.id"], name=op.f("fk_rom_members_file_id_rom_files")),
        sa.ForeignKeyConstraint(["rom_id"], ["roms.id"], name=op.f("fk_rom_members_rom_id_roms"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("rom_id", "position", name=op.f("pk_rom_members")),
    )
    op.create_index(op.f("ix_rom_members_file_id"), "rom_members", ["file_id"], unique=False)

    # Subscriptions stand under all that a game may be for them: what has a ROM too is one of these.
    op.execute(
        "INSERT INTO subscription_keys (key, subscription_id)"
        " SELECT key || '+rom', subscription_id FROM subscription_keys WHERE split_part(key, '|', 2) = 'library'"
    )


def downgrade() -> None:
    op.execute("DELETE FROM deliveries USING events WHERE events.id = event_id AND kind LIKE 'rom.%'")
    op.execute("DELETE FROM feed_items USING events WHERE events.id = event_id AND kind LIKE 'rom.%'")
    op.execute("DELETE FROM unpublished USING events WHERE events.id = event_id AND kind LIKE 'rom.%'")
    # The older program would read none of them.
    op.execute("DELETE FROM events WHERE kind LIKE 'rom.%'")
    for table in _TABLES:
        op.drop_table(table)
    op.execute("DELETE FROM subscription_keys WHERE split_part(key, '|', 2) = 'library' AND key ~ '[:+]rom$'")
    op.execute("UPDATE person_works SET words = array_remove(words, 'rom')")
