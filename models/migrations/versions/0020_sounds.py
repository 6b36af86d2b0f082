"""Sounds: originals, renditions, extractions, shows, playlists and plays; their feeds; what Twitch muted in videos."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

_TIME = sa.DateTime(timezone=True)
_UUID = sa.UUID(as_uuid=False)
_JSON = postgresql.JSONB(astext_type=sa.Text())
_TEXTS = postgresql.ARRAY(sa.Text())
_TABLES = (
    "episodes",
    "sound_files",
    "renditions",
    "plays",
    "playlist_sounds",
    "extractions",
    "sounds",
    "shows",
    "sound_folders",
    "playlists",
    "sound_hosts",
)
# What a feed is about, so far.
_SUBJECT = (
    *("scope", "service", "game_id", "organization_id", "channel_id", "campaign_id", "reward_campaign_id"),
    *("platform", "link_id"),
)


def upgrade() -> None:
    op.create_table(
        "sound_hosts",
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("until", _TIME, nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("refusals", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("last_fetched_at", _TIME, nullable=True),
        sa.Column("cookies_encrypted", sa.LargeBinary(), nullable=True),
        sa.Column("cookies_set_at", _TIME, nullable=True),
        sa.Column("cookies_stale_at", _TIME, nullable=True),
        sa.PrimaryKeyConstraint("host", name=op.f("pk_sound_hosts")),
    )
    op.create_table(
        "playlists",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("public_id", _UUID, nullable=False),
        sa.Column("person_id", sa.BigInteger(), server_default=sa.text("1"), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("name_key", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("profile", sa.Text(), server_default=sa.text("'podcast'"), nullable=False),
        sa.Column("is_public", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("added_at", _TIME, nullable=False),
        sa.Column("removed_at", _TIME, nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_playlists_person_id_people")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_playlists")),
        sa.UniqueConstraint("person_id", "name_key", name=op.f("uq_playlists_person_id_name_key")),
        sa.UniqueConstraint("public_id", name=op.f("uq_playlists_public_id")),
    )
    op.create_table(
        "sound_folders",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("person_id", sa.BigInteger(), server_default=sa.text("1"), nullable=False),
        sa.Column("path", sa.LargeBinary(), nullable=False),
        sa.Column("shown", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), server_default=sa.text("'effect'"), nullable=False),
        sa.Column("profile", sa.Text(), nullable=True),
        sa.Column("added_at", _TIME, nullable=False),
        sa.Column("scanned_at", _TIME, nullable=True),
        sa.Column("removed_at", _TIME, nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_sound_folders_person_id_people")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sound_folders")),
        sa.UniqueConstraint("person_id", "path", name=op.f("uq_sound_folders_person_id_path")),
    )
    op.create_table(
        "shows",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("public_id", _UUID, nullable=False),
        sa.Column("person_id", sa.BigInteger(), server_default=sa.text("1"), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("name_key", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("author", sa.Text(), nullable=True),
        sa.Column("language", sa.Text(), nullable=True),
        sa.Column("channel_id", sa.BigInteger(), nullable=True),
        sa.Column("url", sa.Text(), nullable=True),
        sa.Column("kinds", _TEXTS, server_default=sa.text("'{archive}'"), nullable=False),
        sa.Column("title_has", sa.Text(), nullable=True),
        sa.Column("longer_than", sa.Integer(), nullable=True),
        sa.Column("game_id", sa.BigInteger(), nullable=True),
        sa.Column("keep_count", sa.Integer(), nullable=True),
        sa.Column("keep_days", sa.Integer(), nullable=True),
        sa.Column("keep_mb", sa.Integer(), nullable=True),
        sa.Column("profile", sa.Text(), server_default=sa.text("'podcast'"), nullable=False),
        sa.Column("is_public", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("is_explicit", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("category", sa.Text(), server_default=sa.text("'Leisure'"), nullable=False),
        sa.Column("artwork", sa.Text(), nullable=True),
        sa.Column("since", _TIME, nullable=False),
        sa.Column("added_at", _TIME, nullable=False),
        sa.Column("next_due_at", _TIME, nullable=True),
        sa.Column("problem", sa.Text(), nullable=True),
        sa.Column("removed_at", _TIME, nullable=True),
        sa.ForeignKeyConstraint(["channel_id"], ["channels.id"], name=op.f("fk_shows_channel_id_channels")),
        sa.ForeignKeyConstraint(["game_id"], ["games.id"], name=op.f("fk_shows_game_id_games")),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_shows_person_id_people")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shows")),
        sa.UniqueConstraint("person_id", "name_key", name=op.f("uq_shows_person_id_name_key")),
        sa.UniqueConstraint("public_id", name=op.f("uq_shows_public_id")),
    )
    op.create_index(op.f("ix_shows_channel_id"), "shows", ["channel_id"], unique=False)
    op.create_table(
        "sounds",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("public_id", _UUID, nullable=False),
        sa.Column("person_id", sa.BigInteger(), server_default=sa.text("1"), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("seconds", sa.REAL(), nullable=True),
        sa.Column("codec", sa.Text(), nullable=True),
        sa.Column("original", sa.Text(), nullable=True),
        sa.Column("service", sa.Text(), nullable=True),
        sa.Column("external_id", sa.Text(), nullable=True),
        sa.Column("webpage_url", sa.Text(), nullable=True),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("artist", sa.Text(), nullable=True),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("language", sa.Text(), nullable=True),
        sa.Column("tags", _TEXTS, server_default=sa.text("'{}'"), nullable=False),
        sa.Column("aliases", _TEXTS, server_default=sa.text("'{}'"), nullable=False),
        sa.Column("channel_id", sa.BigInteger(), nullable=True),
        sa.Column("video_id", sa.BigInteger(), nullable=True),
        sa.Column("published_at", _TIME, nullable=True),
        sa.Column("chapters", _JSON, server_default=sa.text("'[]'"), nullable=False),
        sa.Column("muted", _JSON, nullable=True),
        sa.Column("transcripts", _JSON, server_default=sa.text("'[]'"), nullable=False),
        sa.Column("artwork", sa.Text(), nullable=True),
        sa.Column("added_at", _TIME, nullable=False),
        sa.Column("missing_at", _TIME, nullable=True),
        sa.Column("removed_at", _TIME, nullable=True),
        sa.ForeignKeyConstraint(["channel_id"], ["channels.id"], name=op.f("fk_sounds_channel_id_channels")),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_sounds_person_id_people")),
        sa.ForeignKeyConstraint(["video_id"], ["videos.id"], name=op.f("fk_sounds_video_id_videos")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sounds")),
        sa.UniqueConstraint("public_id", name=op.f("uq_sounds_public_id")),
        sa.UniqueConstraint("sha256", name=op.f("uq_sounds_sha256")),
    )
    op.create_index(op.f("ix_sounds_channel_id_published_at"), "sounds", ["channel_id", "published_at"], unique=False)
    op.create_index(
        "uq_sounds_service_external_id",
        "sounds",
        ["service", "external_id"],
        unique=True,
        postgresql_where=sa.text("external_id IS NOT NULL"),
    )
    op.create_table(
        "extractions",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("person_id", sa.BigInteger(), server_default=sa.text("1"), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("service", sa.Text(), nullable=True),
        sa.Column("external_id", sa.Text(), nullable=True),
        sa.Column("video_id", sa.BigInteger(), nullable=True),
        sa.Column("kind", sa.Text(), server_default=sa.text("'track'"), nullable=False),
        sa.Column("profile", sa.Text(), server_default=sa.text("'podcast'"), nullable=False),
        sa.Column("state", sa.Text(), server_default=sa.text("'pending'"), nullable=False),
        sa.Column("stage", sa.Text(), server_default=sa.text("'probe'"), nullable=False),
        sa.Column("progress", sa.REAL(), server_default=sa.text("0"), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=True),
        sa.Column("title", sa.Text(), nullable=True),
        sa.Column("info", _JSON, nullable=True),
        sa.Column("error_kind", sa.Text(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("is_permanent", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("spent_seconds", sa.REAL(), server_default=sa.text("0"), nullable=False),
        sa.Column("added_at", _TIME, nullable=False),
        sa.Column("next_due_at", _TIME, nullable=False),
        sa.Column("expires_at", _TIME, nullable=True),
        sa.Column("lease_until", _TIME, nullable=True),
        sa.Column("lease_token", _UUID, nullable=True),
        sa.Column("fence", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("sound_id", sa.BigInteger(), nullable=True),
        sa.Column("finished_at", _TIME, nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_extractions_person_id_people")),
        sa.ForeignKeyConstraint(["sound_id"], ["sounds.id"], name=op.f("fk_extractions_sound_id_sounds")),
        sa.ForeignKeyConstraint(["video_id"], ["videos.id"], name=op.f("fk_extractions_video_id_videos")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_extractions")),
    )
    op.create_index(
        "ix_extractions_due",
        "extractions",
        ["next_due_at"],
        unique=False,
        postgresql_where=sa.text("state IN ('pending', 'processing')"),
    )
    op.create_index(op.f("ix_extractions_sound_id"), "extractions", ["sound_id"], unique=False)
    op.create_index(op.f("ix_extractions_url"), "extractions", ["url"], unique=False)
    op.create_index(
        "uq_extractions_live",
        "extractions",
        ["service", "external_id"],
        unique=True,
        postgresql_where=sa.text("external_id IS NOT NULL AND state NOT IN ('failed', 'cancelled')"),
    )
    op.create_table(
        "playlist_sounds",
        sa.Column("playlist_id", sa.BigInteger(), nullable=False),
        sa.Column("sound_id", sa.BigInteger(), nullable=False),
        sa.Column("position", sa.Text(), nullable=False),
        sa.Column("added_at", _TIME, nullable=False),
        sa.ForeignKeyConstraint(
            ["playlist_id"], ["playlists.id"], name=op.f("fk_playlist_sounds_playlist_id_playlists")
        ),
        sa.ForeignKeyConstraint(["sound_id"], ["sounds.id"], name=op.f("fk_playlist_sounds_sound_id_sounds")),
        sa.PrimaryKeyConstraint("playlist_id", "sound_id", name=op.f("pk_playlist_sounds")),
    )
    op.create_index(op.f("ix_playlist_sounds_sound_id"), "playlist_sounds", ["sound_id"], unique=False)
    op.create_table(
        "plays",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("sound_id", sa.BigInteger(), nullable=False),
        sa.Column("person_id", sa.BigInteger(), server_default=sa.text("1"), nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("at", _TIME, nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_plays_person_id_people")),
        sa.ForeignKeyConstraint(["sound_id"], ["sounds.id"], name=op.f("fk_plays_sound_id_sounds")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_plays")),
    )
    op.create_index(op.f("ix_plays_person_id_at"), "plays", ["person_id", "at"], unique=False)
    op.create_index(op.f("ix_plays_sound_id_at"), "plays", ["sound_id", "at"], unique=False)
    op.create_table(
        "renditions",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("sound_id", sa.BigInteger(), nullable=False),
        sa.Column("profile", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), server_default=sa.text("'pending'"), nullable=False),
        sa.Column("mode", sa.Text(), nullable=True),
        sa.Column("codec", sa.Text(), nullable=True),
        sa.Column("bitrate", sa.Integer(), nullable=True),
        sa.Column("path", sa.Text(), nullable=True),
        sa.Column("size", sa.BigInteger(), nullable=True),
        sa.Column("digest", sa.LargeBinary(), nullable=True),
        sa.Column("seconds", sa.REAL(), nullable=True),
        sa.Column("integrated_before", sa.REAL(), nullable=True),
        sa.Column("true_peak_before", sa.REAL(), nullable=True),
        sa.Column("range_before", sa.REAL(), nullable=True),
        sa.Column("threshold_before", sa.REAL(), nullable=True),
        sa.Column("integrated_after", sa.REAL(), nullable=True),
        sa.Column("true_peak_after", sa.REAL(), nullable=True),
        sa.Column("range_after", sa.REAL(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("next_due_at", _TIME, nullable=False),
        sa.Column("lease_until", _TIME, nullable=True),
        sa.Column("lease_token", _UUID, nullable=True),
        sa.Column("fence", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("rendered_at", _TIME, nullable=True),
        sa.ForeignKeyConstraint(["sound_id"], ["sounds.id"], name=op.f("fk_renditions_sound_id_sounds")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_renditions")),
        sa.UniqueConstraint("sound_id", "profile", name=op.f("uq_renditions_sound_id_profile")),
    )
    op.create_index(
        "ix_renditions_due",
        "renditions",
        ["next_due_at"],
        unique=False,
        postgresql_where=sa.text("state IN ('pending', 'rendering')"),
    )
    op.create_table(
        "sound_files",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("folder_id", sa.BigInteger(), nullable=False),
        sa.Column("path", sa.LargeBinary(), nullable=False),
        sa.Column("shown", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("mtime_ns", sa.BigInteger(), nullable=False),
        sa.Column("inode", sa.BigInteger(), nullable=False),
        sa.Column("sound_id", sa.BigInteger(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("seen_at", _TIME, nullable=False),
        sa.Column("missing_since", _TIME, nullable=True),
        sa.ForeignKeyConstraint(
            ["folder_id"], ["sound_folders.id"], name=op.f("fk_sound_files_folder_id_sound_folders")
        ),
        sa.ForeignKeyConstraint(["sound_id"], ["sounds.id"], name=op.f("fk_sound_files_sound_id_sounds")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sound_files")),
        sa.UniqueConstraint("folder_id", "path", name=op.f("uq_sound_files_folder_id_path")),
    )
    op.create_index(op.f("ix_sound_files_sound_id"), "sound_files", ["sound_id"], unique=False)
    op.create_table(
        "episodes",
        sa.Column("show_id", sa.BigInteger(), nullable=False),
        sa.Column("extraction_id", sa.BigInteger(), nullable=False),
        sa.Column("sound_id", sa.BigInteger(), nullable=True),
        sa.Column("added_at", _TIME, nullable=False),
        sa.Column("expiring_at", _TIME, nullable=True),
        sa.Column("kept_out_at", _TIME, nullable=True),
        sa.ForeignKeyConstraint(
            ["extraction_id"], ["extractions.id"], name=op.f("fk_episodes_extraction_id_extractions")
        ),
        sa.ForeignKeyConstraint(["show_id"], ["shows.id"], name=op.f("fk_episodes_show_id_shows")),
        sa.ForeignKeyConstraint(["sound_id"], ["sounds.id"], name=op.f("fk_episodes_sound_id_sounds")),
        sa.PrimaryKeyConstraint("show_id", "extraction_id", name=op.f("pk_episodes")),
    )
    op.create_index(op.f("ix_episodes_extraction_id"), "episodes", ["extraction_id"], unique=False)
    op.create_index(op.f("ix_episodes_sound_id"), "episodes", ["sound_id"], unique=False)
    op.add_column("feeds", sa.Column("show_id", sa.BigInteger(), nullable=True))
    op.add_column("feeds", sa.Column("playlist_id", sa.BigInteger(), nullable=True))
    op.drop_constraint(op.f("uq_feeds_subject"), "feeds", type_="unique")
    op.create_unique_constraint(
        "uq_feeds_subject", "feeds", [*_SUBJECT, "show_id", "playlist_id"], postgresql_nulls_not_distinct=True
    )
    op.create_foreign_key(op.f("fk_feeds_playlist_id_playlists"), "feeds", "playlists", ["playlist_id"], ["id"])
    op.create_foreign_key(op.f("fk_feeds_show_id_shows"), "feeds", "shows", ["show_id"], ["id"])
    op.add_column("videos", sa.Column("muted", _JSON, nullable=True))


def downgrade() -> None:
    # The older program would read none of them.
    op.execute("DELETE FROM deliveries USING events WHERE events.id = event_id AND kind LIKE 'sound.%'")
    op.execute("DELETE FROM feed_items USING events WHERE events.id = event_id AND kind LIKE 'sound.%'")
    op.execute("DELETE FROM unpublished USING events WHERE events.id = event_id AND kind LIKE 'sound.%'")
    op.execute("DELETE FROM events WHERE kind LIKE 'sound.%'")
    op.execute("DELETE FROM feeds WHERE scope IN ('sounds', 'show', 'playlist')")
    op.execute("DELETE FROM links WHERE opens IN ('sounds', 'show', 'playlist')")
    op.drop_column("videos", "muted")
    op.drop_constraint("uq_feeds_subject", "feeds", type_="unique")
    op.drop_column("feeds", "show_id")
    op.drop_column("feeds", "playlist_id")
    op.create_unique_constraint("uq_feeds_subject", "feeds", list(_SUBJECT), postgresql_nulls_not_distinct=True)
    for table in _TABLES:
        op.drop_table(table)
