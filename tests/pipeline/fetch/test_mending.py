"""JSON with a few bad characters, or one value nested too deep, is mended; what is broken in structure is not."""

import msgspec
import pytest

from pipeline.fetch.mending import DEEPEST, decode_mended, is_readable, mend, readable
from tests.pipeline.fetch.local_service import Answer, LocalService
from tests.pipeline.fetch.test_http import get

ANY = msgspec.json.Decoder()
MENDED: dict[str, tuple[bytes, object]] = {
    "a lone high half": (b'["lamp \\ud83d", 1]', ["lamp ", 1]),
    "a lone low half": (b'["\\uDE00lamp"]', ["lamp"]),
    "halves in the wrong order": (b'["\\ude00\\ud83d"]', [""]),
    "a high half before a pair": (b'["\\ud83d\\ud83d\\ude00"]', ["\U0001f600"]),
    "a high half before another escape": (b'["\\ud83d\\n"]', ["\n"]),
    "a half as a key": (b'{"a\\ud83d": 1}', {"a": 1}),
    "an escape of nothing": (b'["\\x41"]', ["x41"]),
    "half of an escape": (b'["\\u12G4"]', ["u12G4"]),
    "NUL as a byte": (b'["la\x00mp"]', ["lamp"]),
    "a newline in a text": (b'["la\nmp"]', ["la mp"]),
    "bytes that are not UTF-8, beside a half": (b'["\xff", "\\ud83d"]', ["�", ""]),
    "lists too deep": (b'[{"a": %s, "b": 1}]' % (b"[" * 5000 + b"]" * 5000), None),
    "objects too deep": (b"[%s1%s, 2]" % (b'{"a":' * 5000, b"}" * 5000), None),
}
SOUND = {
    "a pair": b'["\\ud83d\\ude00"]',
    "an escaped backslash before what looks like a half": b'["\\\\ud83d"]',
    "NUL as an escape": b'["\\u0000"]',
    "all short escapes": b'["\\"\\\\\\/\\b\\f\\n\\r\\t"]',
    "brackets in a text": b'["[[[[{{{{\\"]]"]',
}
HOPELESS = {
    "a text that does not end": b'["a',
    "a comma too many": b"[1,]",
    "two values": b"[1] [2]",
    "brackets that do not fit": b"[}" * 200,
    "deep and open": b"[" * 100_000,
    "more closed than opened": b"]" * 100_000,
    "nothing but backslashes": b'["' + b"\\" * 100_000,
}


@pytest.mark.parametrize("case", MENDED)
def test_bad_characters_go_and_the_rest_stays(case: str) -> None:
    payload, expected = MENDED[case]
    assert not is_readable(payload)

    mended = mend(payload)

    assert mended is not None
    assert expected is None or ANY.decode(mended) == expected
    assert mend(mended) == mended, "the same again has nothing left to mend"


def test_what_is_nested_too_deep_is_null_and_its_neighbours_stay() -> None:
    mended = mend(b'[{"deep": %s, "name": "lamp"}, 2]' % (b"[" * 5000 + b"]" * 5000))

    assert mended is not None
    (first, second) = ANY.decode(mended)
    assert (first["name"], second) == ("lamp", 2)
    value, depth = first["deep"], 2
    while value:
        (value,) = value
        depth += 1
    assert (value, depth) == (None, DEEPEST)


@pytest.mark.parametrize("case", SOUND)
def test_sound_json_is_left_as_it_is(case: str) -> None:
    assert readable(SOUND[case]) == mend(SOUND[case]) == SOUND[case]


@pytest.mark.parametrize("case", HOPELESS)
def test_broken_structure_is_not_guessed_at(case: str) -> None:
    assert mend(HOPELESS[case]) is None
    assert readable(HOPELESS[case]) == HOPELESS[case]


def test_what_is_no_json_is_not_looked_at() -> None:
    assert readable(b"<html>\x00\\ud83d</html>") == b"<html>\x00\\ud83d</html>"
    assert readable(b"") == b""


def test_hostile_megabytes_are_mended_or_given_up_in_one_pass() -> None:
    size = 4 * 2**20
    assert mend(b'["' + b'a"' * (size // 2)) is None
    assert mend(b'["' + b'\\"' * (size // 2)) is None
    assert mend(b'["' + b"\\ud83d" * (size // 6) + b'"]') is None, "noise, not a text that was cut"
    assert mend(b"[1]" + b"a" * size) is None
    assert mend(b'["\x00' + b"\\u00e9" * (size // 6) + b'"]') is not None


def test_decoding_mends_only_what_cannot_be_read_without() -> None:
    numbers = msgspec.json.Decoder(list[int])
    assert decode_mended(numbers, b"[1\x00]") == [1]
    with pytest.raises(msgspec.ValidationError):
        decode_mended(numbers, b'["a"]')
    with pytest.raises(msgspec.DecodeError):
        decode_mended(numbers, b"[1,]")


@pytest.mark.parametrize("case", MENDED)
def test_an_answer_is_mended_before_anybody_reads_it(service: LocalService, case: str) -> None:
    payload, _ = MENDED[case]
    service.answers("/list", Answer(payload))

    assert is_readable(get(service))
