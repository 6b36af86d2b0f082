"""A folder of a person's own sounds, looked at again and again."""

import os
import wave
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, select, update

from models import Sound, SoundFile, SoundFolder
from models.errors import UsageError
from pipeline.sound.scanning.hearing import ear_of
from pipeline.sound.scanning.reading import Hear, Heard
from pipeline.sound.scanning.scan import FolderGone, ScanReport, scan_folder
from pipeline.sound.store.folders import add_folder, mark_removed
from pipeline.sound.store.originals import original_of
from tests.feeds.world import NOON


def plainly() -> Hear:
    """Hear of every file that it has a second of sound."""
    return lambda _path: Heard(1.0, "pcm_s16le")


class Folder:
    """A folder of sounds with what a person does in it."""

    def __init__(self, engine: Engine, path: Path) -> None:
        self.engine = engine
        self.path = path
        self.new: list[int] = []
        path.mkdir()
        with engine.begin() as connection:
            self.id = add_folder(connection, path, now=NOON).id

    def put(self, name: str, data: bytes) -> None:
        (self.path / name).parent.mkdir(exist_ok=True)
        (self.path / name).write_bytes(data)

    def scan(self, open_ear: Callable[[], Hear] = plainly, **options: Any) -> ScanReport:
        def note(_connection: Connection, ids: Any) -> None:
            self.new = [*ids]

        self.new = []
        return scan_folder(self.engine, self.id, now=NOON, open_ear=open_ear, on_new=note, **options)

    def said(self, **options: Any) -> list[tuple[str, str, str | None]]:
        return sorted((each.what, each.file, each.other) for each in self.scan(**options).remarks)

    def sounds(self) -> dict[str, tuple[int, bool]]:
        """Return the sounds by their titles: their numbers, and whether they are missing."""
        with self.engine.connect() as connection:
            rows = connection.execute(select(Sound.title, Sound.id, Sound.missing_at).order_by(Sound.id))
            return {title: (id_, missing_at is not None) for title, id_, missing_at in rows}


@pytest.fixture
def folder(engine: Engine, tmp_path: Path) -> Folder:
    folder = Folder(engine, tmp_path / "effects")
    folder.put("air_horn.mp3", b"a horn")
    folder.put("deep/bell.WAV", b"a bell")
    folder.put("notes.txt", b"no sound")
    folder.put(".hidden.mp3", b"hidden")
    return folder


def test_what_is_new_is_read_and_what_is_the_same_is_not(folder: Folder) -> None:
    first = folder.scan()
    assert (first.listed, first.read, first.count("added")) == (2, 2, 2)
    assert list(folder.sounds()) == ["air horn", "bell"]
    assert len(folder.new) == 2

    second = folder.scan(lambda: pytest.fail("nothing is to be heard"))
    assert (second.listed, second.read, second.unchanged, [*second.remarks]) == (2, 0, 2, [])


def test_a_file_that_was_moved_is_the_same_sound_and_is_not_read(folder: Folder) -> None:
    folder.scan()
    before = folder.sounds()
    (folder.path / "air_horn.mp3").rename(folder.path / "deep" / "horn.mp3")

    report = folder.scan(lambda: pytest.fail("nothing is to be heard"))

    assert [(each.what, each.file, each.other) for each in report.remarks] == [
        ("moved", "deep/horn.mp3", "air_horn.mp3")
    ]
    assert folder.sounds() == before


def test_a_file_that_was_moved_as_a_copy_is_known_by_its_bytes(folder: Folder) -> None:
    folder.scan()
    (folder.path / "air_horn.mp3").unlink()
    folder.put("far.mp3", b"a horn")

    assert folder.said() == [("moved", "far.mp3", "air_horn.mp3")]
    assert folder.sounds()["air horn"] == (1, False)
    assert folder.said() == []


def test_two_files_that_change_places_stay_the_sounds_that_they_are(folder: Folder) -> None:
    folder.put("deep/horn.mp3", b"another")
    folder.scan()
    one, other, aside = folder.path / "air_horn.mp3", folder.path / "deep" / "horn.mp3", folder.path / "aside"
    one.rename(aside)
    other.rename(one)
    aside.rename(other)

    assert folder.said() == [
        ("moved", "air_horn.mp3", "deep/horn.mp3"),
        ("moved", "deep/horn.mp3", "air_horn.mp3"),
    ]
    with folder.engine.connect() as connection:
        horn = connection.scalar(select(SoundFile.shown).where(SoundFile.sound_id == folder.sounds()["air horn"][0]))
    assert horn == "deep/horn.mp3"


def test_a_file_with_other_bytes_is_the_same_sound_with_other_bytes(folder: Folder) -> None:
    folder.scan()
    before = folder.sounds()
    folder.put("air_horn.mp3", b"a louder horn")

    assert folder.said() == [("changed", "air_horn.mp3", None)]
    assert folder.sounds() == before
    assert folder.new == [before["air horn"][0]]
    with folder.engine.connect() as connection:
        assert connection.scalar(select(Sound.size).where(Sound.title == "air horn")) == len(b"a louder horn")


def test_a_copy_is_told_as_one_and_is_no_second_sound(folder: Folder) -> None:
    folder.scan()
    folder.put("horn again.mp3", b"a horn")

    assert folder.said() == [("duplicate", "horn again.mp3", "air_horn.mp3")]
    assert len(folder.sounds()) == 2
    # One of two copies with other bytes leaves the sound to the other.
    folder.put("air_horn.mp3", b"a new horn")
    assert folder.said() == [("changed", "air_horn.mp3", None)]
    assert folder.sounds() == {"air horn": (3, False), "bell": (2, False)}


def test_a_sound_whose_only_file_became_a_copy_of_another_is_missing_until_it_is_back(folder: Folder) -> None:
    folder.scan()
    folder.put("air_horn.mp3", b"a bell")
    assert folder.said() == [("changed", "air_horn.mp3", "deep/bell.WAV")]
    assert folder.sounds() == {"air horn": (1, True), "bell": (2, False)}

    folder.put("horn.mp3", b"a horn")
    folder.scan()
    assert folder.sounds() == {"air horn": (1, False), "bell": (2, False)}


def test_what_vanished_is_missing_until_it_is_back(folder: Folder) -> None:
    folder.scan()
    (folder.path / "air_horn.mp3").rename(folder.path.parent / "away.mp3")

    assert folder.said() == [("missing", "air_horn.mp3", None)]
    assert folder.said() == []
    assert folder.sounds()["air horn"] == (1, True)
    with folder.engine.connect() as connection:
        assert original_of(connection, 1, folder.path).path is None

    (folder.path.parent / "away.mp3").rename(folder.path / "air_horn.mp3")
    assert folder.said() == [("returned", "air_horn.mp3", None)]
    assert folder.sounds()["air horn"] == (1, False)
    with folder.engine.connect() as connection:
        assert original_of(connection, 1, folder.path).path == folder.path / "air_horn.mp3"


def test_a_folder_that_cannot_be_listed_makes_nothing_missing(folder: Folder) -> None:
    folder.scan()
    folder.path.rename(folder.path.with_name("elsewhere"))

    with pytest.raises(FolderGone, match="No such file or directory"):
        folder.scan()

    assert not any(missing for _, missing in folder.sounds().values())


def test_a_folder_that_is_looked_at_no_more_has_its_sounds_missing(folder: Folder) -> None:
    folder.scan()
    with folder.engine.begin() as connection:
        mark_removed(connection, folder.id, NOON)
    with pytest.raises(UsageError, match="lootwire sounds folders"):
        folder.scan()
    with folder.engine.begin() as connection:
        folder.id = add_folder(connection, folder.path, now=NOON).id
    assert folder.said() == []


@pytest.mark.parametrize("data", [b"", b"this is no sound at all, whatever it is called"])
def test_a_file_that_is_no_sound_is_told_with_the_reason_and_read_again(folder: Folder, data: bytes) -> None:
    folder.scan()
    folder.put("broken.mp3", data)

    report = folder.scan(ear_of(None))
    (remark,) = report.remarks
    assert (remark.what, remark.file) == ("unreadable", "broken.mp3")
    assert remark.other
    assert str(folder.path) not in remark.other
    assert folder.scan(ear_of(None)).read == 1
    (folder.path / "broken.mp3").unlink()
    assert folder.said() == []


def test_a_sound_whose_file_broke_is_itself_again_once_the_file_is_mended(folder: Folder) -> None:
    folder.scan()
    folder.put("air_horn.mp3", b"")
    assert folder.said() == [("unreadable", "air_horn.mp3", "it is empty")]

    folder.put("air_horn.mp3", b"a horn")
    assert folder.said() == []
    assert folder.sounds()["air horn"] == (1, False)


def test_ffmpeg_says_how_long_a_sound_is_and_of_which_codec(folder: Folder) -> None:
    for name in ("air_horn.mp3", "deep/bell.WAV"):
        (folder.path / name).unlink()
    with wave.open(str(folder.path / "tone.wav"), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(b"\0\1" * 12_000)

    folder.scan(ear_of(None))

    with folder.engine.connect() as connection:
        assert connection.execute(select(Sound.seconds, Sound.codec)).one() == (1.5, "pcm_s16le")


def test_links_are_not_followed_and_names_that_are_no_utf8_are_taken(folder: Folder) -> None:
    folder.scan()
    (folder.path / "link.mp3").symlink_to(folder.path / "air_horn.mp3")
    (folder.path / "round").symlink_to(folder.path)
    (folder.path / os.fsdecode(b"caf\xe9.mp3")).write_bytes(b"a cup")

    assert folder.said() == [("added", "caf\\xe9.mp3", None)]


def test_a_scan_that_ended_anywhere_is_gone_on_with(folder: Folder) -> None:
    for number in range(250):
        folder.put(f"{number}.mp3", b"sound %d" % number)

    class Killed(Exception):
        pass

    def die(read: int) -> None:
        if read >= 200:
            raise Killed

    with pytest.raises(Killed):
        folder.scan(on_read=die)
    assert folder.scan().read == 52
    assert len(folder.sounds()) == 252


def test_a_sound_that_was_removed_stays_so_until_its_file_is_put_there_anew(folder: Folder) -> None:
    folder.scan()
    with folder.engine.begin() as connection:
        connection.execute(update(Sound).where(Sound.id == 1).values(removed_at=NOON))
    folder.scan(full=True)
    with folder.engine.connect() as connection:
        assert connection.scalar(select(Sound.removed_at).where(Sound.id == 1)) == NOON

    folder.put("horn again.mp3", b"a horn")
    folder.scan()
    with folder.engine.connect() as connection:
        assert connection.scalar(select(Sound.removed_at).where(Sound.id == 1)) is None


def test_folders_in_one_another_are_refused(folder: Folder, engine: Engine) -> None:
    with engine.begin() as connection, pytest.raises(UsageError, match="overlaps"):
        add_folder(connection, folder.path / "deep", now=NOON)
    with engine.begin() as connection, pytest.raises(UsageError, match="no folder that can be listed"):
        add_folder(connection, folder.path / "none", now=NOON)
    with engine.begin() as connection, pytest.raises(UsageError, match="'episode' is no kind"):
        add_folder(connection, folder.path, kind="episode", now=NOON)
    with engine.connect() as connection:
        assert connection.scalars(select(SoundFolder.id)).all() == [folder.id]
