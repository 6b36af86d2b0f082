"""What rules name is read where it is a regular file of a size that makes sense."""

import os
from pathlib import Path

import pytest

from pipeline.rules.files import read_rules_file, secret
from pipeline.rules.small_files import UnreadableFileError, read_bytes, read_text

PHONE = '[[target]]\nname = "phone"\nurl = "env:HOOK"\n'


@pytest.fixture
def pipe(tmp_path: Path) -> Path:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    return path


def test_a_file_is_read_up_to_a_bound(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"x" * 1024)
    assert read_bytes(path, 1024) == b"x" * 1024
    with pytest.raises(UnreadableFileError, match="it has more than 0 kB"):
        read_bytes(path, 1023)


def test_a_pipe_a_device_and_a_folder_are_refused_and_nobody_waits_for_a_writer(pipe: Path, tmp_path: Path) -> None:
    for path in (pipe, Path("/dev/zero"), tmp_path):
        with pytest.raises(UnreadableFileError, match="it is no regular file"):
            read_text(path, 1024)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("gone", "No such file or directory"),
        ("a\0b", "there can be no file of that name"),
        ("~nobody-of-that-name/x", "there can be no file of that name"),
    ],
)
def test_a_name_that_no_file_has_is_said(name: str, reason: str) -> None:
    with pytest.raises(UnreadableFileError, match=reason):
        read_bytes(Path(name), 1)


@pytest.mark.parametrize("address", ["file:/dev/zero", "file:pipe", "file:."])
def test_an_address_is_read_of_a_regular_file_alone(pipe: Path, address: str) -> None:
    with pytest.raises(ValueError, match=r"cannot read .*: it is no regular file"):
        secret(address, pipe.parent, {})


def test_an_address_that_is_a_whole_library_is_refused(tmp_path: Path) -> None:
    (tmp_path / "large").write_bytes(b"x" * (64 * 1024 + 1))
    with pytest.raises(ValueError, match="cannot read large: it has more than 64 kB"):
        secret("file:large", tmp_path, {})


def test_a_byte_order_mark_is_skipped(tmp_path: Path) -> None:
    (tmp_path / "address").write_text("json://127.0.0.1:9/x\r\n", encoding="utf-8-sig")
    (tmp_path / "rules.toml").write_text(PHONE, encoding="utf-8-sig")
    address = secret("file:address", tmp_path, {})
    assert address == "json://127.0.0.1:9/x"
    (target,) = read_rules_file(tmp_path / "rules.toml", {"HOOK": address}).wanted.targets
    assert target.name == "phone"
