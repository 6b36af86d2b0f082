"""A bucket of an S3-compatible service, as far as a mirror needs it: put, remove, and list."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, BinaryIO
from urllib.parse import urlsplit

import msgspec

from feeds.serving import cache_control, content_type
from feeds.stores.packing import ENDINGS
from models.errors import LootwireError

if TYPE_CHECKING:
    from obstore.store import S3Credential, S3Store

# A bucket that hangs holds a process that others wait for.
_TIMEOUT = "20s"
_CONNECT_TIMEOUT = "10s"
_RETRIES = 2
_RETRY_WITHIN = timedelta(seconds=30)
# Of ten thousand parts at most; one has to go up within the time-out.
_PART = 8 * 1024 * 1024
_PARTS_AT_ONCE = 2
_NO_BUCKET = "<Code>NoSuchBucket</Code>"
_CODE = re.compile(r"<Code>([^<]{1,100})</Code>")
_MESSAGE = re.compile(r"<Message>([^<]{1,300})</Message>")
_STATUS = re.compile(r"status code: (\d{3} [A-Za-z ]{1,40})")


class BucketError(LootwireError):
    """A bucket did not take what it should; the text says which bucket and why, and names no file."""

    def __init__(self, url: str, reason: str) -> None:
        super().__init__(f"the bucket {url}: {reason}")
        self.reason = reason


class Access(msgspec.Struct, frozen=True):
    """The address of a bucket, `https://HOST/BUCKET[/FOLDER]`, and the key that opens it.

    Its representation shows no secret.
    """

    url: str
    region: str
    key_id: str
    secret_key: str

    def __repr__(self) -> str:
        return f"Access({self.url!r})"


class Bucket:
    """Takes files by their paths, with the headers that each is served with. Safe to use by several threads."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._store = _open(access)

    @property
    def url(self) -> str:
        """The address that it was opened with."""
        return self._access.url

    def put(self, path: str, data: bytes) -> None:
        """Store a file, whole or not at all; raises BucketError."""
        from obstore import put

        with self._explaining():
            put(self._store, path, data, attributes=dict(headers_of(path)), use_multipart=False)

    def put_file(self, path: str, file: BinaryIO) -> None:
        """Store a large file in parts, whole or not at all, with a few of them in memory; raises BucketError."""
        from obstore import put

        with self._explaining():
            put(
                self._store, path, file, attributes=dict(headers_of(path)), use_multipart=True, chunk_size=_PART,
                max_concurrency=_PARTS_AT_ONCE,
            )  # fmt: skip

    def remove(self, path: str) -> None:
        """Remove a file, which may be missing; raises BucketError."""
        from obstore import delete

        with self._explaining():
            try:
                delete(self._store, path)
            except FileNotFoundError as error:
                if _NO_BUCKET in str(error):
                    raise

    def list(self, folder: str) -> Iterator[str]:
        """Yield the paths of all files below a folder; raises BucketError."""
        from obstore import list as list_objects

        with self._explaining():
            for batch in list_objects(self._store, prefix=folder):
                yield from (entry["path"] for entry in batch)

    @contextmanager
    def _explaining(self) -> Iterator[None]:
        """Raise an error of the library as one of ours, without the paths that it names: some are secrets."""
        from obstore.exceptions import BaseError

        try:
            yield
        except (BaseError, OSError, ValueError) as error:
            raise self._explained(error) from None

    def _explained(self, error: Exception) -> BucketError:
        text = str(error)
        reasons = [match[1] for pattern in (_CODE, _MESSAGE) if (match := pattern.search(text))]
        if not reasons:
            status = _STATUS.search(text)
            reasons = [f"it answered {status[1]}" if status else "it does not answer"]
        return BucketError(self._access.url, ": ".join(reasons))


def headers_of(path: str) -> list[tuple[str, str]]:
    """Return the headers that a file is stored with: what is packed has the type of what it holds."""
    for packing, ending in ENDINGS.items():
        if path.endswith(ending):
            plain = path.removesuffix(ending)
            return [*headers_of(plain), ("Content-Encoding", packing)]
    return [("Content-Type", content_type(path)), ("Cache-Control", cache_control(path))]


def _credentials(access: Access) -> "Callable[[], S3Credential]":
    def provide() -> "S3Credential":
        return {"access_key_id": access.key_id, "secret_access_key": access.secret_key, "expires_at": None}

    return provide


def _open(access: Access) -> "S3Store":
    # Imported where it is used: it takes ten megabytes, and most installations have no bucket.
    from obstore.store import S3Store

    parts = urlsplit(access.url)
    name, _, folder = parts.path.strip("/").partition("/")
    return S3Store(
        name,
        prefix=folder or None,
        endpoint=f"{parts.scheme}://{parts.netloc}",
        region=access.region,
        virtual_hosted_style_request=False,
        # Else variables of the environment would count, or the machine's own role at Amazon.
        credential_provider=_credentials(access),
        client_options={
            "allow_http": parts.scheme == "http",
            "timeout": _TIMEOUT,
            "connect_timeout": _CONNECT_TIMEOUT,
        },
        retry_config={"max_retries": _RETRIES, "retry_timeout": _RETRY_WITHIN},
    )
