"""The secret that Twitch signs webhooks with: made once, and kept in a file of its own beside the database's."""

import contextlib
import hashlib
import os
import secrets
import stat
import tempfile
from pathlib import Path

from pydantic import SecretStr

from models.errors import LootwireError

SECRET_FILE = "eventsub.secret"  # noqa: S105 - the name of the file
# Twitch takes 10 to 100 ASCII characters; these are 64.
_BYTES = 48
_SHORTEST, _LONGEST = 10, 100
_OTHERS = 0o077


def load_secret(data_dir: Path) -> SecretStr:
    """Return the secret, made with mode 0600 on first use; raises `LootwireError` if the file is not usable."""
    path = data_dir / SECRET_FILE
    try:
        if not path.exists():
            _create(path)
        with path.open("rb") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            secret = file.read().strip()
    except OSError as error:
        raise LootwireError(f"{path} cannot be used: {error.strerror}") from error
    if mode & _OTHERS:
        raise LootwireError(f"others may read {path} (mode {mode:04o}); run: chmod 600 {path}")
    if not (_SHORTEST <= len(secret) <= _LONGEST and secret.isascii()):
        raise LootwireError(
            f"{path} does not hold {_SHORTEST} to {_LONGEST} ASCII characters; remove it, to have one made"
        )
    return SecretStr(secret.decode("ascii"))


def fingerprint(secret: SecretStr) -> str:
    """Return a digest that differs from that of another secret, and does not give it away."""
    secret_bytes = secret.get_secret_value().encode()
    return hashlib.blake2b(secret_bytes, digest_size=16, person=b"lootwire hooks").hexdigest()


def _create(path: Path) -> None:
    """Write a new secret whole or not at all; another process that is faster wins."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # mkstemp opens with 0600; the link appears with its content, and never replaces a secret.
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_urlsafe(_BYTES).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(name, path)
    finally:
        Path(name).unlink()
