"""What a file is by its first bytes."""

import pytest

from pipeline.sound.downloading.sniffing import extension_of, is_text


@pytest.mark.parametrize(
    ("head", "extension"),
    [
        (b"ID3\x04\x00", "mp3"),
        (b"\xff\xfb\x90\x00", "mp3"),
        (b"\xff\xf1\x50\x80", "aac"),
        (b"OggS\x00", "ogg"),
        (b"fLaC\x00", "flac"),
        (b"\x1aE\xdf\xa3\x01", "webm"),
        (b"RIFF\x00\x00\x00\x00WAVEfmt ", "wav"),
        (b"\x00\x00\x00\x1cftypM4A \x00", "m4a"),
        (b"\x00\x00\x00\x1cftypisom\x00", "mp4"),
        ((b"\x47" + b"\x00" * 187) * 2, "ts"),
        (b"\x47" + b"\x00" * 400, None),
        (b"MZ\x90\x00", None),
        (b"<!DOCTYPE html>", None),
        (b"", None),
    ],
)
def test_the_first_bytes_say_what_a_file_is(head: bytes, extension: str | None) -> None:
    assert extension_of(head) == extension


@pytest.mark.parametrize(
    "head", [b"\xef\xbb\xbf\r\n <!DOCTYPE html>", b"<HTML lang=en>", b'{"error": 1}', b"<?xml version"]
)
def test_a_page_or_a_document_is_no_sound(head: bytes) -> None:
    assert is_text(head)


def test_a_sound_is_no_page() -> None:
    assert not is_text(b"ID3\x04")
    assert not is_text(b"")
