"""What is there more than once, in files and in archives."""

import msgspec
from sqlalchemy import Engine

from models.people import OWNER_ID
from pipeline.roms.listing.duplicates import Duplicate, load_duplicates
from tests.pipeline.roms.shelf import Shelf, plain, zipped

CAVE, KEEP = b"a cave" * 100, b"a keep" * 80


def duplicates(engine: Engine) -> list[Duplicate]:
    with engine.connect() as connection:
        return load_duplicates(connection, OWNER_ID)


def test_the_same_bytes_are_noticed_in_files_and_across_archives(engine: Engine, shelf: Shelf) -> None:
    here, there = shelf.add_folder("/roms"), shelf.add_folder("/more")
    shelf.add(here, "Cave", {"Cave.rom": plain(CAVE)})
    shelf.add(there, "Cave", {"cave.zip": zipped({"inside.rom": CAVE, "other.rom": b"x"})})
    shelf.add(there, "Keep", {"keep.zip": zipped({"keep.rom": KEEP}, itself=b"one")})
    shelf.add(there, "Keep", {"keep2.zip": zipped({"keep.rom": KEEP}, itself=b"two")})

    keep, cave = duplicates(engine)[1], duplicates(engine)[0]

    assert [(copy.folder, copy.file, copy.member) for copy in cave.copies] == [
        ("/more", "cave.zip", "inside.rom"),
        ("/roms", "Cave.rom", ""),
    ]
    assert (cave.by, cave.wasted, keep.wasted) == ("crc32", len(CAVE), len(KEEP))


def test_what_sha1_tells_apart_is_no_duplicate(engine: Engine, shelf: Shelf) -> None:
    folder = shelf.add_folder()
    true = plain(CAVE)
    [content] = true.contents
    other = msgspec.structs.replace(content.hashes, sha1=b"s" * 20)
    forged = msgspec.structs.replace(true, contents=(msgspec.structs.replace(content, hashes=other),))
    shelf.add(folder, "Cave", {"Cave.rom": true})
    shelf.add(folder, "Forged", {"Forged.rom": forged})
    shelf.add(folder, "Either", {"either.zip": zipped({"a": CAVE})})

    assert duplicates(engine) == []
    shelf.add(folder, "Copy", {"Copy.rom": true})
    assert [[copy.file for copy in each.copies] for each in duplicates(engine)] == [["Cave.rom", "Copy.rom"]]


def test_empty_files_missing_ones_and_members_of_one_archive_are_none(engine: Engine, shelf: Shelf) -> None:
    folder = shelf.add_folder()
    shelf.add(folder, "Empty", {"a": plain(b""), "b": plain(b"")})
    shelf.add(folder, "Gone", {"c": plain(CAVE), "d": plain(CAVE)}, missing=["d"])
    shelf.add(folder, "Twice", {"e.zip": zipped({"1": KEEP, "2": KEEP})})

    assert duplicates(engine) == []
