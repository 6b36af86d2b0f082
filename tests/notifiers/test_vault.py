import multiprocessing
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from models.vault import Vault, VaultError

SECRET = "discord://123456/very-secret-token"


def test_what_is_encrypted_is_read_back_by_another_opening_of_the_vault(tmp_path: Path) -> None:
    encrypted = Vault.open(tmp_path / "key").encrypt(SECRET)
    assert Vault.open(tmp_path / "key").decrypt(encrypted) == SECRET
    assert b"secret" not in encrypted


def test_the_key_file_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "deeper" / "key"
    Vault.open(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert [p.name for p in path.parent.iterdir()] == ["key"]


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o620, 0o666])
def test_a_key_file_that_others_may_touch_is_refused_with_the_way_out(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "key"
    Vault.open(path)
    path.chmod(mode)
    with pytest.raises(VaultError, match=f"chmod 600 {path}"):
        Vault.open(path)


def test_another_key_is_told_apart_without_a_secret_in_the_error(tmp_path: Path) -> None:
    encrypted = Vault.open(tmp_path / "old").encrypt(SECRET)
    other = Vault.open(tmp_path / "new")
    with pytest.raises(VaultError, match="put the key file back") as caught:
        other.decrypt(encrypted)
    key = (tmp_path / "new").read_text().strip()
    assert str(tmp_path / "new") in str(caught.value)
    assert key not in repr(caught.value)
    assert caught.value.__cause__ is None
    assert key not in repr(other)


def test_a_new_key_on_top_still_opens_what_the_old_one_closed(tmp_path: Path) -> None:
    path = tmp_path / "key"
    old = Vault.open(path)
    encrypted = old.encrypt(SECRET)
    path.write_bytes(Fernet.generate_key() + b"\n" + path.read_bytes())
    new = Vault.open(path)
    assert new.decrypt(encrypted) == SECRET
    with pytest.raises(VaultError):
        old.decrypt(new.encrypt(SECRET))


@pytest.mark.parametrize(("content", "words"), [("", "empty"), ("\n", "empty"), ("swordfish\n", "no valid key")])
def test_a_file_without_a_key_is_refused_and_not_quoted(tmp_path: Path, content: str, words: str) -> None:
    path = tmp_path / "key"
    path.touch(0o600)
    path.write_text(content)
    with pytest.raises(VaultError, match=words) as caught:
        Vault.open(path)
    assert "swordfish" not in str(caught.value)


def test_processes_that_open_a_new_vault_at_once_agree_on_the_key(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    with context.Pool(4) as pool:
        encrypted = pool.map(_encrypt, [tmp_path / "key"] * 8)
    vault = Vault.open(tmp_path / "key")
    assert {vault.decrypt(ciphertext) for ciphertext in encrypted} == {SECRET}


def _encrypt(path: Path) -> bytes:
    return Vault.open(path).encrypt(SECRET)
