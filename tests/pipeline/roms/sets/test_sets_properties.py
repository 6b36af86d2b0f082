from hypothesis import given
from hypothesis import strategies as st

from pipeline.roms.records import Container, FoundFile, Layout
from pipeline.roms.sets import directories_with, directory_of, make_sets

FOLDERS = st.sampled_from(
    [
        "",
        "dos/",
        "dos/Game/",
        "dos/A-C/Game/",
        "eXoDOS/",
        "eXoDOS/!dos/g/",
        "n64/roms/",
        "n64/roms/Game/",
        "psx/Game.m3u/",
        "psx/",
        "bios/",
        "x/../y/",
        "roms/n64/",
    ]
)
NAMES = st.sampled_from(
    [
        "Game.cue",
        "game.CUE",
        "Game.bin",
        "GAME.BIN",
        "Game.m3u",
        "Other.m3u",
        "Game.gdi",
        "Game.ccd",
        "Game.img",
        "Game.zip",
        "Game.7z.001",
        "Game.7z.002",
        "Game.part1.rar",
        "Game.rar",
        "Game.r00",
        "Game.z64",
        "Game (1990).bat",
        "Game (1990).zip",
        "Game.conf",
        "dosbox.conf",
        "SETUP.EXE",
        "GAME.EXE",
        "Game.txt",
        "Game",
        ".m3u",
        "a.000",
    ]
)
SHEETS = st.lists(
    st.sampled_from(
        ["Game.bin", "game.cue", "Game.m3u", "Other.m3u", "../Game.bin", "..\\psx\\Game.cue", "", "/", "x/.."]
    ),
    max_size=3,
).map(tuple)
CONTAINERS = st.sampled_from(list[Container](["plain", "zip", "7z", "gz"]))
FILES = st.lists(
    st.tuples(st.builds("{}{}".format, FOLDERS, NAMES), SHEETS, CONTAINERS), max_size=14, unique_by=lambda file: file[0]
).map(
    lambda files: [
        FoundFile(id=number, path=path.encode(), size=1, container=container, sheet=sheet)
        for number, (path, sheet, container) in enumerate(files)
    ]
)
LAYOUTS = st.sampled_from(list[Layout](["auto", "flat", "romm", "esde", "exodos"]))


@given(files=FILES, layout=LAYOUTS, platform=st.sampled_from([None, "dos", "psx"]), data=st.data())
def test_a_file_is_in_one_set_at_most_whatever_the_order(
    files: list[FoundFile], layout: Layout, platform: str | None, data: st.DataObject
) -> None:
    sets = make_sets(files, layout=layout, platform=platform)

    joined = [number for each in sets for number in each.file_ids]
    assert len(joined) == len(set(joined))
    assert set(joined) <= {file.id for file in files}
    assert all(each.file_ids and each.written for each in sets)
    assert make_sets(data.draw(st.permutations(files)), layout=layout, platform=platform) == sets


@given(files=FILES, layout=LAYOUTS, platform=st.sampled_from([None, "dos", "psx"]), data=st.data())
def test_the_sets_of_some_directories_are_the_same_without_the_others(
    files: list[FoundFile], layout: Layout, platform: str | None, data: st.DataObject
) -> None:
    directories = {directory_of(file.path) for file in files}
    changed = data.draw(st.sets(st.sampled_from([*sorted(directories), b"elsewhere/"]), max_size=2))
    reached = directories_with(changed, directories, files, layout=layout, platform=platform)
    of_these = {file.id for file in files if directory_of(file.path) in reached}

    sets = make_sets(files, layout=layout, platform=platform)
    theirs = [each for each in sets if of_these.intersection(each.file_ids)]
    assert all(of_these.issuperset(each.file_ids) for each in theirs)
    assert make_sets([file for file in files if file.id in of_these], layout=layout, platform=platform) == theirs
