"""Encrypts the addresses of targets with a key that lies outside the database, and makes names of it."""

import contextlib
import hmac
import os
import stat
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Self

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from models.errors import LootwireError

_OTHERS = 0o077


class VaultError(LootwireError):
    """The key that opens the targets' addresses is missing, unsafe or another one; the text says what to do."""


class Vault:
    """Encrypts and decrypts addresses; neither its `repr` nor its errors show a key.

    The key file holds one Fernet key a line. The first encrypts, all of them decrypt: to change the key, put a new
    one on top.
    """

    def __init__(self, path: Path, keys: MultiFernet, secrets: Sequence[bytes] = ()) -> None:
        """Use `Vault.open`."""
        self.path = path
        self._keys = keys
        self._secrets = tuple(secrets)

    def __repr__(self) -> str:
        return f"Vault({str(self.path)!r})"

    @classmethod
    def open(cls, path: Path) -> Self:
        """Return the vault whose key file is `path`, made with mode 0600 on first use.

        Raises VaultError if others may read the file, or if it holds no key.
        """
        if not path.exists():
            _create(path)
        try:
            lines = _read(path).split()
            keys = [Fernet(line) for line in lines]
        except ValueError:
            # Not chained: the library's error could quote the line.
            raise VaultError(f"{path} holds no valid key; put the key file back from your backup.") from None
        if not keys:
            raise VaultError(f"{path} is empty; put the key file back from your backup.")
        return cls(path, MultiFernet(keys), lines)

    def derive(self, purpose: str, seed: bytes) -> tuple[bytes, ...]:
        """Return 32 bytes for each key of the file, newest first, that nobody can make who lacks the key.

        The same purpose and seed always give the same; it cannot be reckoned back to the key.
        """
        return tuple(hmac.digest(key, purpose.encode() + b"\0" + seed, "sha256") for key in self._secrets)

    def encrypt(self, address: str) -> bytes:
        """Return the address as ciphertext, different each time."""
        return self._keys.encrypt(address.encode())

    def decrypt(self, ciphertext: bytes) -> str:
        """Return the address; raises VaultError if it was encrypted with another key."""
        try:
            return self._keys.decrypt(ciphertext).decode()
        except InvalidToken:
            raise VaultError(
                f"The key in {self.path} does not open this target's address: put the key file back that it was "
                "added with, or remove the target and add it again."
            ) from None


def _create(path: Path) -> None:
    """Write a new key whole or not at all; another process that is faster wins."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # mkstemp opens with O_EXCL and 0600; the link then appears with its content, and never replaces a key.
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(Fernet.generate_key() + b"\n")
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(name, path)
    finally:
        Path(name).unlink()
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            # Of the open file, so that it is the one we read.
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            if mode & _OTHERS:
                raise VaultError(f"Others may read the key file {path} (mode {mode:04o}); run: chmod 600 {path}")
            return file.read()
    except OSError as error:
        raise VaultError(f"The key file {path} cannot be read: {error.strerror}.") from error
