"""The published folder, with the content types that readers look for."""

import errno
import mimetypes
import os
import stat
from pathlib import Path
from typing import BinaryIO

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.staticfiles import NotModifiedResponse, PathLike, StaticFiles
from starlette.types import Receive, Scope, Send

from feeds.formats import FORMATS
from feeds.write import make_folders

# Readers ask again rather than trust a copy.
HEADERS = {"Cache-Control": "no-cache", "X-Content-Type-Options": "nosniff"}
# By the ending of the name, of which the first that fits counts; other names go by the machine's own list.
TYPES = {
    **{each.ending: f"{each.media_type}; charset=utf-8" for each in FORMATS},
    ".xml": "application/xml",
    ".html": "text/html; charset=utf-8",
    ".xsl": "text/xsl",
    ".opml": "text/x-opml; charset=utf-8",
}
# Browsers show a feed under its own type as source text, and under this one by its stylesheet.
AS_XML = "application/xml; charset=utf-8"
UNKNOWN = "application/octet-stream"
# No permission, or links that lead round in a circle.
_NOT_OURS_TO_READ = {errno.EACCES, errno.EPERM, errno.ELOOP}
_GONE = {errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.ENXIO}
# A link that was there a moment ago, and is no link or nothing by now.
_CHANGED = {errno.ENOENT, errno.ENOTDIR, errno.EINVAL}


def content_type(name: str) -> str:
    """Return the content type of a file; feeds have one of their own."""
    for ending, known in TYPES.items():
        if name.endswith(ending):
            return known
    guessed, encoding = mimetypes.guess_type(name)
    return UNKNOWN if guessed is None or encoding is not None else guessed


def is_feed(name: str) -> bool:
    """Whether a file is a feed in a format of XML, which has a stylesheet for browsers."""
    return any(name.endswith(each.ending) and each.media_type.endswith("+xml") for each in FORMATS)


def is_browser(accept: str) -> bool:
    """Whether an `Accept` is that of a page that a person opens: it names HTML, and no feed as some readers do."""
    wanted = {part.partition(";")[0].strip().lower() for part in accept.split(",")}
    return "text/html" in wanted and wanted.isdisjoint(each.media_type for each in FORMATS)


class Published(StaticFiles):
    """Serves files below one folder; no listings, nothing hidden, nothing that a link leads to outside of it.

    The folder itself may be a link, which is followed anew for each request: where it leads is the operator's choice.
    """

    def __init__(self, folder: Path) -> None:
        make_folders(folder)
        super().__init__(directory=folder, html=True)
        self._folder = folder

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
        try:
            response = await super().get_response(path, scope)
        except HTTPException as error:
            response = PlainTextResponse(error.detail, error.status_code, error.headers)
        response.headers.update(HEADERS)
        return response

    def file_response(
        self,
        full_path: PathLike,
        stat_result: os.stat_result,  # noqa: ARG002 - of the file that had the name a moment ago
        scope: Scope,
        status_code: int = 200,
    ) -> Response:
        """Return the file, or 304 where the reader has this version of it."""
        try:
            # The response closes it.
            file = _open_below(os.path.realpath(self._folder), Path(full_path))
        except OSError as error:
            if error.errno not in _GONE | _NOT_OURS_TO_READ:
                raise
            raise HTTPException(404) from error
        response = _OpenFile(file, content_type(os.fspath(full_path)), status_code)
        if is_feed(os.fspath(full_path)):
            _vary(response, Headers(scope=scope).get("accept", ""))
        if self.is_not_modified(response.headers, Headers(scope=scope)):
            file.close()
            return NotModifiedResponse(response.headers)
        return response


def _open_below(folder: str, path: Path) -> BinaryIO:
    """Open a file below a folder, both without links in their paths; raises `OSError` where one has come since."""
    if not path.is_relative_to(folder):
        raise FileNotFoundError(errno.ENOENT, "the folder leads elsewhere by now", folder)
    *between, name = path.relative_to(folder).parts
    at = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        for part in between:
            within = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=at)
            os.close(at)
            at = within
        # A pipe that has come since would keep the opening waiting.
        opened = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=at)
    finally:
        os.close(at)
    if not stat.S_ISREG(os.fstat(opened).st_mode):
        os.close(opened)
        raise FileNotFoundError(errno.ENOENT, "not a file", name)
    return os.fdopen(opened, "rb")


def _vary(response: Response, accept: str) -> None:
    """Make the answer for a feed that for a browser where one asks, and tell caches that there are two."""
    response.headers["Vary"] = "Accept"
    if is_browser(accept):
        response.headers["Content-Type"] = AS_XML
        # Of its own: a cache that holds both learns from the ETag of a 304 which of them is meant.
        response.headers["ETag"] = response.headers["ETag"].removesuffix('"') + '-browser"'


class _OpenFile(FileResponse):
    """A file with the length that it had when opened: a newer one may take its name meanwhile."""

    def __init__(self, file: BinaryIO, kind: str, status_code: int) -> None:
        self._file = file
        number = file.fileno()
        super().__init__(f"/dev/fd/{number}", status_code, headers={"Content-Type": kind}, stat_result=os.fstat(number))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with self._file:
            await super().__call__(scope, receive, send)


def _is_refused(path: str) -> bool:
    """Whether a path is hidden, leads upwards, or takes a file for a folder, where relative links would lead astray."""
    # Every path begins with a slash, but for that of a request that names a whole address or a server.
    root, *parts = path.split("/")
    if root or not parts:
        return True
    return any(part.startswith(".") for part in parts) or (path.endswith("/") and "." in [root, *parts][-2])
