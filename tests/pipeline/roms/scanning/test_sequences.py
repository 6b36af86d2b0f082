"""Random sequences of what happens to a collection end in what a fresh scan of its final folder says."""

import shutil
import tempfile
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models import Event, Rom
from pipeline.database.connecting import connect
from pipeline.roms.scanning.scan import ScanBusy
from tests.crashing import Crashing, Died, Point
from tests.databases import Databases
from tests.examples import examples
from tests.pipeline.roms.scanning.collection import Collection

pytestmark = pytest.mark.long

# Titles of their own: an event counts those.
NAMES = ("snes/A (USA).sfc", "snes/B (1995).sfc", "nes/D (USA).nes", "dos/C/C.EXE", "top.bin")
POINTS = (
    Point("before files", "before", ("nextval", "rom_files")),
    Point("at the commit of files", "commit", ("nextval", "rom_files")),
    Point("after files", "committed", ("nextval", "rom_files")),
    Point("after a move", "committed", ("UPDATE rom_files SET path",)),
    Point("after absences", "after", ("UPDATE rom_files SET absences",)),
    Point("after ROMs", "after", ("nextval", "roms")),
    Point("after events", "after", ("INSERT INTO events",)),
    Point("at the end", "commit", ("UPDATE rom_folders",)),
    Point("after the end", "committed", ("UPDATE rom_folders",)),
)
Step = tuple[Any, ...]
_name, _data = st.sampled_from(NAMES), st.sampled_from(["", "red", "green", "blue"])
STEPS: st.SearchStrategy[Step] = st.one_of(
    st.tuples(st.just("write"), _name, _data),
    st.tuples(st.just("move"), _name, _name),
    st.tuples(st.just("copy and remove"), _name, _name),
    st.tuples(st.just("touch"), _name),
    st.tuples(st.just("remove"), _name),
    st.tuples(st.just("restore"), _name),
    st.tuples(st.just("unmount")),
    st.tuples(st.just("vanish")),
    st.tuples(st.just("scan")),
    st.tuples(st.just("full scan")),
    st.tuples(st.just("two scans at once")),
    st.tuples(st.just("kill"), st.sampled_from(POINTS)),
)


class Running:
    """A collection to which steps happen; what was removed is kept, to be restored."""

    def __init__(self, collection: Collection) -> None:
        self.collection = collection
        self.removed: dict[str, str] = {}
        self.others = connect(collection.engine.url.render_as_string(hide_password=False))
        self.struck = 0

    def take(self, step: Step) -> None:
        kind, *arguments = step
        getattr(self, f"_{kind.replace(' ', '_')}")(*arguments)

    def _is_there(self, name: str) -> bool:
        return (self.collection.path / name).is_file()

    def _write(self, name: str, data: str) -> None:
        self.collection.write(name, data)

    def _move(self, name: str, to: str) -> None:
        if self._is_there(name):
            self.collection.move(name, to)

    def _copy_and_remove(self, name: str, to: str) -> None:
        if self._is_there(name) and name != to:
            self.collection.write(to, (self.collection.path / name).read_bytes())
            self.collection.remove(name)

    def _touch(self, name: str) -> None:
        if self._is_there(name):
            self.collection.write(name, (self.collection.path / name).read_bytes())

    def _remove(self, name: str) -> None:
        if self._is_there(name):
            self.removed[name] = (self.collection.path / name).read_text()
            self.collection.remove(name)

    def _restore(self, name: str) -> None:
        if name in self.removed:
            self.collection.write(name, self.removed.pop(name))

    def _scan(self) -> None:
        self.collection.scan()

    def _full_scan(self) -> None:
        self.collection.scan(full=True)

    def _unmount(self) -> None:
        self._without(make_mount_point=True)

    def _vanish(self) -> None:
        self._without(make_mount_point=False)

    def _without(self, *, make_mount_point: bool) -> None:
        """Two scans while the folder is away change nothing that is known of its files."""
        path = self.collection.path
        before, aside = self.collection.state(), path.with_name("aside")
        path.rename(aside)
        if make_mount_point:
            path.mkdir()
        self.collection.scan()
        self.collection.scan()
        if make_mount_point:
            path.rmdir()
        aside.rename(path)
        if make_mount_point and any(row[-1] for row in before["files"].values()):
            # Files that were absent before may be missing by now: nobody has seen them since.
            return
        assert self.collection.state() == before

    def _two_scans_at_once(self) -> None:
        def scan(engine: Any) -> None:
            with suppress(ScanBusy):
                self.collection.scan(engine)

        with ThreadPoolExecutor(2) as executor:
            list(executor.map(scan, (self.collection.engine, self.others)))

    def _kill(self, point: Point) -> None:
        crashing = Crashing(self.collection.engine, self.others)
        with suppress(Died), crashing.at(point):
            self.collection.scan()
        self.struck += crashing.has_struck

    def settle(self) -> None:
        """Let scans go by until all is believed, as a person would have it."""
        for _ in range(2):
            self.collection.scan(accept=True)


@settings(max_examples=examples(25), suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(steps=st.lists(STEPS, min_size=3, max_size=14))
def test_any_sequence_ends_in_the_state_of_a_fresh_scan_with_each_event_once(
    databases: Databases, steps: Sequence[Step]
) -> None:
    with tempfile.TemporaryDirectory() as folder, databases.new() as engine, databases.new() as fresh_engine:
        collection = Collection(engine, Path(folder) / "roms")
        for name in NAMES:
            collection.write(name, f"first of {name}")
        collection.scan()
        running = Running(collection)
        for step in steps:
            running.take(step)
        running.settle()
        fresh = Collection(fresh_engine, collection.path)
        fresh.scan()
        assert collection.state() == fresh.state(), steps
        _check_events(collection)
        running.others.dispose()
        fresh_engine.dispose()
        shutil.rmtree(collection.path)


def _check_events(collection: Collection) -> None:
    """Each ROM was told new once, and is told missing once more than returned where it is missing, else as often."""
    counts = Counter[str]()
    for row in collection.rows(Event):
        if row["kind"].startswith("rom."):
            counts[row["kind"]] += row["detail"]["total"]
    roms = collection.rows(Rom)
    assert counts["rom.added"] == len(roms)
    assert counts["rom.missing"] - counts["rom.returned"] == sum(rom["missing_since"] is not None for rom in roms)
