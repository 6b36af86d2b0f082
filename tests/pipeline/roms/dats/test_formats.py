"""DATs in every format with their oddities, and what is refused."""

import io
import zipfile
from collections.abc import Sequence

import pytest

from models.errors import UsageError
from pipeline.roms.dats import limits
from pipeline.roms.dats.dat import Dat
from pipeline.roms.dats.opening import dats_of, read_dat
from pipeline.roms.records import DatGameRecord, DatRomRecord
from tests.paths import RECORDINGS

SHA1, MD5, SHA256 = "0123456789abcdef0123456789ABCDEF01234567", "ABCDEF0123456789abcdef0123456789", "a" * 64
ROMS = RECORDINGS / "roms"


def read(data: bytes | str, name: str = "a.dat") -> list[tuple[Dat, list[DatGameRecord]]]:
    """Return the DATs of a file with their games."""
    read: list[tuple[Dat, list[DatGameRecord]]] = []
    for source in dats_of(io.BytesIO(data.encode() if isinstance(data, str) else data), name):
        with source.open() as opened:
            dat = read_dat(opened)
            read.append((dat, list(dat.games)))
    return read


def single(data: bytes | str, name: str = "a.dat") -> tuple[Dat, list[DatGameRecord]]:
    """Return the DAT of a file that is one."""
    (dat,) = read(data, name)
    return dat


def zip_of(members: dict[str, bytes | str], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """Return a zip."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return file.getvalue()


LOGIQX = f"""<?xml version="1.0"?>
<!DOCTYPE datafile PUBLIC "-//Logiqx//DTD ROM Management Datafile//EN" "http://www.logiqx.com/Dats/datafile.dtd">
<datafile>
  <header><name>Ours</name><description>Ours, all</description><version>20260102-030405</version></header>
  <game name="Parent"><description>The Parent</description><year>1994</year><manufacturer>Us</manufacturer>
    <release name="Parent" region="EUR"/>
    <rom name="a&amp;b.bin" size="0x10" crc="ff" md5="{MD5}" sha1="{SHA1}" status="verified"/>
    <!--<rom name="gone.bin" size="1" crc="00000001"/>-->
  </game>
  <machine name="Clone" cloneof="Parent"><rom name="c" size="3" crc="-" sha1="" status="baddump"/>
    <rom name="d" status="nodump"/><disk name="e" sha1="{SHA1}"/></machine>
  <machine name="bios" isbios="yes"/><machine name="device" isdevice="yes"/><game name="[BIOS] Console"/>
</datafile>"""


def test_logiqx_has_games_and_machines_clones_discs_and_roles() -> None:
    dat, games = single(LOGIQX)

    parent, clone, *others = games
    assert (dat.kind, dat.header.name, dat.header.version) == ("logiqx", "Ours", "20260102-030405")
    assert (parent.description, parent.year, parent.maker, parent.parent) == ("The Parent", 1994, "Us", None)
    whole = DatRomRecord(
        name="a&b.bin", size=16, crc32=255, md5=bytes.fromhex(MD5), sha1=bytes.fromhex(SHA1), status="verified"
    )
    assert parent.roms == [whole]
    assert clone.parent == "Parent"
    assert clone.roms == [
        DatRomRecord(name="c", size=3, status="baddump"),
        DatRomRecord(name="d", status="nodump"),
        DatRomRecord(name="e", sha1=bytes.fromhex(SHA1), is_disk=True),
    ]
    assert [(game.name, game.role) for game in others] == [
        ("bios", "bios"),
        ("device", "device"),
        ("[BIOS] Console", "bios"),
    ]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_xml_may_be_in_any_encoding_and_a_header_without_a_name_goes_by_its_file(encoding: str) -> None:
    data = '<datafile><header><date>2026</date></header><game name="Ôkami"/></datafile>'.encode(encoding)

    dat, games = single(data, "Pack (2026).dat")

    assert (dat.header.name, dat.header.version, games[0].name) == ("Pack (2026)", "2026", "Ôkami")


def test_what_mame_lists_is_logiqx_with_its_build_as_the_version() -> None:
    dat, games = single('<mame build="0.271"><machine name="x" cloneof="y"><rom name="r" size="1"/></machine></mame>')

    assert (dat.header.name, dat.header.version, games[0].parent) == ("MAME", "0.271", "y")


CLRMAMEPRO = f"""clrmamepro (
\tname "Ours"
\tversion 20260101
\tcomment "two
lines"
)

game (
\tname "A \\"quoted\\" (name)"
\treleaseyear "1994"
\tdeveloper "Us"
\tserial "X-1"
\trom ( name "a (b).bin" size 12 crc FF md5 {MD5} sha1 {SHA1} flags verified )
\trom ( size 3 crc 00000003 status baddump )
\trom (name plain.bin size 4 crc 4 nodump)
\tdisk ( name d sha1 {SHA1} )
\tsamples ( nested ( very ( deep 1 ) ) )
)
machine ( name clone(1) cloneof parent rom ( name "folder\\" size 1 ) )
resource ( name neo rom ( name "" size 1 ) )
"""


def test_clrmamepro_has_quotes_nested_parentheses_and_files_without_names() -> None:
    dat, games = single(CLRMAMEPRO)

    first, clone, bios = games
    assert (dat.kind, dat.header.name, dat.header.version) == ("clrmamepro", "Ours", "20260101")
    assert (first.name, first.year, first.maker, first.serial) == ('A "quoted" (name)', 1994, "Us", "X-1")
    assert [(rom.name, rom.size, rom.crc32, rom.status, rom.is_disk) for rom in first.roms] == [
        ("a (b).bin", 12, 255, "verified", False),
        ("", 3, 3, "baddump", False),
        ("plain.bin", 4, 4, "good", False),
        ("d", None, None, "good", True),
    ]
    assert (clone.name, clone.parent, clone.roms[0].name) == ("clone(1)", "parent", "folder\\")
    assert (bios.role, bios.roms[0].name) == ("bios", "")


def test_doscenter_writes_names_with_spaces_and_no_quotes() -> None:
    data = (
        "DOSCenter (\n\tName: Total DOS\n\tVersion: 2026-01-01\n)\n\n"
        'game (\n\tname "Abuse (1995).zip"\n'
        "\tfile ( name DIR\\READ ME.TXT size 5 date 1996/01/01 10:11:12 crc 0000000a )\n)\n"
    )

    dat, games = single(data)

    assert (dat.header.name, dat.header.version) == ("Total DOS", "2026-01-01")
    assert [(rom.name, rom.size, rom.crc32) for rom in games[0].roms] == [("DIR\\READ ME.TXT", 5, 10)]


def test_a_line_that_is_no_utf_8_is_what_old_programs_wrote() -> None:
    dat, games = single('game ( name "Pok\u00e9" rom ( name a ) )\n'.encode("cp1252"))

    assert (dat.header.name, games[0].name) == ("a", "Poké")


SOFTWARE = f"""<?xml version="1.0"?>
<!DOCTYPE softwarelist SYSTEM "softwarelist.dtd">
<softwarelist name="megadriv" description="Sega Mega Drive cartridges">
  <software name="game"><description>The Game</description><year>1994</year><publisher>Us</publisher>
    <info name="serial" value="X-1"/>
    <part name="cart" interface="c"><dataarea name="rom" size="64">
      <rom name="a.bin" size="0x20" crc="ff" sha1="{SHA1}" offset="0"/>
      <rom size="16" offset="32" loadflag="continue"/><rom size="8" loadflag="ignore"/>
      <rom size="32" offset="64" loadflag="reload"/><rom size="9" loadflag="fill" value="0xff"/>
    </dataarea></part>
    <part name="disc" interface="d"><diskarea name="d"><disk name="e" sha1="{SHA1}"/></diskarea></part>
  </software>
  <software name="other" cloneof="game"><description>Other</description><year>199?</year></software>
</softwarelist>"""


def test_a_software_list_has_files_of_all_parts_and_what_goes_on_is_no_file() -> None:
    dat, games = single(SOFTWARE)

    game, other = games
    assert (dat.kind, dat.header.name, dat.header.description) == (
        "softwarelist",
        "megadriv",
        "Sega Mega Drive cartridges",
    )
    assert (game.description, game.year, game.maker, game.serial) == ("The Game", 1994, "Us", "X-1")
    assert [(rom.name, rom.size, rom.is_disk) for rom in game.roms] == [("a.bin", 56, False), ("e", None, True)]
    assert (other.parent, other.year) == ("game", None)


def test_an_smdb_is_a_file_a_line_with_either_slash_and_with_or_without_sizes() -> None:
    first = f"{SHA256}\tTop/Sub/First (U).bin\t{SHA1}\t{MD5}\t000000ff\r\n\n"
    data = f"{first}{SHA256}\tTop\\Second.bin\t{SHA1}\t{MD5}\t1\t12\n"

    dat, games = single(data, "Ours SMDB.txt")

    assert (dat.kind, dat.header.name) == ("smdb", "Ours SMDB")
    assert [(game.name, game.roms[0].name, game.roms[0].crc32, game.roms[0].size) for game in games] == [
        ("First (U)", "First (U).bin", 255, None),
        ("Second", "Second.bin", 1, 12),
    ]


def test_each_dat_of_a_zip_is_read_and_what_is_none_is_passed_over() -> None:
    dats = read(zip_of({"readme.txt": "hello", "x/One.dat": LOGIQX, "two.xml": SOFTWARE}), "pack.zip")

    assert [dat.kind for dat, _ in dats] == ["logiqx", "softwarelist"]


BOMB = '<!DOCTYPE datafile [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]><datafile><game name="&b;"/></datafile>'
OUTSIDE = '<!DOCTYPE datafile [<!ENTITY a SYSTEM "file:///etc/passwd">]><datafile><game name="x">&a;</game></datafile>'
PARAMETER = '<!DOCTYPE datafile [<!ENTITY % a SYSTEM "http://localhost/x">%a;]><datafile/>'


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ("", ("is empty", "Logiqx XML")),
        ("hello", ("was not recognised", "clrmamepro's text")),
        ('{"a": 1}', ("was taken for JSON",)),
        (b"7z\xbc\xaf\x27\x1c....", ("7z archive", "unpack it first")),
        ("<html><body/></html>", ("taken for an XML file", "“html”", "“datafile”")),
        (BOMB, ("entity “a”", "DATs have none")),
        (OUTSIDE, ("entity “a”",)),
        (PARAMETER, ("entity “a”",)),
        ("<datafile><game name='x'>", ("Logiqx XML", "line 1", "no element found")),
        ("<datafile>" + "<a>" * 40, ("deep",)),
        (f'<datafile><game name="x"><rom name="r" sha1="{MD5}"/></game></datafile>', ("line 1", "is no SHA-1")),
        ('<datafile><game name="x"><rom size="-1"/></game></datafile>', ("“-1” is no size",)),
        ('<datafile><game name="x"><rom crc="12345678g"/></game></datafile>', ("is no CRC32",)),
        ("<datafile><!--" + "x" * 5 * 2**20 + "--></datafile>", ("4 MiB between two signs",)),
        ("game ( name x", ("clrmamepro", "ends within a parenthesis")),
        ("game ( name x ) )", ("closes a parenthesis that nothing opened",)),
        ("game ( ( name", ("opens a parenthesis without a word",)),
        ('game ( name "x )\n' + "y\n" * 300, ("line 1", "quote that nothing closes")),
        ("game ( name x rom ( crc zz ) )", ("“x”", "“zz” is no CRC32")),
        ("game (" + "a ( " * 40, ("deep",)),
        ("game ( name " + "x" * 70_000, ("65,536 characters",)),
        ("game ( name \0 )", ("zero bytes",)),
        (f"{SHA256}\ta\t{SHA1}\t{MD5}\t0\nb\tc\n", ("taken for an SMDB", "line 2", "has 2 fields")),
        (f"{SHA256}\ta\t{SHA1}\t{MD5[1:]}\t0\n", ("line 1", "is no MD5")),
        (zip_of({"a.txt": "hello", "b.txt": "you"}), ("a zip without a DAT", "a.txt, b.txt")),
        (zip_of({}), ("it has nothing",)),
        (b"PK\x03\x04 and no more", ("a zip that cannot be read",)),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else "",
)
def test_what_is_no_dat_or_a_bad_one_is_refused_with_what_it_was_taken_for(
    data: bytes | str, words: Sequence[str]
) -> None:
    with pytest.raises(UsageError) as error:
        read(data)

    assert "a.dat" in str(error.value)
    assert [word for word in words if word not in str(error.value)] == []


def test_a_damaged_member_of_a_zip_is_an_error_that_names_it() -> None:
    data = bytearray(zip_of({"x.dat": LOGIQX}, zipfile.ZIP_STORED))
    at = data.index(b"The Parent")
    data[at : at + 3] = b"Ths"

    with pytest.raises(UsageError, match=r"a\.dat.*cannot be read"):
        read(bytes(data))


def test_a_zip_that_unpacks_to_far_more_than_it_has_is_refused() -> None:
    data = zip_of({"x.dat": "<datafile>" + " " * 50 * 2**20 + "</datafile>"})

    with pytest.raises(UsageError, match=r"x\.dat is more than 200 times as large"):
        read(data)


@pytest.mark.parametrize(
    ("limit", "words"),
    [("MAX_BYTES", "more than 0 MiB"), ("MAX_GAMES", "more than 1 games"), ("MAX_ROMS", "more than 1 files")],
)
def test_a_dat_larger_than_any_is_refused(monkeypatch: pytest.MonkeyPatch, limit: str, words: str) -> None:
    monkeypatch.setattr(limits, limit, 1)

    with pytest.raises(UsageError, match=words):
        read(LOGIQX)


@pytest.mark.recordings
def test_recorded_dats_all_parse_with_their_counts() -> None:
    counts = {}
    for path in [*sorted((ROMS / "igir" / "dats").iterdir()), *sorted(ROMS.glob("*.dat"))]:
        for dat, games in read(path.read_bytes(), path.name):
            assert all((game.name and game.roms) or game.role == "device" for game in games)
            counts[path.name] = (dat.kind, len(games), sum(len(game.roms) for game in games))

    assert counts == {
        "headered.dat": ("clrmamepro", 6, 6),
        "headerless.dat": ("clrmamepro", 6, 6),
        "one.dat": ("logiqx", 14, 26),
        "smdb.zip": ("smdb", 6, 6),
        "logiqx_nointro_snes_parent_clone_first_400.dat": ("logiqx", 400, 400),
        "nointro_snes_head.dat": ("clrmamepro", 199, 199),
        "redump_dreamcast_head.dat": ("clrmamepro", 199, 199),
        "tosec_pc98_head.dat": ("clrmamepro", 199, 199),
    }
