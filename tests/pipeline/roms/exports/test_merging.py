"""Whatever is in a file before an export is in it after."""

import re
from collections import Counter
from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from pipeline.roms.exports.exporting import list_game, merge_file
from pipeline.roms.exports.gamelist import open_gamelist
from pipeline.roms.exports.markup import escape
from pipeline.roms.exports.merging import Listed, digest, is_to_write, merge, plain_path
from pipeline.roms.exports.records import GameToExport
from tests.pipeline.roms.exports.collection import game

TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), max_size=12)
NAMES = st.sampled_from(["a.cue", "sub/b.cue", "c c.cue", "\u00e4.cue", "d&.cue"])
OURS = ["name", "desc", "rating", "favorite", "genre"]
THEIRS = ["playcount", "altemulator", "hidden", "odd.tag-1", "path"]
INDENTS = st.sampled_from(["", "\n\t", "\r\n  ", "\n\n    "])


@st.composite
def entries(draw: st.DrawFn) -> str:
    tag = draw(st.sampled_from(["game", "game", "game", "folder", "other"]))
    indent = draw(INDENTS)
    fields = draw(st.lists(st.tuples(st.sampled_from(OURS + THEIRS), TEXTS), max_size=5))
    path = draw(st.one_of(st.none(), NAMES))
    parts = [] if path is None else [f"<path>./{escape(path)}</path>"]
    parts += [f"<{name}>{escape(text)}</{name}>" if text else f"<{name}/>" for name, text in fields]
    parts += draw(
        st.lists(st.sampled_from(["<!-- a -->", "<x><y z='>'>1</y></x>", "<![CDATA[<&]]>", "text"]), max_size=2)
    )
    attributes = draw(st.sampled_from(["", ' id="1"', " source='a>b'"]))
    inside = "".join(indent + part for part in draw(st.permutations(parts)))
    return f"<{tag}{attributes}>{inside}{indent}</{tag}>" if inside else f"<{tag}{attributes}/>"


@st.composite
def gamelists(draw: st.DrawFn) -> bytes:
    indent = draw(INDENTS)
    head = draw(st.sampled_from(["", '<?xml version="1.0"?>\n', "<?xml version='1.0'?><!-- x -->\n"]))
    head += draw(st.sampled_from(["", "<alternativeEmulator>\n\t<label>x</label>\n</alternativeEmulator>\n"]))
    inside = "".join(indent + entry for entry in draw(st.lists(entries(), max_size=5)))
    bom = draw(st.sampled_from([b"", b"\xef\xbb\xbf"]))
    return bom + f"{head}<gameList>{inside}{indent}</gameList>".encode()


def roms(paths: Sequence[str]) -> list[GameToExport]:
    return [
        game(number, f"/roms/psx/{path}", title=f"Title {number}", description="Text & more", is_favourite=number == 1)
        for number, path in enumerate(paths)
    ]


def listed(games: Sequence[GameToExport]) -> list[Listed]:
    tails = [each.path.decode().removeprefix("/roms/psx/") for each in games]
    return [list_game("gamelist", each, f"./{tail}", tail) for each, tail in zip(games, tails, strict=True)]


def said(data: bytes) -> list[tuple[str, tuple[tuple[str, str], ...], Counter[tuple[str, str]]]]:
    """All that stands in a gamelist: entries with attributes and, whole, what is in them but empty fields."""
    text = data.removeprefix(b"\xef\xbb\xbf")
    text = text[text.index(b"?>") + 2 :] if text.startswith(b"<?xml") else text
    tree = etree.fromstring(b"<all>" + text + b"</all>")
    return [
        (
            str(entry.tag),
            tuple(sorted(entry.attrib.items())),
            Counter(
                (str(field.tag), etree.tostring(field, with_tail=False).decode())
                for field in entry
                if len(field) or (field.text or "").strip()
            ),
        )
        for root in tree
        if isinstance(root.tag, str)
        for entry in root
    ]


@given(gamelists(), st.lists(NAMES, unique=True, max_size=5))
def test_whatever_is_in_a_gamelist_before_is_in_it_after(before: bytes, paths: list[str]) -> None:
    first = merge_file("gamelist", before, listed(roms(paths)), (), None)

    old, new = said(before), said(first.data)
    assert len(new) == len(old) + first.added
    # In the same order, each with all that it had; new ones come behind the last game.
    place = iter(new)
    for tag, attributes, fields in old:
        assert any((tag, attributes) == (other, others) and fields <= more for other, others, more in place), (
            tag,
            fields,
        )
    again = merge_file("gamelist", first.data, listed(roms(paths)), first.memory, None)
    assert again.data == first.data
    assert (again.added, again.changed, again.memory) == (0, 0, first.memory)


def _renamed(text: str, old: str, new: str) -> str:
    """Replace the path of a game, not that of a folder of the same name, nor a second one that nobody reads."""
    games = re.finditer(r"<game(?: \w+=(?:\"[^\"]*\"|'[^']*'))*>.*?</game>", text, re.DOTALL)
    game = next(each for each in games if re.findall(r"<path/>|<path>.*?</path>", each[0], re.DOTALL)[:1] == [old])
    return text[: game.start()] + game[0].replace(old, new, 1) + text[game.end() :]


@given(gamelists(), st.lists(NAMES, unique=True, min_size=1, max_size=5), st.data())
def test_a_rename_changes_paths_and_nothing_else(before: bytes, paths: list[str], data: st.DataObject) -> None:
    first = merge_file("gamelist", before, listed(roms(paths)), (), None)
    renamed = [data.draw(st.sampled_from([path, f"new/{number}.cue"])) for number, path in enumerate(paths)]

    second = merge_file("gamelist", first.data, listed(roms(renamed)), first.memory, None)

    assert second.added == 0
    document = open_gamelist(second.data)
    assert {f"./{path}" for path in renamed} <= set(document.keys())
    plain = first.data.decode()
    for old, new in zip(paths, renamed, strict=True):
        if old != new:
            plain = _renamed(plain, f"<path>./{escape(old)}</path>", f"<path>./{escape(new)}</path>")
    if len(set(document.keys())) == len(document.keys()):
        assert second.data.decode() == plain


@given(gamelists())
def test_an_export_of_nothing_changes_no_byte(before: bytes) -> None:
    assert merge_file("gamelist", before, [], (), None).data == before


def test_whose_a_field_is_shows_in_what_was_last_written() -> None:
    ours = digest("old")

    assert is_to_write(None, "new", None)
    assert is_to_write("  ", "new", None)
    assert is_to_write("false", "true", None, {"false"})
    assert is_to_write("old", "new", ours)
    assert not is_to_write("theirs", "new", None)
    assert not is_to_write("theirs", "new", ours)
    assert not is_to_write(None, "new", ours)
    assert not is_to_write("new", "new", None)
    assert not is_to_write("old", "", ours)


def test_paths_are_compared_however_they_are_written() -> None:
    assert {plain_path(path) for path in ("./a/b", "a/b", ".\\a\\b", "a//b", " ./a/b ")} == {"a/b"}
    assert plain_path("../a") == "../a"


def test_an_entry_is_found_by_its_hash_where_nothing_is_remembered() -> None:
    before = b"<gameList><game><path>./old.nes</path><hash>0000ABCD</hash><playcount>3</playcount></game></gameList>"
    rom = game(1, "/roms/psx/new.nes", crc32=0xABCD)

    merged = merge_file("batocera", before, [list_game("batocera", rom, "./new.nes", "new.nes")], (), None)

    assert merged.added == 0
    assert b"<path>./new.nes</path><hash>0000ABCD</hash><playcount>3</playcount>" in merged.data


def test_a_hash_that_two_entries_have_finds_none() -> None:
    entry = b"<game><path>./%d.nes</path><hash>0000abcd</hash></game>"
    before = b"<gameList>" + entry % 1 + entry % 2 + b"</gameList>"
    rom = game(1, "/roms/psx/new.nes", crc32=0xABCD)

    assert merge_file("batocera", before, [list_game("batocera", rom, "./new.nes", "new.nes")], (), None).added == 1


def test_what_is_remembered_of_roms_that_are_not_exported_stays() -> None:
    both = merge_file("gamelist", None, listed(roms(["a.cue", "c c.cue"])), (), None)

    one = merge_file("gamelist", both.data, listed(roms(["a.cue"])), both.memory, None)

    assert {each.rom_id for each in one.memory} == {0, 1}
    assert one.kept == 1


def test_an_entry_that_is_somebodys_for_the_new_path_is_taken_as_it_is() -> None:
    first = merge(open_gamelist(b"<gameList></gameList>"), listed(roms(["a.cue"])), ())
    # The front end found the renamed file by itself.
    theirs = first.data.replace(b"</gameList>", b"<game><path>./b.cue</path><playcount>1</playcount></game></gameList>")

    second = merge(open_gamelist(theirs), listed(roms(["b.cue"])), first.memory)

    assert second.added == 0
    assert second.data.count(b"./b.cue") == 1
    assert second.data.count(b"./a.cue") == 1
