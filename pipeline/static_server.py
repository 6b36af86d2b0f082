"""Serve the published folder on 127.0.0.1, with the content types that readers look for."""

import http.server
import sys
from functools import partial
from pathlib import Path
from typing import Any

from models.errors import LootwireError
from pipeline.problems import run_program
from pipeline.settings import load_settings

HOST = "127.0.0.1"


class Handler(http.server.SimpleHTTPRequestHandler):
    """Serves files below one folder, quietly, and no listings of it."""

    extensions_map = {  # noqa: RUF012 - the base class's own form
        **http.server.SimpleHTTPRequestHandler.extensions_map,
        ".html": "text/html; charset=utf-8",
        ".xml": "application/xml",
        ".xsl": "text/xsl",
        ".opml": "text/x-opml; charset=utf-8",
    }

    def guess_type(self, path: Any) -> str:
        """Return the content type; feeds have one of their own."""
        if str(path).endswith(".rss.xml"):
            return "application/rss+xml; charset=utf-8"
        if str(path).endswith(".atom.xml"):
            return "application/atom+xml; charset=utf-8"
        return super().guess_type(path)

    def list_directory(self, path: Any) -> None:  # noqa: ARG002 - the base class's signature
        """Refuse: the page lists what there is."""
        self.send_error(404)

    def end_headers(self) -> None:
        """Let readers ask again rather than trust a copy."""
        self.send_header("Cache-Control", "no-cache")
        self.send_header("X-Content-Type-Options", "nosniff")
        super().end_headers()

    def log_message(self, *args: Any) -> None:
        """Say nothing of each request."""


def make_server(folder: Path, port: int) -> http.server.ThreadingHTTPServer:
    """Return a server for the folder; raises `LootwireError` if the port is taken."""
    folder.mkdir(parents=True, exist_ok=True)
    try:
        return http.server.ThreadingHTTPServer((HOST, port), partial(Handler, directory=str(folder)))
    except OSError as error:
        raise LootwireError(
            f"port {port} on {HOST} cannot be used ({error.strerror}); set LOOTWIRE_HTTP_PORT to another one"
        ) from error


def main() -> None:
    """Serve until the supervisor ends."""
    settings = load_settings().settings
    with make_server(settings.published, settings.http_port) as server:
        server.serve_forever()


if __name__ == "__main__":
    sys.exit(run_program(main))
