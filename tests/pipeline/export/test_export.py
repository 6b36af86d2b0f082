"""The export of the catalogue, and its import elsewhere."""

import csv
import gzip
import io
import json
import re
import sqlite3
import zipfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import zstandard
from sqlalchemy import Engine, func, select

from feeds.publish import publish
from models import Base, Channel, GameExternalId, StreamSession
from models.errors import LootwireError
from pipeline.export.reading import one_moment
from pipeline.export.tables import KINDS, WITH_LIBRARY, all_kinds, names
from pipeline.export.writing import Format, export
from pipeline.importer.run import Summary, import_paths
from pipeline.importer.times import time_parser
from tests.databases import Databases
from tests.paths import CHECKOUT
from tests.pipeline.builders import NOON, campaign, campaigns, drops
from tests.pipeline.channels.observations import offline
from tests.pipeline.export.lived import (
    BOB,
    advance_streams,
    hear,
    live_through_campaigns,
    live_through_streams,
    live_through_the_rest,
)
from tests.pipeline.world import SOURCES, Ingesting

# An export by a version without badges and streams.
BEFORE_CHANNELS = Path(__file__).with_name("exports") / "before_channels.jsonl"
DOCUMENT = CHECKOUT / "docs" / "export.md"
ADDRESS = "http://127.0.0.1:8420"


def live(world: Ingesting) -> Ingesting:
    """Fill every table that is exported."""
    live_through_campaigns(world)
    live_through_streams(world)
    live_through_the_rest(world)
    world.advance(days=3)
    return world


@pytest.fixture
def lived(world: Ingesting) -> Ingesting:
    return live(world)


@pytest.fixture(scope="module")
def whole_export(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """An export of a world like `lived`, made once for all tests that only read its lines."""
    path = tmp_path_factory.mktemp("export") / "catalogue"
    with databases.new() as engine:
        export(engine, "jsonl", path, live(Ingesting(engine)).now)
    return path.read_bytes()


@pytest.fixture
def other_engine(databases: Databases) -> Iterator[Engine]:
    with databases.new() as engine:
        # Every id in the other database differs from the one here.
        with engine.begin() as connection:
            for kind, _ in all_kinds():
                if "id" in kind.table.c:
                    connection.execute(
                        select(func.setval(func.pg_get_serial_sequence(kind.table.name, "id"), 1000, False))
                    )
        yield engine


@pytest.fixture
def written(lived: Ingesting, tmp_path: Path) -> Callable[..., Path]:
    def write(form: Format = "jsonl", name: str = "catalogue") -> Path:
        path = tmp_path / name
        export(lived.engine, form, path, lived.now)
        return path

    return write


def import_into(engine: Engine, *paths: Path) -> Summary:
    steps = import_paths(engine, SOURCES, paths, parse_time=time_parser(), now=lambda: NOON + timedelta(days=9))
    return [Summary(), *steps][-1]


def published(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def content(engine: Engine) -> dict[str, list[dict[str, Any]]]:
    """Return the rows of every exported table, with keys in place of row numbers."""
    tables: dict[str, list[dict[str, Any]]] = {}
    with one_moment(engine) as moment:
        for kind, above in all_kinds():
            tables[kind.table.name] = [line.fields for line in moment.rows(kind, above)]
    return tables


def test_an_export_that_is_imported_into_an_empty_database_gives_the_same_catalogue_back(
    lived: Ingesting, other_engine: Engine, written: Callable[..., Path]
) -> None:
    before = content(lived.engine)

    summary = import_into(other_engine, written())

    assert summary.quarantined == []
    after = content(other_engine)
    assert before.keys() == after.keys()
    for table, rows in before.items():
        assert after[table] == rows, table
        assert rows, f"nothing is in {table}: what is not there cannot be compared"
    # The comparison above covers these; without them it would prove little.
    assert any(row["last_seen_at"] for row in after["allowed_channels"])
    assert any(row["last_seen_at"] for row in after["time_based_drops"])
    assert any(row["last_seen_at"] for row in after["drop_benefit_edges"])
    assert any(row["withdrawn_at"] for row in after["drop_campaigns"])
    assert any(row["ended_at"] for row in after["drop_campaigns"])
    assert {row["kind"] for row in after["follows"]} == {"channel", "category", "drops", "game"}
    assert {row["stream_id"]: row["story"] for row in after["stream_sessions"]} == {
        "s1": None,
        "s2": "twitch:501/s1",
        "s3": None,
        "s9": None,
    }
    assert {row["channel"] for row in after["events"]} == {None, "twitch:501", "twitch:502", "twitch:503"}
    assert "twitch:501" in {row["channel"] for row in after["feeds"]}
    assert ["lampkeeper"] in [row["former_logins"] for row in after["channels"]]


def test_the_feeds_of_an_imported_export_are_the_same_byte_for_byte(
    lived: Ingesting, other_engine: Engine, written: Callable[..., Path], tmp_path: Path
) -> None:
    import_into(other_engine, written())
    # The front page lists the sources that are on; those that an import cannot ask are off.
    for name in ("igdb.mirror", "twitch.eventsub", "twitch.streams"):
        lived.set_source(name, enabled=False)

    for engine, folder in ((lived.engine, "before"), (other_engine, "after")):
        assert publish(engine, tmp_path / folder, ADDRESS, lived.now).failures == []

    before, after = published(tmp_path / "before"), published(tmp_path / "after")
    assert len(before) > 20
    assert len([path for path in before if path.startswith("channels/") and path.endswith(".html")]) == 3
    assert {path: data for path, data in after.items() if before.get(path) != data} == {}
    assert before.keys() == after.keys()


def test_an_export_of_what_was_imported_is_the_same_but_for_its_own_time(
    lived: Ingesting, other_engine: Engine, written: Callable[..., Path], tmp_path: Path
) -> None:
    first = written()
    import_into(other_engine, first)

    export(other_engine, "jsonl", tmp_path / "second", lived.now)

    assert (tmp_path / "second").read_bytes() == first.read_bytes()


def test_sources_go_on_where_they_stood(lived: Ingesting, other_engine: Engine, written: Callable[..., Path]) -> None:
    import_into(other_engine, written())
    restored = Ingesting(other_engine, now=lived.now)

    listed = drops(*campaigns("a", "c", owner={"id": "org-moss", "name": "Moss & Co"}), campaign("new"))
    counts = [world.ingest(listed, hours=1).events for world in (lived, restored)]

    assert counts[0] == counts[1]
    assert counts[0]["campaign.added"] == 1
    assert restored.events("campaign.added")[-1].silent is False
    assert restored.source("chzzk.drops").cursor == {"highest": 1201}
    assert restored.source("chzzk.drops").enabled


def test_streams_go_on_where_they_stood(lived: Ingesting, other_engine: Engine, written: Callable[..., Path]) -> None:
    import_into(other_engine, written())
    restored = Ingesting(other_engine, now=lived.now)

    counts = [hear(world, 240, offline(240, BOB)) + advance_streams(world.engine, 260) for world in (lived, restored)]

    assert counts[0] == counts[1]
    assert counts[0]["stream.offline"] == 1
    assert [event.event_key for event in lived.events("stream.offline")] == [
        event.event_key for event in restored.events("stream.offline")
    ]


def test_what_belongs_to_one_installation_stays_there(
    other_engine: Engine, whole_export: bytes, tmp_path: Path
) -> None:
    (tmp_path / "catalogue").write_bytes(whole_export)
    import_into(other_engine, tmp_path / "catalogue")
    restored = Ingesting(other_engine)

    assert not re.search(rb"fingerprint|completed_at|checked_at|videos_due_at", whole_export)
    assert all(row.checked_at is None and row.videos_due_at is None for row in restored.rows(Channel))
    for name in ("igdb.mirror", "twitch.eventsub"):
        source = restored.source(name)
        assert (source.enabled, source.cursor, source.first_fetched_at) == (False, {}, None)
    # No worker fetches it, so it must never be due.
    assert restored.source("twitch.eventsub").next_due_at == datetime(9999, 12, 31, tzinfo=UTC)


def test_games_that_share_an_entry_of_igdb_share_it_under_their_new_numbers(
    other_engine: Engine, whole_export: bytes, tmp_path: Path
) -> None:
    (tmp_path / "catalogue").write_bytes(whole_export)
    import_into(other_engine, tmp_path / "catalogue")

    lines = [json.loads(line) for line in whole_export.splitlines()]
    named = {game["key"]: part for game in lines if game.get("type") == "game" for part in game["external_ids"]}
    assert named["chzzk:BrassHarbour"] | {"pinned_at": ...} == {
        "service": "igdb",
        "external_id": "1020/chzzk:BrassHarbour",
        "how": "hand",
        "pinned_at": ...,
    }
    links = Ingesting(other_engine).rows(GameExternalId, service="igdb")
    assert [link.external_id.partition("/")[::2] for link in links] == [
        ("1020", ""),
        ("1020", str(links[1].game_id)),
        ("none", str(links[2].game_id)),
    ]
    assert [(link.how, link.confidence) for link in links] == [("name", 0.75), ("hand", None), ("hand", None)]


def test_an_export_of_the_version_before_is_taken(other_engine: Engine, tmp_path: Path) -> None:
    assert import_into(other_engine, BEFORE_CHANNELS).quarantined == []

    known = content(other_engine)
    assert [(row["login"], row["former_logins"]) for row in known["channels"]] == [("keeper1", []), ("keeper2", [])]
    assert {row["how"] for row in known["game_external_ids"]} == {"service"}
    assert [row["last_seen_at"] is None for row in known["allowed_channels"]] == [True, False]
    assert known["campaign_deadlines"][0]["campaign"] == "twitch:camp-a"
    assert publish(other_engine, tmp_path / "published", ADDRESS, NOON).failures == []
    assert Ingesting(other_engine).rows(StreamSession) == []


def test_an_export_is_refused_where_anything_is_known_already(
    lived: Ingesting, world: Ingesting, written: Callable[..., Path]
) -> None:
    path, before = written(), content(lived.engine)

    summary = import_into(lived.engine, path)

    (aside,) = summary.quarantined
    assert aside.path == str(path)
    assert "only an empty catalogue can take" in aside.reason
    assert content(lived.engine) == before


@pytest.mark.parametrize(
    ("damage", "reason"),
    {
        "cut off between lines": (lambda data: data[: data.rindex(b"\n", 0, -1) + 1], "its last line is missing"),
        "cut off inside a line": (lambda data: data[: len(data) // 2], "of the export is damaged"),
        "a line is missing": (
            lambda data: b"".join(
                line for line in data.splitlines(True) if b'"soon"' not in line and b"KICKsoon" not in line
            ),
            "lines are missing of",
        ),
        "refers to what is not there": (
            lambda data: data.replace(b'"game":"twitch:7001"', b'"game":"twitch:1"', 1),
            "is damaged: KeyError('twitch:1')",
        ),
        "of what is not known": (
            lambda data: data.replace(b'"type":"badge"', b'"type":"emote"'),
            "a line of type 'emote', of which this program knows nothing",
        ),
        "of a later version": (lambda data: data.replace(b'"schema":1', b'"schema":2', 1), "update it first"),
        "a number is none": (
            lambda data: data.replace(b'"required_minutes":30', b'"required_minutes":"many"', 1),
            "the database does not take it",
        ),
        "a list is none": (lambda data: data.replace(b'"drops":[{', b'"drops":{"x":{', 1), "is damaged"),
        "a source's name is none": (lambda data: data.replace(b'"name":"twitch.drops"', b'"name":{}', 1), "is damaged"),
        "a source's memory is none": (lambda data: re.sub(rb'"cursor":{[^}]*}', b'"cursor":"x"', data), "is damaged"),
        "deep": (lambda data: data + b"[" * 20_000, "is damaged"),
    }.values(),
    ids=lambda value: "" if callable(value) else value[:24],
)
def test_of_a_damaged_export_nothing_is_taken(
    damage: Callable[[bytes], bytes],
    reason: str,
    other_engine: Engine,
    whole_export: bytes,
    tmp_path: Path,
) -> None:
    path = tmp_path / "catalogue"
    path.write_bytes(damage(whole_export))

    summary = import_into(other_engine, path)

    (aside,) = summary.quarantined
    assert reason in aside.reason
    assert not any(rows for table, rows in content(other_engine).items() if table != "sources")


@pytest.mark.parametrize("ending", [".zst", ".gz"])
def test_an_export_may_be_compressed(
    ending: str, lived: Ingesting, other_engine: Engine, written: Callable[..., Path], tmp_path: Path
) -> None:
    plain = written().read_bytes()
    packed = tmp_path / f"catalogue.jsonl{ending}"
    if ending == ".zst":
        export(lived.engine, "jsonl", packed, lived.now)
        assert zstandard.ZstdDecompressor().stream_reader(packed.read_bytes()).read() == plain
    else:
        packed.write_bytes(gzip.compress(plain))

    assert import_into(other_engine, packed).quarantined == []

    assert content(other_engine) == content(lived.engine)


def test_csv_and_sqlite_hold_the_same_rows(lived: Ingesting, written: Callable[..., Path]) -> None:
    archive = zipfile.ZipFile(written("csv", "catalogue.zip"))
    database = sqlite3.connect(written("sqlite", "catalogue.db"))

    for table, rows in content(lived.engine).items():
        sheet = list(csv.DictReader(io.TextIOWrapper(archive.open(f"{table}.csv"), "utf-8", newline="")))
        cursor = database.execute(f'SELECT * FROM "{table}"')  # noqa: S608
        listed = [dict(zip([column[0] for column in cursor.description], row, strict=True)) for row in cursor]
        assert len(sheet) == len(listed) == len(rows), table
        for in_lines, in_csv, in_sqlite in zip(rows, sheet, listed, strict=True):
            assert in_lines.keys() == in_csv.keys() == in_sqlite.keys()
            assert {name for name, value in in_lines.items() if value is None} == {
                name for name, value in in_sqlite.items() if value is None
            }
            assert {name for name, value in in_csv.items() if value == ""} == {
                name for name, value in in_sqlite.items() if value is None
            }
    names_of_games = database.execute(
        "SELECT DISTINCT g.name FROM drop_campaigns c JOIN games g ON g.key = c.game ORDER BY 1"
    ).fetchall()
    assert ("Harbour Lights",) in names_of_games
    assert database.execute("SELECT schema FROM export").fetchone() == (1,)
    database.close()


def test_an_export_shows_one_moment_whatever_is_written_meanwhile(lived: Ingesting, tmp_path: Path) -> None:
    written = content(lived.engine)

    def write_more(_: int) -> None:
        lived.ingest(drops(*campaigns("a", "b", "c", "d", f"at {lived.now.isoformat()}")), minutes=1)

    export(lived.engine, "sqlite", tmp_path / "catalogue.db", lived.now, count=write_more)

    database = sqlite3.connect(tmp_path / "catalogue.db")
    counted = {table: f'SELECT count(*) FROM "{table}"' for table in written}  # noqa: S608
    counts = {table: database.execute(query).fetchone()[0] for table, query in counted.items()}
    database.close()
    assert counts == {table: len(rows) for table, rows in written.items()}


def test_an_export_that_fails_leaves_nothing_behind(lived: Ingesting, tmp_path: Path) -> None:
    kept = tmp_path / "catalogue.jsonl"
    kept.write_text("the one before")

    def fail(_: int) -> None:
        raise LootwireError("no more")

    with pytest.raises(LootwireError, match="no more"):
        export(lived.engine, "jsonl", kept, lived.now, count=fail)
    with pytest.raises(LootwireError, match="there is no folder"):
        export(lived.engine, "jsonl", tmp_path / "nowhere" / "x", lived.now)
    with pytest.raises(LootwireError, match="it is a folder"):
        export(lived.engine, "jsonl", tmp_path, lived.now)

    assert [path.name for path in tmp_path.iterdir()] == ["catalogue.jsonl"]
    assert kept.read_text() == "the one before"


# Tables that are not exported, and why: secrets, rows of one installation, and rows that are useful only while new.
NOT_EXPORTED = {
    "credentials": "secret",
    "targets": "secret",
    "subscriptions": "belong to targets",
    "subscription_keys": "belong to targets",
    "wakes": "belong to targets",
    "mutes": "belong to targets",
    "settled": "what one person has",
    "drop_progress": "what one person has",
    "account_links": "what one person has",
    "deliveries": "belong to targets",
    "fetch_runs": "forgotten after 30 days",
    "api_keys": "secret",
    "invitations": "secret",
    "idempotent_answers": "are work",
    "audit_entries": "tell of the keys of one installation",
    "plans": "are of one installation",
    "realtime_state": "is of one database",
    "balances": "are of one installation",
    "ledger_entries": "are of one installation",
    "eventsub_messages": "are work: what they told is in sessions, segments and events",
    "feed_items": "follow from events",
    "unpublished": "is work: an import has all of it done",
    "pictures": "copies of what their addresses give again",
    "heartbeats": "tell of running programs",
    "incidents": "tell of one installation",
    "quarantined_payloads": "what was not believed is no part of the catalogue",
    "game_metadata": "IGDB gives it again",
    "game_titles": "IGDB gives them again",
    "external_games": "IGDB gives them again",
    "platforms": "IGDB gives them again",
    "release_dates": "IGDB gives them again",
    "wanted_games": "follow from lists, campaigns and channels",
    "person_works": "follow from libraries",
    "library_accounts": "secret",
    "rom_folders": "are of one machine",
    "rom_files": "a scan finds them again",
    "rom_contents": "a scan reads them again",
    "roms": "a scan finds them again; what a person said of their titles is among the decisions",
    "rom_members": "a scan finds them again",
    "rom_exports": "are of files on one machine",
    "sound_folders": "are of one machine",
    "sound_files": "a scan finds them again",
    "sound_hosts": "secret, and rests of one installation",
    "dat_files": "their files give them again",
    "dat_games": "their files give them again",
    "dat_roms": "their files give them again",
}


def test_every_table_is_exported_or_has_a_reason_why_not() -> None:
    exported = {kind.table.name for kind, _ in all_kinds(WITH_LIBRARY)}

    assert exported | NOT_EXPORTED.keys() == set(Base.metadata.tables)
    assert exported & NOT_EXPORTED.keys() == set()


def test_the_document_describes_every_column_and_no_other() -> None:
    sections = re.split(r"^### ", DOCUMENT.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
    described = {
        section.split("\n", 1)[0]: re.findall(
            r"`(\w+)`", "\n".join(re.findall(r"^\| (`.*?) \|", section, re.MULTILINE))
        )
        for section in sections
    }

    assert {table: sorted(columns) for table, columns in described.items()} == {
        kind.table.name: sorted(names(kind, above)) for kind, above in all_kinds(WITH_LIBRARY)
    }


def test_the_lines_are_as_the_document_says(whole_export: bytes) -> None:
    header, *lines, end = [json.loads(line) for line in whole_export.splitlines()]

    assert header == {"lootwire": "export", "schema": 1, "exported_at": header["exported_at"]}
    types = [line["type"] for line in lines]
    assert list(dict.fromkeys(types)) == [kind.name for kind in KINDS]
    assert end == {"type": "end", "lines": {name: types.count(name) for name in dict.fromkeys(types)}}
    (campaign_line,) = [line for line in lines if line.get("key") == "twitch:camp-d"]
    assert campaign_line["game"] == "twitch:7001"
    assert [part["external_id"] for part in campaign_line["drops"]] == ["drop-one", "drop-two"]
    assert {part["channel"] for part in campaign_line["channels"]} == {"twitch:1", "twitch:2", "twitch:3", "twitch:4"}
    assert [part["benefit"] for part in campaign_line["drops"][0]["benefits"]] == [
        "twitch:benefit-Hat",
        "twitch:benefit-Scarf",
    ]
    (story,) = [line for line in lines if line.get("stream_id") == "s2"]
    assert (story["type"], story["key"], story["story"]) == ("session", "twitch:501/s2", "twitch:501/s1")
    assert [(part["taken_at"][11:16], part.get("viewers")) for part in story["snapshots"]] == [("12:35", 150)]
    assert [part.get("game") for part in story["segments"]] == ["twitch:7001"]
    (ann,) = [line for line in lines if line.get("key") == "twitch:501"]
    assert {video["external_id"]: video["type"] for video in ann["videos"]} == {"v1": "upload", "v2": "archive"}
    assert [line["title"] for line in lines if line["type"] == "badge"] == ["Lamp 1", "Lamp 2"]
