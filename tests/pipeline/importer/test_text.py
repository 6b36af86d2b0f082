"""Which encodings a payload may have."""

import codecs

import pytest

from models.errors import LootwireError
from pipeline.importer.text import as_utf8
from tests.hostile import tar_of, zip_of

TEXT = '{"name": "Größe 대"}'
ENCODED = {
    "UTF-8": TEXT.encode(),
    "UTF-8 with a mark": codecs.BOM_UTF8 + TEXT.encode(),
    **{f"{name} with a mark": TEXT.encode(name) for name in ("utf-16", "utf-32")},
    **{name: TEXT.encode(name) for name in ("utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be")},
}


@pytest.mark.parametrize("payload", ENCODED.values(), ids=ENCODED)
def test_a_payload_becomes_utf_8_without_a_mark(payload: bytes) -> None:
    assert as_utf8(payload) == TEXT.encode()


@pytest.mark.parametrize("payload", [b"", b"\0", b"\0\0\0\0", b"12", b"\0x"])
def test_what_is_no_json_in_another_encoding_is_left_as_it_is(payload: bytes) -> None:
    assert as_utf8(payload) == payload


def test_text_that_is_not_in_the_encoding_that_it_claims_is_refused() -> None:
    with pytest.raises(LootwireError, match="not UTF-16-LE, as its first bytes claim"):
        as_utf8(TEXT.encode("utf-16")[:-1])


@pytest.mark.parametrize("payload", [zip_of({"a.json": b"[]"}), tar_of([("a.json", b"[]")])])
def test_an_archive_is_no_text(payload: bytes) -> None:
    with pytest.raises(LootwireError, match="unpack it first"):
        as_utf8(payload)
