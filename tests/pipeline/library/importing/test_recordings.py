"""Real exports, with a catalogue that has what they name: rehearsed, imported, again, and in another order."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import Engine

from models.errors import UsageError
from models.names import name_key
from models.people import OWNER_ID
from pipeline.games.store.games import store_games
from pipeline.library.formats import recognise
from pipeline.library.importing.files import digest_of, import_reading
from pipeline.library.records import Reading, ReadOptions
from pipeline.library.resolving import title_of
from tests.databases import Databases
from tests.paths import RECORDINGS
from tests.pipeline.games.documents import doc
from tests.pipeline.library.importing.files import ASKING, state
from tests.pipeline.library.shelves import NOON

pytestmark = [pytest.mark.recordings, pytest.mark.long]
FOLDER = RECORDINGS / "library"


def test_real_files_give_the_same_library_in_any_order_and_again(databases: Databases) -> None:
    files = list(_files())
    states = []
    for order, is_rehearsed in ((files, True), ([*reversed(files), *files], False)):
        with databases.new() as engine:
            _catalogue(engine, [read for _, read, _ in files])
            for path, read, digest in order:
                bring = partial(import_reading, engine, read, digest, path.name, ASKING, person_id=OWNER_ID, now=NOON)
                rehearsed = bring(rehearse=True) if is_rehearsed else None
                done = bring()
                assert rehearsed is None or rehearsed.lines == done.lines, path.name
                assert len(done.lines) == len(read.records) + len(read.broken), path.name
            states.append(state(engine))

    assert {name: len(rows) for name, rows in states[0].items()} == {
        name: len(rows) for name, rows in states[1].items()
    }
    assert states[0] == states[1]
    assert len(states[0]["entries"]) > 300


def _files() -> Iterator[tuple[Path, Reading, bytes]]:
    """Yield the files that hold a library; that of a private profile holds none, and says so."""
    for path in sorted(FOLDER.iterdir()):
        data = path.read_bytes()
        try:
            read = recognise(data, path.name, ReadOptions())
        except UsageError:
            if "private" not in path.name:
                raise
        else:
            yield path, read, digest_of(data, ReadOptions())


def _catalogue(engine: Engine, readings: list[Reading]) -> None:
    """Store an entry for each title, with its id at Steam where a file has one."""
    titles: dict[str, str] = {}
    shops: dict[str, str] = {}
    for record in (record for read in readings for record in read.records if record.no_game is None):
        titles.setdefault(name_key(title_of(record)), title_of(record))
        if record.store == "steam" and record.external_id:
            shops.setdefault(name_key(title_of(record)), record.external_id)
    documents = []
    for number, (key, title) in enumerate(sorted(titles.items()), 1):
        external = [{"id": number, "external_game_source": 1, "uid": shops[key]}] if key in shops else None
        documents.append(doc(number, title, external_games=external))
    with engine.begin() as connection:
        store_games(connection, documents, NOON)
