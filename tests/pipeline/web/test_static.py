"""The program serves the published folder, and nothing else."""

import contextlib
import gzip
import http.client
import os
import socket
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from email.utils import formatdate
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import zstandard
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.routing import Mount, Route

from feeds.formats import FORMATS
from feeds.serving import FEED_TYPES, content_type
from feeds.stores.folder import FolderStore
from pipeline.web.application import Application
from pipeline.web.static import Published
from tests.pipeline.web.serving import answering

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


def served(folder: Path, *arguments: str, hubs: Sequence[str] = ()) -> contextlib.AbstractContextManager[str]:
    @contextlib.asynccontextmanager
    async def opened() -> AsyncIterator[Application]:
        yield Application([Mount("/", Published(folder, *arguments, hubs=hubs))])

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
        ("style.css", "text/css; charset=utf-8"),
        ("feeds.opml", "text/x-opml; charset=utf-8"),
        ("all.json", "application/feed+json"),
        ("search.json", "application/json"),
        ("page.js", "text/javascript; charset=utf-8"),
        ("favicon.svg", "image/svg+xml"),
        ("all.ics", "text/calendar; charset=utf-8"),
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
def test_every_answer_for_people_asks_them_to_come_again_and_browsers_not_to_guess(
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
        assert (status, body, headers["Cache-Control"]) == (304, b"", "public, max-age=60")
        assert headers["ETag"] == first["ETag"]
    newer = folder / ".newer"
    newer.write_bytes(b"<rss>new</rss>")
    os.utime(newer, (2_000_000_000, 2_000_000_000))
    newer.replace(folder / "all.rss.xml")
    for known in ({"If-None-Match": first["ETag"]}, {"If-Modified-Since": first["Last-Modified"]}):
        assert reader.ask("/all.rss.xml", headers=known)[::2] == (200, b"<rss>new</rss>")
    assert reader.ask("/all.rss.xml")[1]["Last-Modified"] == formatdate(2_000_000_000, usegmt=True)


def test_the_same_bytes_are_the_same_file_after_a_restore(reader: Reader, folder: Path) -> None:
    _, first, _ = reader.ask("/all.rss.xml")
    (folder / "all.rss.xml").unlink()
    (folder / "all.rss.xml").write_bytes(FEED)
    os.utime(folder / "all.rss.xml", (2_000_000_000, 2_000_000_000))
    status, headers, _ = reader.ask("/all.rss.xml", headers={"If-None-Match": first["ETag"]})
    assert (status, headers["ETag"]) == (304, first["ETag"])
    # And other bytes of the same length and time are another file.
    (folder / "all.rss.xml").write_bytes(FEED[::-1])
    os.utime(folder / "all.rss.xml", (2_000_000_000, 2_000_000_000))
    assert reader.ask("/all.rss.xml", headers={"If-None-Match": first["ETag"]})[::2] == (200, FEED[::-1])


@pytest.mark.parametrize(
    ("known", "status"), [('"x", {}', 304), ("W/{}", 304), ("*", 304), ('"x"', 200), ("nonsense", 200), ("", 200)]
)
def test_one_of_several_etags_is_enough(reader: Reader, known: str, status: int) -> None:
    _, first, _ = reader.ask("/all.rss.xml")
    # A date that would say otherwise counts less.
    asked = {"If-None-Match": known.format(first["ETag"]), "If-Modified-Since": formatdate(0, usegmt=True)}
    assert reader.ask("/all.rss.xml", headers=asked)[0] == status


def test_a_date_that_is_none_is_no_condition(reader: Reader) -> None:
    assert reader.ask("/all.rss.xml", headers={"If-Modified-Since": "yesterday"})[0] == 200


@pytest.mark.parametrize(
    ("name", "caching"),
    [
        ("index.html", "no-cache"),
        ("style.css", "no-cache"),
        ("search.json", "no-cache"),
        ("all.rss.xml", "public, max-age=60"),
        ("channels/shroud.atom.xml", "public, max-age=60"),
        ("games/rust.json", "public, max-age=300"),
        ("games/rust.ics", "public, max-age=300"),
        ("games/rust.archive-3.rss.xml", "public, max-age=86400"),
        ("pictures/a.png", "public, max-age=86400, stale-while-revalidate=604800"),
        ("private/7hk2/all.rss.xml", "private, no-cache"),
        ("private/7hk2/all.html", "private, no-cache"),
    ],
)
def test_caches_are_told_by_the_kind_of_file_how_long_it_is_good(
    reader: Reader, folder: Path, name: str, caching: str
) -> None:
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(b"x")
    _, headers, _ = reader.ask(f"/{name}")
    assert headers["Cache-Control"] == caching
    known = {"If-None-Match": headers["ETag"]}
    assert reader.ask(f"/{name}", headers=known)[1]["Cache-Control"] == caching


def test_a_private_address_is_for_no_search_engine_and_leaks_into_no_other_site(reader: Reader, folder: Path) -> None:
    (folder / "private" / "7hk2").mkdir(parents=True)
    (folder / "private" / "7hk2" / "all.html").write_bytes(PAGE)
    for path in ("/private/7hk2/all.html", "/private/nothing", "/private/", "//private/7hk2/all.html"):
        _, headers, _ = reader.ask(path)
        assert (headers["X-Robots-Tag"], headers["Referrer-Policy"]) == ("noindex, nofollow", "no-referrer")
    assert reader.ask("/index.html")[1]["X-Robots-Tag"] is None
    assert reader.status("/private") == reader.status("/private/7hk2") == 404


def test_the_types_of_feeds_are_those_of_their_formats() -> None:
    assert {each.ending: each.media_type for each in FORMATS}.items() <= {
        ending: kind.partition(";")[0] for ending, kind in FEED_TYPES.items()
    }.items()


@pytest.fixture
def packed(folder: Path) -> Path:
    with FolderStore(folder, packings=("gzip", "zstd")) as store:
        store.write("all.rss.xml", FEED + b"<!-- packed -->")
        store.write("index.html", PAGE * 20)
    return folder


@pytest.mark.parametrize(
    ("asked", "packing"),
    [
        ("gzip, deflate, br, zstd", "zstd"),
        ("gzip", "gzip"),
        ("GZIP;q=0.5, br", "gzip"),
        ("gzip;q=1.0, zstd;q=0", "gzip"),
        ("*", "zstd"),
        ("*;q=0, gzip", "gzip"),
        ("gzip;q=nonsense", None),
        ("identity", None),
        ("br", None),
        ("", None),
    ],
)
def test_a_file_that_is_stored_packed_is_sent_so_to_who_takes_it(
    reader: Reader, packed: Path, asked: str, packing: str | None
) -> None:
    unpacking: dict[str | None, Callable[[bytes], bytes]] = {"gzip": gzip.decompress, "zstd": zstandard.decompress}
    unpack = unpacking.get(packing, bytes)
    for name, vary in (("all.rss.xml", "Accept, Accept-Encoding"), ("index.html", "Accept-Encoding")):
        status, headers, body = reader.ask(f"/{name}", headers={"Accept-Encoding": asked})
        assert (status, headers["Content-Encoding"], headers["Vary"]) == (200, packing, vary)
        assert unpack(body) == (packed / name).read_bytes()
        assert headers["Content-Type"] == content_type(name)
        assert int(headers["Content-Length"]) == len(body)
        again = {"Accept-Encoding": asked, "If-None-Match": headers["ETag"]}
        status, unchanged, body = reader.ask(f"/{name}", headers=again)
        assert (status, body, unchanged["ETag"], unchanged["Vary"]) == (304, b"", headers["ETag"], vary)
        head = reader.ask(f"/{name}", "HEAD", {"Accept-Encoding": asked})[1]
        assert (head["Content-Length"], head["ETag"]) == (headers["Content-Length"], headers["ETag"])


def test_each_packing_has_an_etag_of_its_own(reader: Reader, packed: Path) -> None:
    asked = [
        {"Accept-Encoding": packing, "Accept": accept} for packing in ("", "gzip", "zstd") for accept in ("", FIREFOX)
    ]
    assert len({reader.ask("/all.rss.xml", headers=headers)[1]["ETag"] for headers in asked}) == 6


def test_a_part_of_a_file_is_one_of_the_file_as_it_is(reader: Reader, packed: Path) -> None:
    asked = {"Accept-Encoding": "gzip", "Range": "bytes=6-11"}
    status, headers, body = reader.ask("/all.rss.xml", headers=asked)
    assert (status, headers["Content-Encoding"], body) == (206, None, FEED[6:12])


def test_a_packed_file_of_another_version_is_not_sent(reader: Reader, packed: Path) -> None:
    newer = packed / ".newer"
    newer.write_bytes(b"<rss>new</rss>")
    newer.replace(packed / "all.rss.xml")
    (packed / "index.html.zst").unlink()
    (packed / "index.html.zst").symlink_to(packed.parent / "secret.key")
    for name in ("all.rss.xml", "index.html"):
        status, headers, body = reader.ask(f"/{name}", headers={"Accept-Encoding": "zstd"})
        assert (status, headers["Content-Encoding"], body) == (200, None, (packed / name).read_bytes())


def test_a_feed_names_the_hub_that_hears_of_it_and_itself(folder: Path) -> None:
    (folder / "private").mkdir()
    (folder / "private" / "all.rss.xml").write_bytes(FEED)
    (folder / "all.archive-1.rss.xml").write_bytes(FEED)
    (folder / "all.ics").write_bytes(b"BEGIN:VCALENDAR")
    with served(folder, "https://drops.example", hubs=("https://hub.example/",)) as address:
        reader = Reader(address)
        _, headers, _ = reader.ask("/all.rss.xml")
        named = '<https://hub.example/>; rel="hub", <https://drops.example/all.rss.xml>; rel="self"'
        assert headers["Link"] == named
        assert reader.ask("/all.rss.xml", headers={"If-None-Match": headers["ETag"]})[1]["Link"] == named
        for path in ("/", "/all.ics", "/all.archive-1.rss.xml", "/private/all.rss.xml"):
            assert reader.ask(path)[1]["Link"] is None


def test_many_requests_may_come_over_one_connection(reader: Reader) -> None:
    with contextlib.closing(http.client.HTTPConnection(reader.host, reader.port, timeout=60)) as connection:
        etag = ""
        for _ in range(5):
            connection.request("GET", "/all.rss.xml", headers={"If-None-Match": etag})
            answer = connection.getresponse()
            assert (answer.status, answer.read(), answer.version) == (304 if etag else 200, b"" if etag else FEED, 11)
            etag = answer.headers["ETag"]


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


@pytest.mark.parametrize("parts", ["bytes=100000-", "bytes=5-2"])
def test_parts_that_there_are_not_are_refused_with_the_headers_of_every_answer(reader: Reader, parts: str) -> None:
    status, headers, _ = reader.ask("/all.rss.xml", headers={"Range": parts})
    assert status in {400, 416}
    assert headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    "parts", ["items=0-2", "bytes", "bytes=", "bytes=abc", "bytes=0-1;2", "bytes=" + "9" * 5000 + "x"]
)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_parts_that_are_named_in_no_known_way_are_not_asked_for(reader: Reader, method: str, parts: str) -> None:
    status, headers, body = reader.ask("/all.rss.xml", method, {"Range": parts})
    assert (status, headers["Content-Length"]) == (200, str(len(FEED)))
    assert body == (FEED if method == "GET" else b"")


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
