"""A library goes along with an export that says so, comes back whole, and is in no other one."""

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy import Engine, insert, select, text, update

from models import (
    Extraction,
    Follow,
    Game,
    GameListEntry,
    HeldChange,
    ImportLine,
    LibraryAccount,
    LibraryEntry,
    LibraryImport,
    ListActivity,
    PersonWork,
    Playthrough,
    Rendition,
    Sound,
    TitleDecision,
    Video,
    WantedGame,
    Work,
)
from models.people import OWNER_ID, Person
from pipeline.export.reading import one_moment
from pipeline.export.tables import WITH_LIBRARY, all_kinds
from pipeline.export.writing import Format, export
from pipeline.importer.run import Summary, import_paths
from pipeline.importer.times import time_parser
from tests.databases import Databases
from tests.feeds.libraries import Libraries
from tests.feeds.world import NOON, Publishing
from tests.pipeline.export.sounds import add_sounds
from tests.pipeline.world import SOURCES

LATER = NOON + timedelta(days=9)
OWN = "Elderquay 5"
PERSONAL = {kind.table.name for kind, above in all_kinds(WITH_LIBRARY) if kind.is_personal}


@pytest.fixture
def libraries(engine: Engine, tmp_path: Path) -> Libraries:
    """Two people's libraries, with a row in every table that they have."""
    libraries = Libraries(Publishing(engine, tmp_path / "public"))
    world = libraries.world
    mara = libraries.person()
    with engine.begin() as connection:
        connection.execute(update(Person).where(Person.id == OWNER_ID).values(name="nils", platforms=["PC", "Switch"]))
    world.event("drops", game_id=(public := libraries.own("Gloomtide", wanted_for=("campaign", "library"))))
    games = [libraries.own(f"Elderquay {number}", seconds=7200 * number) for number in range(5)]
    hers = libraries.own("Marshlight", person_id=mara)
    # A game that IGDB lacks, with a work of its own.
    work_id = world.add(Work, name=OWN, name_key="elderquay5", how="hand")
    own = world.add(Game, name=OWN, name_key="elderquay5", public_id="0a0b0c0d", work_id=work_id, work_pinned_at=NOON)
    libraries.session(NOON, 3600)
    imported = world.add(
        LibraryImport, person_id=mara, format="playnite", name="games.json", digest=b"\x01\x02", started_at=NOON,
        finished_at=NOON, counts={"new": 3},
    )  # fmt: skip
    world.add(
        ImportLine, import_id=imported, line=7, written="FF7", record={"line": 7, "written": "FF7"}, verdict="unsure",
        score=0.5, choices=[{"igdb_id": 427, "name": "Final Fantasy VII"}], explanation="two are called so",
    )  # fmt: skip
    with engine.begin() as connection:
        of_import = {"import_id": imported, "import_line": 4}
        connection.execute(update(LibraryEntry).where(LibraryEntry.person_id == mara).values(**of_import))
    libraries.say(games[0], rating=82.5, tags=["cosy"], notes="with bells", set_by={"rating": "hand"})
    libraries.say(hers, person_id=mara, status="abandoned", set_by={"status": "import"})
    libraries.once(games[1], finished="1999-Q3", seconds=60, import_key="a", notes="once")
    libraries.once(own, status="playing", started="2022")
    decision = {"person_id": mara, "verdict": "own", "name_key": "elderquay5", "game_id": own, "made_at": NOON}
    world.add(TitleDecision, **decision)
    world.add(TitleDecision, verdict="is", store="steam", external_id="440", igdb_id=891, made_at=NOON)
    best = libraries.list_of("My best", games[2], games[0], games[1], ranked=True, wants=False)
    libraries.list_of("Wanted", public, person_id=mara)
    libraries.moved(best, 3, 1)
    gone = {"list_id": best, "at": NOON, "verb": "removed", "changes": [{"entry": 99, "name": "X", "place_before": 2}]}
    with engine.begin() as connection:
        connection.execute(insert(ListActivity).values(**gone))
    add_sounds(world, public, games[0], mara)
    follow = {"kind": "game", "created_at": NOON}
    world.add(Follow, **follow, game_id=public)
    world.add(Follow, **follow, game_id=public, person_id=mara)
    libraries.event("You finished Elderquay 1", "play.finished", game_id=games[1], person_id=OWNER_ID)
    libraries.event("Elderquay 2 moved", "release.moved", game_id=games[2], is_private=True)
    held = {"family": "release", "item": "6", "silent": False, "held_at": NOON, "due_at": LATER}
    with engine.begin() as connection:
        ids = connection.scalars(select(WantedGame.igdb_id).order_by(WantedGame.igdb_id)).all()
        connection.execute(insert(HeldChange), [held | {"subject": f"igdb/{igdb_id}"} for igdb_id in ids[:2]])
    world.add(
        LibraryAccount, service="steam", external_id="7656119", key_encrypted=b"a secret", created_at=NOON,
        next_due_at=NOON,
    )  # fmt: skip
    return libraries


@pytest.fixture
def other_engine(databases: Databases) -> Iterator[Engine]:
    with databases.new() as engine:
        # Every id in the other database differs from the one here.
        with engine.begin() as connection:
            for kind, _ in all_kinds(WITH_LIBRARY):
                if "id" in kind.table.c:
                    sequence = "SELECT setval(pg_get_serial_sequence(:table, 'id'), 1000, true)"
                    connection.execute(text(sequence), {"table": kind.table.name})
        yield engine


@pytest.fixture
def written(libraries: Libraries, tmp_path: Path) -> Callable[..., Path]:
    def write(name: str, *, library: bool, form: Format = "jsonl") -> Path:
        path = tmp_path / name
        export(libraries.world.engine, form, path, NOON, library=library)
        return path

    return write


def import_into(engine: Engine, path: Path) -> Summary:
    steps = import_paths(engine, SOURCES, [path], parse_time=time_parser(), now=lambda: LATER)
    return [Summary(), *steps][-1]


def content(engine: Engine) -> dict[str, list[dict[str, Any]]]:
    with one_moment(engine) as moment:
        return {
            kind.table.name: [line.fields for line in moment.rows(kind, above)]
            for kind, above in all_kinds(WITH_LIBRARY)
        }


def test_a_library_comes_back_whole(libraries: Libraries, other_engine: Engine, written: Callable[..., Path]) -> None:
    before = content(libraries.world.engine)

    summary = import_into(other_engine, written("whole.jsonl", library=True))

    assert summary.quarantined == []
    after = content(other_engine)
    for table in PERSONAL | {"games", "events", "follows"}:
        assert after[table] == before[table], table
        assert after[table], f"nothing is in {table}: what is not there cannot be compared"
    export(
        other_engine, "jsonl", (again := written("whole.jsonl", library=True).with_name("again")), NOON, library=True
    )
    first, second = (path.read_bytes().splitlines() for path in (again.with_name("whole.jsonl"), again))
    # The other installation knows more sources.
    assert [line for line in first if b'"type":"end"' not in line] == [
        line for line in second if b'"type":"source"' not in line and b'"type":"end"' not in line
    ]


def test_sounds_know_their_videos_and_the_categories_of_their_chapters_where_they_are_imported(
    libraries: Libraries, other_engine: Engine, written: Callable[..., Path]
) -> None:
    path = written("whole.jsonl", library=True)
    assert b"secret of work" not in path.read_bytes()
    import_into(other_engine, path)

    with other_engine.connect() as connection:
        games = dict(connection.execute(select(Game.name, Game.id)).all())
        (video_id,) = connection.scalars(select(Video.id))
        sound = connection.execute(select(Sound.chapters, Sound.video_id).where(Sound.external_id == "v1")).one()
        states = connection.execute(select(Extraction.state, Extraction.video_id).order_by(Extraction.id)).all()
        renditions = connection.scalars(select(Rendition.state).order_by(Rendition.id)).all()
    assert [chapter.get("game_id") for chapter in sound.chapters] == [games["Gloomtide"], games["Elderquay 0"], None]
    assert sound.video_id == video_id
    # What was under way is begun anew.
    assert [tuple(row) for row in states] == [("completed", video_id), ("pending", None)]
    assert renditions == ["ready", "pending"]


@pytest.mark.parametrize("path", ["/etc/passwd", "sounds/../secret.key", "secret.key"])
def test_an_export_that_names_a_file_outside_of_the_folder_of_sounds_is_refused(
    other_engine: Engine, written: Callable[..., Path], path: str
) -> None:
    whole = written("whole.jsonl", library=True)
    whole.write_bytes(whole.read_bytes().replace(b"sounds/originals/01/01.m4a", path.encode()))

    assert "outside of the folder of sounds" in import_into(other_engine, whole).quarantined[0].reason

    with other_engine.connect() as connection:
        assert connection.scalars(select(Sound.id)).all() == []


def test_what_follows_from_a_library_follows_where_it_is_imported(
    libraries: Libraries, other_engine: Engine, written: Callable[..., Path]
) -> None:
    wanted = select(WantedGame.igdb_id).where(WantedGame.reasons.contains(["library"])).order_by(WantedGame.igdb_id)
    with libraries.world.engine.connect() as connection:
        before = connection.scalars(wanted).all()

    import_into(other_engine, written("whole.jsonl", library=True))

    with other_engine.connect() as connection:
        assert connection.scalars(wanted).all() == before
        works = select(Work.name, PersonWork.words, PersonWork.seconds).join(Work, Work.id == PersonWork.work_id)
        standings = {name: (words, seconds) for name, words, seconds in connection.execute(works)}
        listed = select(WantedGame.reasons).join(GameListEntry, GameListEntry.igdb_id == WantedGame.igdb_id)
        assert ["library", "list"] in [sorted(reasons) for reasons in connection.scalars(listed)]
        changes = connection.scalars(select(ListActivity.changes).order_by(ListActivity.id)).all()
        entries = connection.scalars(select(GameListEntry.id).order_by(GameListEntry.id)).all()
    assert standings["Elderquay 1"] == (["owned", "finished"], 7200)
    assert standings[OWN] == (["playing"], None)
    assert standings["Marshlight"] == (["owned", "abandoned"], None)
    assert changes[0][0]["entry"] == entries[0]
    assert "entry" not in changes[1][0]


@pytest.mark.parametrize("form", ["jsonl", "csv", "sqlite"])
def test_without_it_nothing_personal_is_in_an_export(
    form: Format, written: Callable[..., Path], libraries: Libraries
) -> None:
    data = written("public", library=False, form=form).read_bytes()

    if form == "jsonl":
        lines = [json.loads(line) for line in data.splitlines()]
        assert [line["name"] for line in lines if line.get("type") == "game"] == ["Gloomtide"]
        assert [line["title"] for line in lines if line.get("type") == "event"] == ["drops"]
        assert [line["subject"] for line in lines if line.get("type") == "held_change"] == ["igdb/1000"]
        assert len([line for line in lines if line.get("type") == "follow"]) == 1
        kinds = {line.get("type") for line in lines}
        assert kinds.isdisjoint({kind.name for kind in WITH_LIBRARY if kind.is_personal})
        assert not any("work" in line or "is_private" in line for line in lines)
    for word in (
        b"Elderquay",
        b"Marshlight",
        b"My best",
        b"mara",
        b"nils",
        b"playnite",
        b"a secret",
        b"7656119",
        b"Horn",
        b"the Drive",
        b"Ann, last",
    ):
        assert word not in data
    with one_moment(libraries.world.engine) as moment:
        assert [line for kind, above in all_kinds() if kind.is_personal for line in moment.rows(kind, above)] == []


def test_an_export_without_a_library_is_taken_as_before(other_engine: Engine, written: Callable[..., Path]) -> None:
    assert import_into(other_engine, written("public.jsonl", library=False)).quarantined == []

    with other_engine.connect() as connection:
        assert connection.scalars(select(Person.name)).all() == ["owner"]
        assert connection.scalars(select(Playthrough.id)).all() == []


def test_no_key_of_an_account_is_in_any_export(written: Callable[..., Path]) -> None:
    lines = [msgspec.json.decode(line) for line in written("whole", library=True).read_bytes().splitlines()]

    assert not any("key_encrypted" in line for line in lines)
    assert b"a secret" not in written("whole", library=True).read_bytes()
