"""Every format is known by its content, and what is none of them says what it was taken for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.errors import UsageError
from pipeline.library.formats import FORMATS, recognise
from pipeline.library.records import ReadOptions
from tests.fuzzing.parsers import storable
from tests.pipeline.library.formats.examples import EXAMPLES, GROUVEE, STEAM, TEXT, read


@pytest.mark.parametrize("name", EXAMPLES)
def test_each_format_is_known_by_its_content(name: str) -> None:
    reading = read(EXAMPLES[name])

    assert (reading.format, reading.broken) == (name, [])
    assert reading.records


def test_each_format_has_an_example() -> None:
    assert {each.name for each in FORMATS} == set(EXAMPLES)


@pytest.mark.parametrize("name", EXAMPLES)
@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-32"])
def test_the_encoding_does_not_count(name: str, encoding: str) -> None:
    plain = EXAMPLES[name].removeprefix(b"\xef\xbb\xbf")

    again = read(plain.decode().replace("\n", "\r\n").encode(encoding))

    assert again == read(plain)


def test_letters_of_old_windows_programs_are_read() -> None:
    reading = read("Titel;Stunden\nKönigreich;3,5\n".encode("cp1252"))

    assert [(each.written, each.playtime_seconds) for each in reading.records] == [("Königreich", 12_600)]


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "a file is empty"),
        (b" \n ", "a file is empty"),
        (b"PK\x03\x04rest", "a ZIP archive or an Excel workbook"),
        (b"\0" * 30 + b"** This is a LiteDB file **", "a database of Playnite's own"),
        (bytes(range(1, 32)) * 20, "is no text"),
        (b"<!DOCTYPE html><p>Doom", "is HTML or XML"),
        (b'{"a": 1}', "JSON of no format that is known: an object with the keys `a`"),
        (b"[", "begins as JSON does and cannot be read as such"),
        (b" {\n", "begins as JSON does and cannot be read as such"),
        (b'{"Games": []}', "was taken for a Playnite export, and has no game in its list `Games`"),
        (b'[{"a": 1}]', "a list of objects with the keys `a`"),
        (b'{"response": {"games": [', "begins as JSON does and cannot be read as such"),
        (b'{"response": {}}', "an answer of Steam for a private profile"),
        (b'{"response": {"game_count": 1}}', "lacks the key `games`"),
        (b'{"response": {"game_count": 0}}', "names no game"),
        (b'{"games": [], "__timestamp": {}}', "was taken for a library of Heroic, and names no game"),
        (b'"UserLocalConfigStore" { "Software" { } }', "lacks `Software/Valve/Steam/apps`"),
        (b'"UserLocalConfigStore" { "Software" {', "ends in the middle"),
        (b'"UserLocalConfigStore" ' + b'{ "a" ' * 5000, "is nested as none is"),
        (b'{"format": "backloggd-transfer", "version": 1, "entries": []}', "is of version 1"),
        (b'{"schema":"lootwire.library","version":2}', "is of version 2"),
        (b"name,shelves,giantbomb_id\nIco,{},1\n", "was taken for a Grouvee export, and lacks the column `id`"),
        (b"media_id,source,media_type\n1,igdb,game\n", "lacks the column `title`"),
        (b"Date,Payee,Amount\n2020-01-01,Bob,3\n2020-01-02,Al,4\n", "--map COLUMN=title"),
        (b"title," * 2000, "a table has 1,000 columns at most"),
        (b"# A heading\n\nAnd prose.\n", "holds no list"),
        (b'[{"Name": 1, "Playtime": 1}, {"Name": 2, "Playtime": 1}]', "none of its 2 lines can be read; of line 1"),
    ],
)
def test_a_wrong_file_says_what_it_was_taken_for_and_what_it_lacks(data: bytes, sentence: str) -> None:
    with pytest.raises(UsageError) as error:
        read(data)

    assert sentence in str(error.value)


@pytest.mark.parametrize("name", [each.name for each in FORMATS if each.name not in {"csv", "markdown"}])
def test_a_file_that_is_said_to_be_of_another_format_is_refused_by_name(name: str) -> None:
    with pytest.raises(UsageError, match="a file"):
        read("Spielzeit\n3\n", format=name)


def test_a_format_that_there_is_not_is_answered_with_the_nearest() -> None:
    with pytest.raises(UsageError, match="did you mean `grouvee`"):
        read(GROUVEE, format="groovee")


def test_a_store_and_a_platform_that_a_person_says_fill_in_what_the_file_leaves_open() -> None:
    written, _ = read(TEXT, store="gog", platform="PC").records
    steam = read(STEAM, store="gog").records[0]

    assert (written.store, written.ownership, written.platforms) == ("gog", "owned", ("PC",))
    assert steam.store == "steam"


@pytest.mark.parametrize("name", EXAMPLES)
def test_keys_of_playthroughs_stay_when_the_file_comes_again(name: str) -> None:
    keys = [[way.key for way in record.playthroughs] for record in read(EXAMPLES[name]).records]

    assert keys == [[way.key for way in record.playthroughs] for record in read(EXAMPLES[name]).records]


@given(st.permutations(range(4)))
def test_keys_and_repeats_do_not_depend_on_where_a_row_stands(order: list[int]) -> None:
    rows = ["Ico,2020-01-01", "Ico,2021-01-01", "Rez,2020-05-05", "Ico,2021-01-01"]
    straight = read("\n".join(["title,finished", *rows])).records
    shuffled = read("\n".join(["title,finished", *(rows[at] for at in order)])).records

    assert {way for each in shuffled for way in each.playthroughs} == {
        way for each in straight for way in each.playthroughs
    }


@given(st.sampled_from(sorted(EXAMPLES)), st.data())
def test_a_file_that_is_cut_or_overwritten_anywhere_is_read_or_refused(name: str, data: st.DataObject) -> None:
    whole = EXAMPLES[name]
    begin = data.draw(st.integers(0, len(whole)))
    end = data.draw(st.integers(begin, len(whole)))

    _is_read_or_refused(whole[:begin] + data.draw(st.binary(max_size=20)) + whole[end:])


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    _is_read_or_refused(data)


@given(st.text(max_size=300))
def test_any_text_is_read_or_refused(text: str) -> None:
    _is_read_or_refused(text.encode(errors="replace"))


@given(
    st.sampled_from(
        ["rating", "hours", "finished", "started", "status", "year", "platform", "store", "igdb_id", "tags"]
    ),
    st.text(max_size=30),
)
def test_any_cell_is_read_or_set_aside(column: str, cell: str) -> None:
    quoted = cell.replace('"', '""')
    _is_read_or_refused(f'title,{column}\nIco,"{quoted}"\n'.encode(errors="replace"))


def _is_read_or_refused(data: bytes) -> None:
    try:
        reading = recognise(data, "a file", ReadOptions())
    except UsageError:
        return
    storable(reading)
    lines = [*(each.line for each in reading.records), *(each.line for each in reading.broken)]
    keys = [way.key for record in reading.records for way in record.playthroughs]
    assert len(set(lines)) == len(lines)
    assert len(set(keys)) == len(keys) or reading.format == "lootwire"


def test_a_format_like_no_other_is_answered_by_all_that_there_are() -> None:
    with pytest.raises(UsageError, match=r"there is no format `foo`; there are lootwire, steam-localconfig"):
        recognise(b"title\nIco\n", "games.csv", ReadOptions(format="foo"))
