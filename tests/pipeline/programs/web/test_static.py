"""The program serves the published folder, and nothing else."""

import contextlib
import http.client
import os
import socket
from collections.abc import AsyncIterator, Iterator
from email.utils import formatdate
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.routing import Mount, Route

from pipeline.programs.web.application import Application
from pipeline.programs.web.static import Published
from tests.pipeline.programs.web.serving import answering

pytestmark = pytest.mark.long

PAGE = b"<!doctype html><title>page</title>"
FEED = b"<rss/>" * 100
# What Firefox accepts of a page that a person opens; other browsers name HTML as well.
FIREFOX = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    public = tmp_path / "data" / "public"
    (public / "channel").mkdir(parents=True)
    (public / "index.html").write_bytes(PAGE)
    (public / "all.rss.xml").write_bytes(FEED)
    (public / "channel" / "shroud.html").write_bytes(PAGE)
    (tmp_path / "data" / "secret.key").write_text("hunter2")
    return public


class Reader:
    """A client that sends each path exactly as a test gives it."""

    def __init__(self, address: str) -> None:
        at = urlsplit(address)
        assert at.hostname is not None
        assert at.port is not None
        self.host, self.port = at.hostname, at.port

    def ask(
        self, path: str, method: str = "GET", headers: dict[str, str] | None = None
    ) -> tuple[int, http.client.HTTPMessage, bytes]:
        connection = http.client.HTTPConnection(self.host, self.port, timeout=60)
        with contextlib.closing(connection):
            connection.putrequest(method, path, skip_host=False, skip_accept_encoding=True)
            for name, value in (headers or {}).items():
                connection.putheader(name, value)
            connection.endheaders()
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()

    def status(self, path: str) -> int:
        return self.ask(path)[0]


def served(folder: Path) -> contextlib.AbstractContextManager[str]:
    @contextlib.asynccontextmanager
    async def opened() -> AsyncIterator[Application]:
        yield Application([Mount("/", Published(folder))])

    return answering(opened)


@pytest.fixture
def reader(folder: Path) -> Iterator[Reader]:
    with served(folder) as address:
        yield Reader(address)


def test_the_folder_is_its_page_and_files_are_whole(reader: Reader) -> None:
    assert reader.ask("/")[::2] == (200, PAGE)
    assert reader.ask("/index.html")[::2] == (200, PAGE)
    assert reader.ask("/channel/shroud.html")[::2] == (200, PAGE)
    assert reader.ask("/all.rss.xml?since=1#x")[::2] == (200, FEED)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("all.rss.xml", "application/rss+xml; charset=utf-8"),
        ("all.atom.xml", "application/atom+xml; charset=utf-8"),
        ("other.xml", "application/xml"),
        ("index.html", "text/html; charset=utf-8"),
        ("feed.xsl", "text/xsl"),
        ("style.css", "text/css"),
        ("feeds.opml", "text/x-opml; charset=utf-8"),
        ("all.json", "application/json"),
        ("all.ics", "text/calendar"),
        ("pictures/a.jpg", "image/jpeg"),
        ("pictures/a.png", "image/png"),
        ("export.jsonl.gz", "application/octet-stream"),
        ("something", "application/octet-stream"),
    ],
)
def test_each_kind_of_file_has_the_type_that_readers_look_for(
    reader: Reader, folder: Path, name: str, kind: str
) -> None:
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_bytes(b"x")
    status, headers, _ = reader.ask(f"/{name}")
    assert (status, headers["Content-Type"]) == (200, kind)


@pytest.mark.parametrize(("path", "status"), [("/", 200), ("/nothing", 404), ("/channel/", 404)])
def test_every_answer_asks_readers_to_come_again_and_browsers_not_to_guess(
    reader: Reader, path: str, status: int
) -> None:
    answered, headers, _ = reader.ask(path)
    assert answered == status
    assert (headers["Cache-Control"], headers["X-Content-Type-Options"]) == ("no-cache", "nosniff")
    assert headers["Server"] is None


def test_a_folder_is_not_listed(reader: Reader, folder: Path) -> None:
    for path in ("/channel", "/channel/", "/channel/."):
        status, _, body = reader.ask(path)
        assert (status, b"shroud" in body) == (404, False)
    (folder / "index.html").unlink()
    assert reader.status("/") == 404


@pytest.mark.parametrize(
    "path",
    [
        "/../secret.key",
        "/channel/../../secret.key",
        "/%2e%2e/secret.key",
        "/..%2fsecret.key",
        "/channel/..%2f..%2fsecret.key",
        "//secret.key",
        "/%2fetc/passwd",
        "//etc/passwd",
        "/..\\secret.key",
        "/index.html%00",
        "/%00",
        "/" + "x" * 300,
        "/" + "x/" * 3000,
        "/index.html/",
        "/index.html/x",
        "/%ff%fe",
    ],
)
def test_nothing_outside_of_the_folder_and_no_made_up_path_is_served(reader: Reader, path: str) -> None:
    status, headers, body = reader.ask(path)
    assert status == 404
    assert b"hunter2" not in body
    assert headers["Cache-Control"] == "no-cache"
    assert reader.status("/") == 200


def test_what_is_hidden_or_being_written_is_not_served(reader: Reader, folder: Path) -> None:
    for name in (".htpasswd", "channel/.lootwire-abc.tmp", ".git/config"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text("hunter2")
        assert reader.status(f"/{name}") == 404
        assert reader.status(f"/{name}".replace(".", "%2e", 1)) == 404


def test_a_link_out_of_the_folder_leads_nowhere_and_one_within_it_does(reader: Reader, folder: Path) -> None:
    (folder / "key.txt").symlink_to(folder.parent / "secret.key")
    (folder / "up").symlink_to(folder.parent)
    (folder / "twin.html").symlink_to(folder / "index.html")
    (folder / "broken.html").symlink_to(folder / "nothing")
    (folder / "round").symlink_to(folder / "round")
    assert [reader.status(path) for path in ("/key.txt", "/up/secret.key", "/broken.html", "/round")] == [404] * 4
    assert reader.ask("/twin.html")[::2] == (200, PAGE)


def test_a_file_that_becomes_a_link_after_it_was_looked_at_leads_nowhere(folder: Path) -> None:
    published = Published(folder)
    inside, file_status = published.lookup_path("channel/shroud.html")
    assert file_status is not None
    scope = {"type": "http", "method": "GET", "headers": []}
    outside = folder.parent / "elsewhere"
    (folder / "channel").rename(outside)
    for leads_to in (outside, Path("../elsewhere")):
        (folder / "channel").symlink_to(leads_to)
        with pytest.raises(HTTPException, match="404"):
            published.file_response(inside, file_status, scope)
        (folder / "channel").unlink()
    (folder / "index.html").unlink()
    (folder / "index.html").symlink_to(folder.parent / "secret.key")
    with pytest.raises(HTTPException, match="404"):
        published.file_response(os.fspath(folder / "index.html"), file_status, scope)


@pytest.mark.parametrize("instead", ["nothing", "a folder"])
def test_a_link_that_is_replaced_while_it_is_followed_leads_nowhere(
    reader: Reader, folder: Path, monkeypatch: pytest.MonkeyPatch, instead: str
) -> None:
    link, readlink = folder / "latest", os.readlink
    link.symlink_to(folder / "channel")

    def replace_first(path: str, **options: int) -> str:
        if link.is_symlink():
            link.unlink()
            if instead == "a folder":
                link.mkdir()
        return readlink(path, **options)

    monkeypatch.setattr(os, "readlink", replace_first)
    assert reader.status("/latest/shroud.html") == 404


def test_a_published_folder_may_itself_be_a_link(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(folder)
    with served(tmp_path / "link") as address:
        assert Reader(address).status("/all.rss.xml") == 200


def test_what_is_no_file_is_not_served(reader: Reader, folder: Path) -> None:
    os.mkfifo(folder / "pipe")
    assert reader.status("/pipe") == 404


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "CONNECT-TO-ME"])
def test_files_are_only_read(reader: Reader, folder: Path, method: str) -> None:
    status, headers, _ = reader.ask("/index.html", method)
    assert (status, headers["Allow"]) == (405, "GET, HEAD")
    assert (folder / "index.html").read_bytes() == PAGE


def test_head_has_the_headers_of_the_file_and_no_body(reader: Reader) -> None:
    status, headers, body = reader.ask("/all.rss.xml", "HEAD")
    assert (status, headers["Content-Length"], body) == (200, str(len(FEED)), b"")
    assert reader.ask("/nothing", "HEAD")[::2] == (404, b"")


def test_a_reader_that_has_the_file_is_told_so_until_it_changes(reader: Reader, folder: Path) -> None:
    _, first, _ = reader.ask("/all.rss.xml")
    for known in ({"If-None-Match": first["ETag"]}, {"If-Modified-Since": first["Last-Modified"]}):
        status, headers, body = reader.ask("/all.rss.xml", headers=known)
        assert (status, body, headers["Cache-Control"]) == (304, b"", "no-cache")
        assert headers["ETag"] == first["ETag"]
    newer = folder / ".newer"
    newer.write_bytes(b"<rss>new</rss>")
    os.utime(newer, (2_000_000_000, 2_000_000_000))
    newer.replace(folder / "all.rss.xml")
    for known in ({"If-None-Match": first["ETag"]}, {"If-Modified-Since": first["Last-Modified"]}):
        assert reader.ask("/all.rss.xml", headers=known)[::2] == (200, b"<rss>new</rss>")
    assert reader.ask("/all.rss.xml")[1]["Last-Modified"] == formatdate(2_000_000_000, usegmt=True)


@pytest.mark.parametrize("name", ["all.rss.xml", "all.atom.xml"])
def test_a_browser_gets_a_feed_as_xml_and_caches_keep_the_two_answers_apart(
    reader: Reader, folder: Path, name: str
) -> None:
    (folder / name).write_bytes(FEED)
    _, for_reader, _ = reader.ask(f"/{name}")
    status, for_browser, body = reader.ask(f"/{name}", headers={"Accept": FIREFOX})
    assert (status, body, for_browser["Content-Type"]) == (200, FEED, "application/xml; charset=utf-8")
    assert for_reader["Content-Type"] != for_browser["Content-Type"]
    assert (for_reader["Vary"], for_browser["Vary"]) == ("Accept", "Accept")
    assert for_reader["ETag"] != for_browser["ETag"]
    for accept, mine, other in ((FIREFOX, for_browser, for_reader), ("*/*", for_reader, for_browser)):
        status, headers, body = reader.ask(f"/{name}", headers={"Accept": accept, "If-None-Match": mine["ETag"]})
        assert (status, body, headers["ETag"], headers["Vary"]) == (304, b"", mine["ETag"], "Accept")
        known = {"Accept": accept, "If-None-Match": other["ETag"]}
        assert reader.ask(f"/{name}", headers=known)[::2] == (200, FEED)
        part = {"Accept": accept, "Range": "bytes=6-11", "If-Range": mine["ETag"]}
        assert reader.ask(f"/{name}", headers=part)[::2] == (206, FEED[6:12])
        status, headers, _ = reader.ask(f"/{name}", "HEAD", {"Accept": accept})
        assert (status, headers["Content-Type"], headers["ETag"]) == (200, mine["Content-Type"], mine["ETag"])


@pytest.mark.parametrize(
    "accept",
    [
        "*/*",
        "application/rss+xml, application/rdf+xml;q=0.8, application/atom+xml;q=0.6, text/xml;q=0.4, */*;q=0.1",
        "application/xml, application/atom+xml, application/rss+xml, application/feed+json, text/html, */*;q=0.9",
        "text/*;q=0.5",
    ],
)
def test_a_reader_of_feeds_is_no_browser_even_where_it_takes_pages_too(reader: Reader, accept: str) -> None:
    _, headers, _ = reader.ask("/all.rss.xml", headers={"Accept": accept})
    assert headers["Content-Type"] == "application/rss+xml; charset=utf-8"


def test_what_is_no_feed_is_the_same_for_all(reader: Reader, folder: Path) -> None:
    (folder / "feeds.opml").write_bytes(b"<opml/>")
    for name in ("feeds.opml", "index.html"):
        answers = [reader.ask(f"/{name}", headers={"Accept": accept})[1] for accept in ("*/*", FIREFOX)]
        assert answers[0]["Content-Type"] == answers[1]["Content-Type"]
        assert answers[0]["ETag"] == answers[1]["ETag"]
        assert answers[0]["Vary"] is None


def test_a_part_of_a_file_can_be_asked_for(reader: Reader) -> None:
    status, headers, body = reader.ask("/all.rss.xml", headers={"Range": "bytes=6-11"})
    assert (status, body, headers["Content-Range"]) == (206, FEED[6:12], f"bytes 6-11/{len(FEED)}")
    assert headers["Content-Type"] == "application/rss+xml; charset=utf-8"
    assert reader.ask("/all.rss.xml", headers={"Range": "bytes=100000-"})[0] == 416


def test_a_file_that_is_replaced_while_it_is_read_comes_whole_as_it_was(reader: Reader, folder: Path) -> None:
    # More than the buffers of a connection take, so that the server is in the middle of it.
    big = bytes(range(256)) * 4096 * 32
    (folder / "big.bin").write_bytes(big)
    connection = socket.create_connection((reader.host, reader.port), 60)
    with connection:
        connection.sendall(b"GET /big.bin HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        beginning = connection.recv(1000)
        (folder / ".newer").write_bytes(b"short")
        (folder / ".newer").replace(folder / "big.bin")
        with connection.makefile("rb") as rest:
            answer = beginning + rest.read()
    head, _, body = answer.partition(b"\r\n\r\n")
    assert f"content-length: {len(big)}".encode() in head
    assert body == big
    assert reader.ask("/big.bin")[2] == b"short"


def test_no_file_stays_open(reader: Reader) -> None:
    _, headers, _ = reader.ask("/all.rss.xml")
    before = len(list(Path("/dev/fd").iterdir()))
    for _ in range(20):
        reader.ask("/all.rss.xml")
        reader.ask("/all.rss.xml", "HEAD")
        reader.ask("/all.rss.xml", headers={"If-None-Match": headers["ETag"]})
        reader.ask("/all.rss.xml", headers={"Range": "bytes=100000-"})
    # A connection that has just ended may still count.
    assert len(list(Path("/dev/fd").iterdir())) < before + 10


def test_a_folder_that_does_not_exist_yet_is_made_and_one_that_vanishes_is_found_again(tmp_path: Path) -> None:
    folder = tmp_path / "far" / "away"
    with served(folder) as address:
        reader = Reader(address)
        folder.rmdir()
        assert reader.status("/") == 404
        folder.mkdir()
        (folder / "index.html").write_bytes(PAGE)
        assert reader.ask("/")[::2] == (200, PAGE)


def test_an_error_in_one_part_stops_no_other(folder: Path) -> None:
    async def fail(_request: Request) -> None:
        raise ZeroDivisionError

    @contextlib.asynccontextmanager
    async def opened() -> AsyncIterator[Application]:
        yield Application([Route("/api/broken", fail), Mount("/", Published(folder))])

    with answering(opened) as address:
        reader = Reader(address)
        assert reader.status("/api/broken") == 500
        assert reader.status("/") == 200
