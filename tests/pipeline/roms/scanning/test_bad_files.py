"""Files that cannot be read or stored are set aside with their reason, and the scan goes on."""

import os
import zipfile
from pathlib import Path

import pytest
from sqlalchemy import Engine

from models import RomFile
from pipeline.roms.scanning.walking import LONGEST_PATH
from tests.pipeline.roms.scanning.collection import Collection


@pytest.fixture
def collection(engine: Engine, tmp_path: Path) -> Collection:
    """A folder with one good file."""
    collection = Collection(engine, tmp_path / "roms")
    collection.write("good.sfc", "good")
    return collection


def deep_file(root: Path, length: int) -> bytes:
    """Make a file whose path below `root` has so many bytes, in as few directories as names allow."""
    descriptor = os.open(root, os.O_RDONLY)
    path = b""
    while length - len(path) > 250:
        os.mkdir(b"d" * 199, dir_fd=descriptor)
        inner = os.open(b"d" * 199, os.O_RDONLY, dir_fd=descriptor)
        os.close(descriptor)
        descriptor, path = inner, path + b"d" * 199 + b"/"
    name = b"f" * (length - len(path))
    os.close(os.open(name, os.O_WRONLY | os.O_CREAT, dir_fd=descriptor))
    os.close(descriptor)
    return path + name


@pytest.mark.parametrize("length", [LONGEST_PATH + 1, 4000, 4500])
def test_a_path_of_thousands_of_bytes_is_set_aside_with_its_length(collection: Collection, length: int) -> None:
    deep_file(collection.path, length)
    assert collection.scan().outcome == "ended"
    errors = [row["error"] for row in collection.rows(RomFile) if row["error"] is not None]
    assert len(errors) == 1
    assert "is looked into" in errors[0]
    before = collection.rows(RomFile)
    assert collection.scan().read == 0
    assert collection.rows(RomFile) == before
    assert collection.rom("good")["missing_since"] is None


def test_the_longest_path_that_is_stored_is_read(collection: Collection) -> None:
    path = deep_file(collection.path, LONGEST_PATH)
    collection.scan()
    assert collection.file(path)["error"] is None


def test_a_name_that_is_no_utf8_is_kept_byte_for_byte(collection: Collection) -> None:
    collection.write(b"caf\xe9 \xff.sfc", "x")
    collection.scan()
    file = collection.file(b"caf\xe9 \xff.sfc")
    assert (file["error"], file["shown"]) == (None, r"caf\xe9 \xff.sfc")


def test_links_pipes_and_what_systems_leave_behind_are_not_looked_at(collection: Collection, tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/secret.sfc").write_text("secret")
    (collection.path / "link.sfc").symlink_to(tmp_path / "outside/secret.sfc")
    (collection.path / "inside.sfc").symlink_to("good.sfc")
    (collection.path / "folder").symlink_to(tmp_path / "outside")
    (collection.path / "round").symlink_to(".")
    os.mkfifo(collection.path / "pipe.sfc")
    collection.write(".hidden", "x")
    collection.write("Thumbs.db", "x")
    collection.write("gamelist.xml", "<gameList/>")
    assert collection.scan().listed == 1


def test_a_broken_zip_is_set_aside_and_not_read_again(collection: Collection) -> None:
    path = collection.write("broken.zip", "")
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.bin", b"x" * 1000)
    path.write_bytes(path.read_bytes()[:-30])
    collection.scan()
    assert collection.file("broken.zip")["error"]
    assert collection.scan().read == 0
    assert collection.file("good.sfc")["error"] is None


def test_only_the_endings_and_names_of_the_options_are_looked_at(engine: Engine, tmp_path: Path) -> None:
    collection = Collection(engine, tmp_path / "roms", extensions=("sfc",), ignore=("*beta*", "trash/*"))
    for name in ("a.SFC", "b.txt", "c (Beta).sfc", "trash/d.sfc", "deep/trash/e.sfc"):
        collection.write(name, name)
    collection.scan()
    assert sorted(row["path"] for row in collection.rows(RomFile)) == [b"a.SFC", b"deep/trash/e.sfc"]


def test_a_file_that_grows_while_it_is_read_is_read_again(collection: Collection) -> None:
    collection.scan()
    path = collection.path / "good.sfc"
    with path.open("ab") as file:
        file.write(b" and more")
    collection.scan()
    assert collection.file("good.sfc")["size"] == len(b"good and more")
