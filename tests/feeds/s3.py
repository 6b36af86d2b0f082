"""A server that speaks the protocol of S3 (moto's), and looks into it past everything of ours."""

import http.client
import os
import subprocess
import sys
import textwrap
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager

import obstore
from obstore.store import S3Store

from feeds.stores.bucket import Access
from tests.processes import free_port
from tests.waiting import wait_for

BUCKET = "lootwire"
SERVE = textwrap.dedent("""
    import logging, sys
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
    from werkzeug.serving import make_server

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    application = DomainDispatcherApplication(create_backend_app)
    make_server("127.0.0.1", int(sys.argv[1]), application, threaded=True).serve_forever()
""")


class S3:
    """A server with one bucket, and what it holds."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._store = S3Store(
            BUCKET,
            endpoint=f"http://127.0.0.1:{port}",
            access_key_id="another",
            secret_access_key="key",
            client_options={"allow_http": True},
        )
        self.access = Access(f"http://127.0.0.1:{port}/{BUCKET}/site", "us-east-1", "AKIALOOTWIRE", "hunter2-hunter2")

    def begin(self) -> None:
        """Forget everything but an empty bucket."""
        self._ask("POST", "/moto-api/reset")
        self.refuses(after=float("inf"))
        self._ask("PUT", f"/{BUCKET}")

    def refuses(self, *, after: float = 0) -> None:
        """Have requests refused, but for the next few."""
        self._ask("POST", "/moto-api/reset-auth", str(after).encode())

    def put(self, path: str, body: bytes) -> None:
        """Put a file into the bucket that is not ours."""
        obstore.put(self._store, path, body)

    def head(self, path: str) -> Mapping[str, str]:
        """Return the headers that a file is served with."""
        return obstore.get(self._store, path).attributes

    def files(self) -> dict[str, bytes]:
        """Return all files of the bucket."""
        paths = [entry["path"] for batch in obstore.list(self._store) for entry in batch]
        return {path: bytes(obstore.get(self._store, path).bytes()) for path in paths}

    def _ask(self, method: str, path: str, body: bytes = b"") -> None:
        with closing(http.client.HTTPConnection("127.0.0.1", self._port, timeout=60)) as connection:
            connection.request(method, path, body)
            assert connection.getresponse().status == 200


@contextmanager
def serving_s3() -> Iterator[S3]:
    """Run the server in a process of its own; it takes some seconds to begin."""
    port = free_port()
    environment = os.environ | {"INITIAL_NO_AUTH_ACTION_COUNT": "inf"}
    with subprocess.Popen([sys.executable, "-c", SERVE, str(port)], env=environment, stderr=subprocess.PIPE) as process:
        try:
            wait_for(lambda: process.poll() is not None or _answers(port))
            assert process.poll() is None, process.stderr and process.stderr.read()
            yield S3(port)
        finally:
            process.kill()


def _answers(port: int) -> bool:
    try:
        with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=5)) as connection:
            connection.request("GET", "/moto-api/")
            return connection.getresponse().status == 200
    except OSError:
        return False
