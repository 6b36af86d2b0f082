"""RomM's folders and M3U files: several files or links in a folder that the person names."""

import os
from pathlib import Path

import pytest

from models.errors import LootwireError, UsageError
from tests.pipeline.roms.exports.collection import Collection


def tree(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): os.readlink(path) if path.is_symlink() else path.read_text()  # noqa: PTH115
        for path in sorted(folder.rglob("*"))
        if path.is_symlink() or path.is_file()
    }


def test_links_lead_to_the_files_and_nothing_of_the_collection_is_touched(
    collection: Collection, tmp_path: Path
) -> None:
    (collection.path / "a.chd").write_text("a rom")
    collection.rom("a.chd")
    collection.rom(b"caf\xe9.chd")
    to = tmp_path / "romm"

    exported = collection.export(to, "romm")

    assert exported.added == 2
    assert (to / "psx" / "roms" / "a.chd").read_text() == "a rom"
    assert os.readlink(os.fsencode(to) + b"/psx/roms/caf\xe9.chd").endswith(b"/caf\xe9.chd")  # noqa: PTH115
    assert list(collection.path.iterdir()) == [collection.path / "a.chd"]


def test_a_renamed_rom_has_one_link_and_strange_files_stay(collection: Collection, tmp_path: Path) -> None:
    collection.rom("a.chd")
    collection.rom("b.chd")
    to = tmp_path / "romm"
    (to / "psx" / "roms").mkdir(parents=True)
    (to / "psx" / "roms" / "b.chd").write_text("mine")
    (to / "psx" / "roms" / "c.chd").symlink_to("/elsewhere")
    first = collection.export(to, "romm")

    collection.rename("a.chd", "c.chd")
    second = collection.export(to, "romm")

    assert [each.reason for each in first.left_out] == [f"something else is at {to}/psx/roms/b.chd"]
    assert [each.reason for each in second.left_out] == [
        f"something else is at {to}/psx/roms/b.chd",
        f"something else is at {to}/psx/roms/c.chd",
    ]
    assert tree(to) == {"psx/roms/b.chd": "mine", "psx/roms/c.chd": "/elsewhere"}

    collection.rename("c.chd", "d.chd")
    collection.export(to, "romm")
    collection.rename("d.chd", "e.chd")
    third = collection.export(to, "romm")

    assert tree(to) == {
        "psx/roms/b.chd": "mine",
        "psx/roms/c.chd": "/elsewhere",
        "psx/roms/e.chd": str(collection.path / "e.chd"),
    }
    assert [(Path(file.path).name, file.is_removed) for file in third.files] == [("e.chd", False), ("d.chd", True)]


def test_links_are_not_made_in_a_collection_nor_through_a_link(collection: Collection, tmp_path: Path) -> None:
    collection.rom("a.chd")
    (tmp_path / "romm").mkdir()
    (tmp_path / "romm" / "psx").symlink_to(tmp_path)
    (tmp_path / "disguised").symlink_to(collection.path)

    for to in (collection.path / "romm", tmp_path / "disguised" / "romm"):
        with pytest.raises(UsageError, match="it is in the collection"):
            collection.export(to, "romm")
    exported = collection.export(tmp_path / "romm", "romm")

    assert [each.reason for each in exported.left_out] == ["a link has the place of its folder"]
    assert not (tmp_path / "roms" / "a.chd").exists()


def test_a_dry_run_makes_no_link_and_no_folder(collection: Collection, tmp_path: Path) -> None:
    collection.rom("a.chd")

    exported = collection.export(tmp_path / "romm", "romm", dry_run=True)

    assert [file.diff for file in exported.files] == [f"+psx/roms/a.chd -> {collection.path}/a.chd\n"]
    assert not (tmp_path / "romm").exists()


@pytest.mark.parametrize("name", ["plan.csv", "plan.jsonl"])
def test_a_plan_is_written_anew_and_over_no_other_file(collection: Collection, tmp_path: Path, name: str) -> None:
    collection.rom("a.chd")
    collection.rom(b"caf\xe9.chd")
    to = tmp_path / name

    exported = collection.export(to, "romm")
    collection.rename("a.chd", "b.chd")
    collection.export(to, "romm")

    assert [each.shown for each in exported.left_out] == [rf"{collection.path}/caf\xe9.chd"]
    assert "psx/roms/b.chd" in to.read_text()
    assert "a.chd" not in to.read_text()
    to.write_text("my own notes\n")
    with pytest.raises(LootwireError, match="line 1: it is no plan"):
        collection.export(to, "romm")
    assert to.read_text() == "my own notes\n"


def test_each_game_of_several_discs_has_a_list(collection: Collection, tmp_path: Path) -> None:
    for disc in (1, 2):
        collection.rom(f"Moss (USA) (Disc {disc}).cue", disc=disc)
        collection.rom(f"nes/Other (Disk {disc}).fds", disc=disc, platform="nes")
    collection.rom("One.cue")

    collection.export(collection.path, "m3u", platform="psx")
    collection.export(tmp_path / "lists", "m3u")

    assert tree(collection.path) == {"Moss (USA).m3u": "Moss (USA) (Disc 1).cue\nMoss (USA) (Disc 2).cue\n"}
    assert tree(tmp_path / "lists") == {
        "nes/Other.m3u": f"{collection.path}/nes/Other (Disk 1).fds\n{collection.path}/nes/Other (Disk 2).fds\n",
        "psx/Moss (USA).m3u": f"{collection.path}/Moss (USA) (Disc 1).cue\n{collection.path}/Moss (USA) (Disc 2).cue\n",
    }


def test_a_file_is_no_folder_for_lists(collection: Collection, tmp_path: Path) -> None:
    (tmp_path / "lists").write_text("")

    with pytest.raises(UsageError, match="it is no folder"):
        collection.export(tmp_path / "lists", "m3u")
