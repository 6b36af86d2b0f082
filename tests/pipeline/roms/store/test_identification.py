"""What DATs say of sets: by which hash, of which game, and what is missing of it."""

import pytest

from pipeline.roms.records import Content, FileReading
from pipeline.roms.store.identification import needs_deep
from tests.pipeline.roms.shelf import NOW, Shelf, game_of, hashes, logiqx, plain, rom_line, weak, zipped

ONE, TWO, THREE, FOUR = b"the first", b"the second one", b"a third", b"and the fourth of them"


@pytest.mark.parametrize(
    ("only", "how"),
    [
        (("sha1",), "sha1"),
        (("sha1", "md5", "crc", "size"), "sha1"),
        (("md5", "crc", "size"), "md5"),
        (("crc", "size"), "crc32"),
    ],
)
def test_a_file_is_known_by_the_strongest_hash_that_both_have(shelf: Shelf, only: tuple[str, ...], how: str) -> None:
    rom = shelf.add(shelf.add_folder(), "One", {"One.bin": plain(ONE)})

    shelf.dat(logiqx(game_of("One", rom_line("One.bin", ONE, only=only))))

    assert shelf.verdict(rom) == ("One", "verified", how, None)


def test_a_crc32_without_a_size_and_one_of_another_size_are_no_proof(shelf: Shelf) -> None:
    rom = shelf.add(shelf.add_folder(), "One", {"One.zip": zipped({"One.bin": ONE})}, kind="archive")

    other = rom_line("One.bin", ONE, only=("crc",), more='size="1"')
    shelf.dat(logiqx(game_of("One", rom_line("One.bin", ONE, only=("crc",))), game_of("Two", other)))

    assert shelf.verdict(rom) == (None, "unknown", None, None)


def test_an_equal_crc32_counts_for_nothing_where_stronger_hashes_differ(shelf: Shelf) -> None:
    rom = shelf.add(shelf.add_folder(), "One", {"One.bin": plain(ONE)})

    line = rom_line("One.bin", ONE, only=("size", "crc"), more=f'sha1="{"0" * 40}"')
    shelf.dat(logiqx(game_of("One", line)))

    assert shelf.verdict(rom) == (None, "unknown", None, None)


def test_what_its_dat_calls_otherwise_is_looked_up_again_and_nothing_else_is(shelf: Shelf) -> None:
    folder = shelf.add_folder(platform="snes")
    named, other, unknown = (
        shelf.add(folder, name, {f"{name}.bin": plain(data)}, platform="snes")
        for name, data in (("One", ONE), ("2nd", TWO), ("Three", THREE))
    )
    shelf.look_up()

    games = [game_of(name, rom_line(f"{name}.bin", data)) for name, data in (("One", ONE), ("Two", TWO))]
    shelf.dat(logiqx(*games))

    assert (shelf.due(), shelf.verdict(named)[1], shelf.verdict(unknown)[1]) == ([other], "verified", "unknown")
    shelf.look_up()
    assert (shelf.identify().changed, shelf.due()) == (0, [])


def test_a_platform_that_a_dat_says_has_a_set_looked_up_again(shelf: Shelf) -> None:
    rom = shelf.add(shelf.add_folder(), "One", {"One.bin": plain(ONE)})
    shelf.look_up()

    shelf.bring(shelf.write("a.dat", logiqx(game_of("One", rom_line("One.bin", ONE)))), platform="snes")

    assert (shelf.platform(rom), shelf.due()) == ("snes", [rom])


def test_what_a_person_has_said_of_a_set_holds_whatever_its_dat_calls_it(shelf: Shelf) -> None:
    shelf.add(shelf.add_folder(), "2nd", {"2nd.bin": plain(TWO)})
    shelf.look_up(pinned_at=NOW)

    shelf.dat(logiqx(game_of("Two", rom_line("Two.bin", TWO))))

    assert shelf.due() == []


def test_a_headered_file_is_known_without_its_header(shelf: Shelf) -> None:
    reading = plain(b"16 bytes of this" + ONE, header_bytes=16, headerless=hashes(ONE))
    rom = shelf.add(shelf.add_folder(), "One", {"One.nes": reading})

    shelf.dat(logiqx(game_of("One", rom_line("One.nes", ONE, only=("size", "crc")))))

    assert shelf.verdict(rom) == ("One", "verified", "crc32", None)


def test_a_chd_is_known_by_the_hash_in_its_header(shelf: Shelf) -> None:
    digest = hashes(TWO).sha1 or b""
    rom = shelf.add(shelf.add_folder(), "disc", {"disc.chd": plain(ONE, disk_sha1=digest)})

    shelf.dat(logiqx(game_of("disc", f'<disk name="disc" sha1="{digest.hex()}"/>')))

    assert shelf.verdict(rom) == ("disc", "verified", "disk", None)


def test_a_chd_of_tracks_goes_by_its_name_and_is_not_verified(shelf: Shelf) -> None:
    folder = shelf.add_folder()
    reading = FileReading(container="chd", contents=(Content(member="", hashes=hashes(ONE), disk_sha1=b"x" * 20),))
    rom = shelf.add(folder, "Disc (Europe)", {"psx/Disc (Europe).chd": reading})
    other = shelf.add(folder, "No disc", {"psx/No disc.chd": reading})

    tracks = (rom_line("Disc (Europe) (Track 1).bin", TWO), rom_line("Disc (Europe).cue", THREE))
    shelf.dat(logiqx(game_of("Disc (Europe)", *tracks), game_of("No disc", rom_line("No disc.rom", FOUR))))

    assert shelf.verdict(rom) == ("Disc (Europe)", "unknown", "name", None)
    assert shelf.verdict(other) == (None, "unknown", None, None)


def test_all_members_of_an_archive_decide_together(shelf: Shelf) -> None:
    both = shelf.add(shelf.add_folder(), "b", {"b.zip": zipped({"1": ONE, "2": TWO})}, kind="archive")

    shelf.dat(
        logiqx(
            game_of("a", rom_line("1", ONE)),
            game_of("b", rom_line("1", ONE), rom_line("2", TWO)),
            game_of("c", rom_line("1", ONE), rom_line("2", TWO), rom_line("3", THREE)),
        )
    )

    assert shelf.verdict(both) == ("b", "verified", "crc32", None)


def test_a_game_that_holds_all_comes_before_one_that_is_whole(shelf: Shelf) -> None:
    rom = shelf.add(shelf.add_folder(), "c", {"c.zip": zipped({"1": ONE, "2": TWO})}, kind="archive")

    shelf.dat(
        logiqx(game_of("a", rom_line("1", ONE)), game_of("c", *map(rom_line, "123", (ONE, TWO, THREE))), name="Arcade")
    )

    assert shelf.verdict(rom) == ("c", "incomplete", "crc32", None)


def test_what_no_dat_knows_does_not_keep_a_set_from_being_whole(shelf: Shelf) -> None:
    members = {"1": ONE, "readme.txt": FOUR, "2": TWO}
    rom = shelf.add(shelf.add_folder(), "b", {"b.zip": zipped(members)}, kind="archive")

    shelf.dat(logiqx(game_of("b", rom_line("1", ONE), rom_line("2", TWO))))

    assert shelf.verdict(rom) == ("b", "verified", "crc32", None)


def test_of_equal_games_the_parent_comes_first_and_then_the_one_of_its_name(shelf: Shelf) -> None:
    folder = shelf.add_folder()
    clone = shelf.add(folder, "clone", {"clone.bin": plain(ONE)})
    second = shelf.add(folder, "second", {"second.bin": plain(TWO)})

    shelf.dat(
        logiqx(
            game_of("clone", rom_line("clone.bin", ONE), more='cloneof="parent"'),
            game_of("parent", rom_line("parent.bin", ONE)),
            game_of("first", rom_line("first.bin", TWO)),
            game_of("second", rom_line("second.bin", TWO)),
        )
    )

    assert shelf.verdict(clone) == ("parent", "verified", "sha1", "parent")
    assert shelf.verdict(second) == ("second", "verified", "sha1", None)


def test_a_clone_stays_one_beside_a_dat_that_knows_of_no_parents(shelf: Shelf) -> None:
    rom = shelf.add(shelf.add_folder(), "Ours", {"Ours.bin": plain(TWO)})
    shelf.dat(logiqx(game_of("No Clone", rom_line("1", TWO)), name="Zeroes"))

    shelf.dat(
        logiqx(
            game_of("Parent", rom_line("1", ONE)),
            game_of("Clone", rom_line("1", TWO), more='cloneof="Parent"'),
            name="A",
        )
    )

    assert shelf.verdict(rom) == ("Clone", "verified", "sha1", "1")


def test_an_archive_that_is_itself_a_file_of_a_dat_is_that(shelf: Shelf) -> None:
    reading = zipped({"one.bin": ONE}, itself=FOUR, deep=True)
    rom = shelf.add(shelf.add_folder(), "program", {"program.zip": reading}, kind="archive")

    shelf.dat(logiqx(game_of("One", rom_line("one.bin", ONE)), game_of("A Program", rom_line("Program.zip", FOUR))))

    assert shelf.verdict(rom) == ("A Program", "verified", "sha1", "Program")


def test_a_bad_dump_is_bad_and_a_good_one_of_the_same_bytes_comes_first(shelf: Shelf) -> None:
    folder = shelf.add_folder()
    bad = shelf.add(folder, "One", {"One.bin": plain(ONE)})
    good = shelf.add(folder, "Two", {"Two.bin": plain(TWO)})

    shelf.dat(
        logiqx(
            game_of("One", rom_line("One.bin", ONE, more='status="baddump"')),
            game_of("Two", rom_line("Two.bin", TWO, more='status="baddump"')),
            game_of("Two again", rom_line("Two.bin", TWO)),
        )
    )

    assert shelf.verdict(bad) == ("One", "bad", "sha1", None)
    assert shelf.verdict(good) == ("Two again", "verified", "sha1", None)


def test_files_that_nobody_has_dumped_are_not_missing(shelf: Shelf) -> None:
    rom = shelf.add(shelf.add_folder(), "b", {"b.zip": zipped({"1": ONE})}, kind="archive")

    shelf.dat(logiqx(game_of("b", rom_line("1", ONE), '<rom name="pal" size="8" status="nodump"/>')))

    assert shelf.verdict(rom) == ("b", "verified", "crc32", None)


def test_a_missing_track_makes_a_set_incomplete_and_a_set_that_is_gone_stays_what_it_was(shelf: Shelf) -> None:
    folder = shelf.add_folder()
    files = {"d.cue": plain(THREE), "d1.bin": plain(ONE), "d2.bin": plain(TWO)}
    rom = shelf.add(folder, "d", files, kind="cue", missing=["d2.bin"])

    shelf.dat(logiqx(game_of("d", rom_line("d.cue", THREE), rom_line("d1.bin", ONE), rom_line("d2.bin", TWO))))

    assert shelf.verdict(rom) == ("d", "incomplete", "sha1", None)


def test_a_list_of_discs_is_whole_when_each_disc_is(shelf: Shelf) -> None:
    folder = shelf.add_folder()
    discs = {"Quest (Disc 1).iso": plain(ONE), "Quest (Disc 2).iso": plain(TWO)}
    sheet = FileReading(container="plain", contents=plain(FOUR).contents, sheet=tuple(discs))
    whole = shelf.add(folder, "Quest", {"Quest.m3u": sheet, **discs}, kind="m3u")
    broken = shelf.add(
        folder, "Quest 2", {"Quest 2.m3u": sheet, "1.iso": plain(ONE), "2.iso": plain(THREE)}, kind="m3u"
    )

    shelf.dat(
        logiqx(
            game_of("Quest (Disc 2)", rom_line("Quest (Disc 2).iso", TWO)),
            game_of("Quest (Disc 1)", rom_line("Quest (Disc 1).iso", ONE)),
        )
    )

    assert shelf.verdict(whole) == ("Quest (Disc 1)", "verified", "sha1", None)
    assert shelf.verdict(broken) == ("Quest (Disc 1)", "incomplete", "sha1", "Quest")


@pytest.mark.parametrize(
    ("written", "right"),
    [("Game [!]", "Game (1994)(Mink)"), ("Game (1994)(Mink)", None), ("Game (Disk A)", None)],
)
def test_a_file_may_be_called_as_the_file_or_the_game_of_the_dat(shelf: Shelf, written: str, right: str | None) -> None:
    rom = shelf.add(shelf.add_folder(), written, {f"{written}.fdd": plain(ONE)})

    shelf.dat(logiqx(game_of("Game (Disk A)", rom_line("dir/Game (1994)(Mink).fdd", ONE))))

    assert shelf.verdict(rom) == ("Game (Disk A)", "verified", "sha1", right)


def test_a_set_of_no_known_platform_gets_that_of_its_dat(shelf: Shelf) -> None:
    folder = shelf.add_folder()
    rom = shelf.add(folder, "One", {"One.bin": plain(ONE)})

    shelf.bring(shelf.write("a.dat", logiqx(game_of("One", rom_line("One.bin", ONE)))), platform="snes")

    assert shelf.platform(rom) == "snes"


def test_the_counts_say_how_all_sets_stand_and_which_are_newly_known(shelf: Shelf) -> None:
    folder = shelf.add_folder()
    known = shelf.add(folder, "One", {"One.bin": plain(ONE)})
    shelf.add(folder, "Two", {"Two.bin": plain(TWO)})
    shelf.add(shelf.add_folder("/other"), "One", {"One.bin": plain(ONE)})
    shelf.dat(logiqx(game_of("Another", rom_line("x.bin", FOUR))))
    shelf.dat(logiqx(game_of("One", rom_line("One.bin", ONE)), name="Ones"))

    again = shelf.identify(folder)

    assert (again.roms, again.changed, again.verified, again.unknown, again.newly) == (2, 0, 1, 1, ())
    assert shelf.verdict(known)[1] == "verified"


def test_only_archives_that_a_dat_may_know_are_to_be_read_deep(shelf: Shelf) -> None:
    folder = shelf.add_folder()
    archives = {
        "no crc32": zipped({"1": ONE}),
        "no size": zipped({"1": THREE}),
        "known": zipped({"1": FOUR}),
        "a header": zipped({"1.NES": bytes(16) + TWO}),
        "of another kind": zipped({"1.txt": bytes(16) + TWO}),
        "read already": zipped({"1": ONE}, deep=True),
        "itself": FileReading(container="zip", contents=(Content(member="", hashes=weak(b"X" * 999)),)),
    }
    files = {
        name: shelf.file_of(shelf.add(folder, name, {f"{name}.zip": reading}, kind="archive"))
        for name, reading in archives.items()
    }
    shelf.dat(
        logiqx(
            game_of("1", rom_line("1", ONE, only=("size", "sha1"))),
            game_of("2", rom_line("2", TWO)),
            game_of("3", rom_line("3", THREE, only=("crc", "sha1"))),
            game_of("4", rom_line("4", FOUR)),
            game_of("5", rom_line("5.zip", b"Y" * 999)),
        )
    )

    with shelf.engine.connect() as connection:
        deep = needs_deep(connection, folder)

    assert deep == sorted(files[name] for name in ("no crc32", "no size", "a header", "itself"))
