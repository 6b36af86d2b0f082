"""The published folder, with the headers that readers, browsers and caches look for."""

import email.utils
import errno
import hashlib
import os
import re
import stat
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import BinaryIO, NamedTuple
from urllib.parse import quote

import anyio.to_thread
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.staticfiles import PathLike, StaticFiles
from starlette.types import Message, Receive, Scope, Send

from feeds.serving import (
    ASK_AGAIN,
    ATOM_TYPE,
    JSON_TYPE,
    RSS_TYPE,
    cache_control,
    content_type,
    has_hub,
    is_private,
    is_xml_feed,
)
from feeds.stores.packing import ENDINGS, Packing
from feeds.write import make_folders

# Nobody is to find a private address by a search engine, or in the log of a site that a page there leads to.
OF_PRIVATE = {"X-Robots-Tag": "noindex, nofollow", "Referrer-Policy": "no-referrer"}
_SNIFFED_NOT = {"X-Content-Type-Options": "nosniff"}
# Browsers show a feed under its own type as source text, and under this one by its stylesheet.
AS_XML = "application/xml; charset=utf-8"
_READERS = frozenset({RSS_TYPE, ATOM_TYPE, JSON_TYPE})
# A larger file is sent piece by piece.
_SENT_AT_ONCE = 128 * 1024
# A larger one is known by its size and time: nobody waits for a digest of it.
_MOST_TO_DIGEST = 16 * 1024 * 1024
_MOST_DIGESTS = 4096
# Parts of a file as HTTP counts them, in bytes; what is written otherwise is ignored (RFC 9110, 14.2).
_PARTS = re.compile(r"bytes=(\d+-\d*|-\d+)([ \t]*,[ \t]*(\d+-\d*|-\d+))*", re.ASCII | re.IGNORECASE)
_REFUSED_PARTS = frozenset({400, 416})
# Linux has it.
_NO_WAITING: int | None = getattr(os, "RWF_NOWAIT", None)
# What a reader that has a file learns of it.
_OF_304 = frozenset(
    {"Cache-Control", "ETag", "Link", "Referrer-Policy", "Vary", "X-Content-Type-Options", "X-Robots-Tag"}
)
# No permission, or links that lead round in a circle.
_NOT_OURS_TO_READ = {errno.EACCES, errno.EPERM, errno.ELOOP}
_GONE = {errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.ENXIO}
# A link that was there a moment ago, and is no link or nothing by now.
_CHANGED = {errno.ENOENT, errno.ENOTDIR, errno.EINVAL}


def is_browser(accept: str) -> bool:
    """Whether an `Accept` is that of a page that a person opens: it names HTML, and no feed as some readers do."""
    wanted = {part.partition(";")[0].strip().lower() for part in accept.split(",")}
    return "text/html" in wanted and wanted.isdisjoint(_READERS)


def wants_parts(request: Headers) -> bool:
    """Whether a request names parts of a file in a way that a server has to know."""
    return _PARTS.fullmatch(request.get("range", "")) is not None


def accepted_packings(accept_encoding: str) -> list[Packing]:
    """Return the packings that a client takes, the smallest first; those that it takes only with q=0 are not taken."""
    weights: dict[str, float] = {}
    for part in accept_encoding.lower().split(","):
        name, _, parameters = part.strip().partition(";")
        key, _, weight = parameters.strip().partition("=")
        try:
            weights[name.strip()] = float(weight) if key.strip() == "q" else 1.0
        except ValueError:
            weights[name.strip()] = 0.0
    anything = weights.get("*", 0.0)
    return [packing for packing in ENDINGS if weights.get(packing, anything) > 0]


class Published(StaticFiles):
    """Serves files below one folder; no listings, nothing hidden, nothing that a link leads to outside of it.

    The folder itself may be a link, which is followed anew for each request: where it leads is the operator's choice.
    """

    def __init__(self, folder: Path, public_url: str = "", *, hubs: Sequence[str] = ()) -> None:
        """`public_url` is where the folder is read, and `hubs` hear of what changes in it."""
        make_folders(folder)
        super().__init__(directory=folder, html=True)
        self._folder = folder
        self._public_url = public_url
        self._hubs = hubs

    async def check_config(self) -> None:
        """Accept a folder that is gone: its files are answered with 404 until it comes back."""

    def lookup_path(self, path: str) -> tuple[str, os.stat_result | None]:
        """Return where a file is, with what is known of it; nothing where it is not ours to read, or is replaced."""
        try:
            return super().lookup_path(path)
        except OSError as error:
            if error.errno in _NOT_OURS_TO_READ | _CHANGED:
                return "", None
            raise

    def get_path(self, scope: Scope) -> str:
        """Return the path below the folder; for a path that is refused, a name that no file can have."""
        return "\0" if _is_refused(scope["path"]) else super().get_path(scope)

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Return the answer, a 404 too, with the headers that each carries."""
        if (usual := self._usual(path, scope)) is not None:
            return usual
        try:
            response = await super().get_response(path, scope)
        except HTTPException as error:
            response = PlainTextResponse(error.detail, error.status_code, error.headers)
        if not isinstance(response, _PublishedFile):
            response.headers["Cache-Control"] = ASK_AGAIN
            response.headers.update(_of_every_answer(scope["path"].lstrip("/")))
        return response

    def _usual(self, path: str, scope: Scope) -> Response | None:
        """Return a file that no link leads to, without a thread; None for all that is less usual.

        To open a file may wait for the disk, and what nginx does without a thread we may do as well.
        """
        name = "index.html" if path == "." else path
        if scope["method"] not in {"GET", "HEAD"} or name.startswith("/") or "\0" in name:
            return None
        try:
            return self._file(name, os.fspath(self._folder), scope, 200)
        except (OSError, ValueError):
            return None

    def file_response(
        self,
        full_path: PathLike,
        stat_result: os.stat_result,  # noqa: ARG002 - of the file that had the name a moment ago
        scope: Scope,
        status_code: int = 200,
    ) -> Response:
        """Return the file, packed where that is stored and asked for; it becomes a 304 where the reader has it."""
        root = os.path.realpath(self._folder)
        path = Path(full_path)
        try:
            if not path.is_relative_to(root):
                raise FileNotFoundError(errno.ENOENT, "the folder leads elsewhere by now", root)
            return self._file(path.relative_to(root).as_posix(), root, scope, status_code)
        except OSError as error:
            if error.errno not in _GONE | _NOT_OURS_TO_READ:
                raise
            raise HTTPException(404) from error

    def _file(self, path: str, root: str, scope: Scope, status_code: int) -> "_PublishedFile":
        request = Headers(scope=scope)
        # Parts of a file are parts of it as it is.
        packings = [] if wants_parts(request) else accepted_packings(request.get("accept-encoding", ""))
        opened = _open_below(root, path, packings)
        return _PublishedFile(opened, self._headers(path, opened, request), request, status_code)

    def _headers(self, path: str, opened: "_Opened", request: Headers) -> dict[str, str]:
        headers = {
            "Content-Type": content_type(path),
            "Cache-Control": cache_control(path),
            **_of_every_answer(path),
        }
        vary = []
        if is_xml_feed(path):
            vary.append("Accept")
            if is_browser(request.get("accept", "")):
                headers["Content-Type"] = AS_XML
        if opened.has_packed:
            vary.append("Accept-Encoding")
        if opened.packing:
            headers["Content-Encoding"] = opened.packing
        if vary:
            headers["Vary"] = ", ".join(vary)
        if self._hubs and has_hub(path):
            relations = [*((hub, "hub") for hub in self._hubs), (f"{self._public_url}/{quote(path)}", "self")]
            headers["Link"] = ", ".join(f'<{address}>; rel="{relation}"' for address, relation in relations)
        return headers


class _Opened:
    """A file that is open for reading, and whether it is a packed one; `has_packed` says that there are such."""

    def __init__(self, file: BinaryIO, packing: Packing | None, *, has_packed: bool) -> None:
        self.file = file
        self.packing = packing
        self.has_packed = has_packed
        self.status = os.fstat(file.fileno())


def _of_every_answer(path: str) -> dict[str, str]:
    return _SNIFFED_NOT | OF_PRIVATE if is_private(path) else _SNIFFED_NOT


def _open_below(folder: str, path: str, packings: Sequence[Packing] = ()) -> _Opened:
    """Open a file below a folder, or what is packed of it; raises `OSError` for a link on the way from there."""
    *between, name = path.split("/")
    at = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        for part in between:
            within = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=at)
            os.close(at)
            at = within
        file = _open_file(at, name)
        try:
            beside = [packing for packing, ending in ENDINGS.items() if _is_of(file, at, name + ending)]
            for packing in packings:
                if packing in beside:
                    packed = _open_file(at, name + ENDINGS[packing])
                    file.close()
                    return _Opened(packed, packing, has_packed=True)
            return _Opened(file, None, has_packed=bool(beside))
        except OSError:
            file.close()
            raise
    finally:
        os.close(at)


def _open_file(folder: int, name: str) -> BinaryIO:
    # A pipe that has come since would keep the opening waiting.
    opened = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=folder)
    if not stat.S_ISREG(os.fstat(opened).st_mode):
        os.close(opened)
        raise FileNotFoundError(errno.ENOENT, "not a file", name)
    return os.fdopen(opened, "rb", buffering=0)


def _is_of(file: BinaryIO, folder: int, packed: str) -> bool:
    """Whether a packed file is there and of the same version: both have the same time of change."""
    try:
        status = os.stat(packed, dir_fd=folder, follow_symlinks=False)
    except OSError:
        return False
    return stat.S_ISREG(status.st_mode) and status.st_mtime_ns == os.fstat(file.fileno()).st_mtime_ns


class _Digests:
    """The digests of files, as long as they are the same; the oldest are forgotten."""

    def __init__(self) -> None:
        self._known: dict[tuple[int, ...], str] = {}

    def get(self, status: os.stat_result) -> str | None:
        """Return the digest of a file if it is known."""
        return self._known.get(_identity(status))

    def note(self, status: os.stat_result, digest: str) -> None:
        """Remember the digest of a file."""
        while len(self._known) >= _MOST_DIGESTS:
            self._known.pop(next(iter(self._known)))
        self._known[_identity(status)] = digest


def _identity(status: os.stat_result) -> tuple[int, ...]:
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns


_DIGESTS = _Digests()


class _Content(NamedTuple):
    """What a file holds, where it is small and was read, and the digest of its bytes."""

    data: bytes | None
    digest: str


def _read_now(opened: _Opened) -> bytes | None:
    """Return what a small file holds where that is in memory; None where a thread has to wait for the disk."""
    size = opened.status.st_size
    if size > _SENT_AT_ONCE or _NO_WAITING is None:
        return None
    buffer = bytearray(size)
    try:
        has_all = os.preadv(opened.file.fileno(), [buffer], 0, _NO_WAITING) == size
    except OSError:
        # Not in memory, or a file system that cannot say so.
        return None
    return bytes(buffer) if has_all else None


def _digested(opened: _Opened) -> _Content:
    """Read a file; its digest is that of its bytes alone, so that the same file is the same after a restore."""
    status = opened.status
    if status.st_size > _MOST_TO_DIGEST:
        return _Content(None, f"{status.st_mtime_ns:x}-{status.st_size:x}")
    data = opened.file.read()
    return _Content(data if len(data) <= _SENT_AT_ONCE else None, _digest(data))


def _digest(data: bytes) -> str:
    return hashlib.blake2b(data, digest_size=12).hexdigest()


class _PublishedFile(Response):
    """A file with the length that it had when opened: a newer one may take its name meanwhile."""

    def __init__(self, opened: _Opened, headers: dict[str, str], request: Headers, status_code: int) -> None:
        self._opened = opened
        self._request = request
        self._fields = headers
        self.status_code = status_code
        status = opened.status
        headers["Content-Length"] = str(status.st_size)
        headers["Last-Modified"] = email.utils.formatdate(status.st_mtime, usegmt=True)
        headers["Accept-Ranges"] = "bytes"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it, or what the reader needs to know of it."""
        with self._opened.file:
            content = await self._content()
            # Of its own: a cache that holds both learns from the ETag of a 304 which of them is meant.
            kind = "-browser" if self._fields["Content-Type"] == AS_XML else ""
            self._fields["ETag"] = f'"{content.digest}{kind}"'
            response = await self._response(scope, content.data)
            await response(scope, receive, self._completing(send))

    def _completing(self, send: Send) -> Send:
        """Return what sends an answer; one that refuses parts is made elsewhere, and lacks what each answer has."""

        async def complete(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] in _REFUSED_PARTS:
                MutableHeaders(scope=message).update(
                    {name: self._fields[name] for name in _SNIFFED_NOT | OF_PRIVATE if name in self._fields}
                )
            await send(message)

        return complete

    async def _content(self) -> _Content:
        if (known := _DIGESTS.get(self._opened.status)) is not None:
            return _Content(None, known)
        if (data := _read_now(self._opened)) is not None:
            content = _Content(data, _digest(data))
        else:
            content = await anyio.to_thread.run_sync(_digested, self._opened)
        _DIGESTS.note(self._opened.status, content.digest)
        return content

    async def _response(self, scope: Scope, data: bytes | None) -> Response:
        if is_not_modified(self._fields, self._request):
            kept = {name: value for name, value in self._fields.items() if name in _OF_304}
            return Response(status_code=304, headers=kept)
        size = self._opened.status.st_size
        has_parts = wants_parts(self._request)
        if not has_parts:
            scope["headers"] = [(name, value) for name, value in scope["headers"] if name != b"range"]
        if size > _SENT_AT_ONCE or has_parts or scope["method"] == "HEAD":
            path = f"/dev/fd/{self._opened.file.fileno()}"
            return FileResponse(path, self.status_code, headers=self._fields, stat_result=self._opened.status)
        if data is None and (data := _read_now(self._opened)) is None:
            data = await anyio.to_thread.run_sync(self._opened.file.read)
        # Not what it was told to be where somebody writes into it.
        self._fields["Content-Length"] = str(len(data))
        return Response(data, self.status_code, self._fields)


def is_not_modified(headers: Mapping[str, str], request: Headers) -> bool:
    """Whether the reader has what would be sent; its ETag counts more than its date."""
    known = request.get("if-none-match")
    if known is not None:
        return known.strip() == "*" or headers["ETag"] in {tag.strip().removeprefix("W/") for tag in known.split(",")}
    since, changed = (
        email.utils.parsedate(value) if value else None
        for value in (request.get("if-modified-since"), headers["Last-Modified"])
    )
    return since is not None and changed is not None and since >= changed


def _is_refused(path: str) -> bool:
    """Whether a path is hidden, leads upwards, or takes a file for a folder, where relative links would lead astray."""
    # Every path begins with a slash, but for that of a request that names a whole address or a server.
    root, *parts = path.split("/")
    if root or not parts:
        return True
    return any(part.startswith(".") for part in parts) or (path.endswith("/") and "." in [root, *parts][-2])
