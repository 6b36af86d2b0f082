"""The published folder in a bucket of an S3-compatible service."""

import gzip
import os
import sqlite3
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from feeds.stores.bucket import Access, Bucket, BucketError
from feeds.stores.folder import FolderStore
from feeds.stores.manifest import open_manifest
from feeds.stores.mirror import LARGE, Mirrored, mirror
from feeds.stores.packing import Packing
from tests.feeds.s3 import S3, serving_s3
from tests.processes import free_port

PAGE = b"<!doctype html><title>drops</title>" * 50
GZIP: tuple[Packing, ...] = ("gzip",)
LONG = timedelta(minutes=5)


@pytest.fixture(scope="module")
def server() -> Iterator[S3]:
    with serving_s3() as s3:
        yield s3


@pytest.fixture
def s3(server: S3) -> S3:
    server.begin()
    return server


class Site:
    """A published folder and its mirror."""

    def __init__(self, folder: Path, s3: S3) -> None:
        self.root, self.manifest, self.access = folder / "public", folder / "bucket.sqlite3", s3.access

    def write(self, **files: bytes) -> None:
        with FolderStore(self.root, packings=GZIP) as store:
            for path, data in files.items():
                store.write(path, data)

    def mirror(self, access: Access | None = None, within: timedelta = LONG) -> Mirrored:
        with open_manifest(self.manifest) as manifest:
            return mirror(self.root, Bucket(access or self.access), manifest, within=within)


@pytest.fixture
def site(tmp_path: Path, s3: S3) -> Site:
    return Site(tmp_path, s3)


def test_the_bucket_holds_what_the_folder_holds_and_only_changes_are_uploaded(site: Site, s3: S3) -> None:
    site.write(**{"index.html": PAGE, "games/rust.rss.xml": b"<rss/>", "private/7hk2/all.rss.xml": b"<rss/>"})
    assert site.mirror() == Mirrored(uploaded=4)
    held = s3.files()
    assert {path: held[path] for path in held if not path.endswith(".gz")} == {
        "site/index.html": PAGE,
        "site/games/rust.rss.xml": b"<rss/>",
        "site/private/7hk2/all.rss.xml": b"<rss/>",
    }
    assert gzip.decompress(held["site/index.html.gz"]) == PAGE

    assert site.mirror() == Mirrored()
    site.write(**{"games/rust.rss.xml": b"<rss>a drop</rss>", "all.rss.xml": b"<rss/>"})
    assert site.mirror() == Mirrored(uploaded=2)
    assert s3.files()["site/games/rust.rss.xml"] == b"<rss>a drop</rss>"


def test_a_file_that_was_only_touched_is_not_uploaded(site: Site) -> None:
    site.write(**{"index.html": b"<p>", "all.rss.xml": b"<rss/>"})
    site.mirror()
    os.utime(site.root / "index.html", (1, 1))
    assert site.mirror() == Mirrored()
    # And is not even read the next time.
    (site.root / "index.html").chmod(0)
    assert site.mirror() == Mirrored()


def test_what_is_gone_is_removed_and_what_others_put_into_the_bucket_stays(site: Site, s3: S3) -> None:
    s3.put("site/robots.txt", b"theirs")
    site.write(**{"a.rss.xml": b"<rss/>", "private/7hk2/all.rss.xml": b"<rss/>"})
    site.mirror()
    with FolderStore(site.root) as store:
        store.remove("private/7hk2/all.rss.xml")
    assert site.mirror() == Mirrored(removed=1)
    assert set(s3.files()) == {"site/robots.txt", "site/a.rss.xml"}


def test_a_lost_manifest_costs_uploads_and_leaves_no_private_file_readable(site: Site, s3: S3) -> None:
    site.write(**{"a.rss.xml": b"<rss/>", "private/old/all.rss.xml": b"<rss/>", "private/new/all.rss.xml": b"<rss/>"})
    site.mirror()
    site.manifest.unlink()
    with FolderStore(site.root) as store:
        store.remove("private/old/all.rss.xml")
    assert site.mirror() == Mirrored(uploaded=2, removed=1)
    assert set(s3.files()) == {"site/a.rss.xml", "site/private/new/all.rss.xml"}


def test_a_damaged_manifest_is_begun_anew(site: Site) -> None:
    site.write(**{"a.rss.xml": b"<rss/>"})
    site.mirror()
    site.manifest.write_bytes(b"no database at all" * 1000)
    for beside in ("-wal", "-shm"):
        Path(f"{site.manifest}{beside}").unlink(missing_ok=True)
    assert site.mirror() == Mirrored(uploaded=1)


def test_another_bucket_is_filled_from_the_beginning(site: Site, s3: S3) -> None:
    site.write(**{"a.rss.xml": b"<rss/>"})
    site.mirror()
    other = msgspec.structs.replace(site.access, url=site.access.url.replace("/site", "/elsewhere"))
    assert site.mirror(other) == Mirrored(uploaded=1)
    assert set(s3.files()) == {"site/a.rss.xml", "elsewhere/a.rss.xml"}


@pytest.mark.parametrize(
    ("path", "kind", "caching", "encoding"),
    [
        ("all.rss.xml", "application/rss+xml; charset=utf-8", "public, max-age=60", None),
        ("games/rust.json", "application/feed+json", "public, max-age=300", None),
        ("index.html", "text/html; charset=utf-8", "no-cache", None),
        ("index.html.gz", "text/html; charset=utf-8", "no-cache", "gzip"),
        ("pictures/a.png", "image/png", "public, max-age=86400, stale-while-revalidate=604800", None),
        ("private/7hk2/all.ics", "text/calendar; charset=utf-8", "private, no-cache", None),
    ],
)
def test_each_file_is_stored_with_the_headers_that_it_is_served_with(
    site: Site, s3: S3, path: str, kind: str, caching: str, encoding: str | None
) -> None:
    site.write(**{path.removesuffix(".gz"): PAGE})
    site.mirror()
    headers = s3.head(f"site/{path}")
    assert (headers["Content-Type"], headers["Cache-Control"], headers.get("Content-Encoding")) == (
        kind,
        caching,
        encoding,
    )


def test_hidden_files_and_links_are_not_uploaded(site: Site, s3: S3, tmp_path: Path) -> None:
    site.write(**{"a.rss.xml": b"<rss/>", ".htpasswd": b"secret"})
    (tmp_path / "secret").write_bytes(b"secret")
    (site.root / "b.rss.xml").symlink_to(tmp_path / "secret")
    (site.root / "folder").symlink_to(tmp_path)
    (site.root / ".hidden").mkdir()
    (site.root / ".hidden" / "c").write_bytes(b"secret")
    assert site.mirror() == Mirrored(uploaded=1)
    assert set(s3.files()) == {"site/a.rss.xml"}


def test_a_refused_key_is_told_without_secrets_and_the_next_run_makes_it_good(site: Site, s3: S3) -> None:
    site.write(**{f"private/7hk2/{number}.rss.xml": b"<rss/>" for number in range(30)})
    s3.refuses()
    with pytest.raises(BucketError) as refused:
        site.mirror()
    assert str(refused.value).startswith(f"the bucket {site.access.url}: InvalidAccessKeyId: ")
    assert "hunter2" not in f"{refused.value} {site.access!r} {refused.value.__context__!r}"
    assert "7hk2" not in str(refused.value)

    s3.refuses(after=11)
    with pytest.raises(BucketError):
        site.mirror()
    s3.refuses(after=float("inf"))
    arrived = len(s3.files())
    assert 0 < arrived < 30
    assert site.mirror().uploaded == 30 - arrived
    assert len(s3.files()) == 30


def test_a_bucket_that_is_missing_or_away_is_told_by_its_address(site: Site, s3: S3) -> None:
    site.write(**{"a.rss.xml": b"<rss/>"})
    missing = msgspec.structs.replace(site.access, url=site.access.url.replace("lootwire", "nowhere"))
    with pytest.raises(BucketError, match="/nowhere/site: NoSuchBucket: "):
        site.mirror(missing)
    away = msgspec.structs.replace(site.access, url=f"http://127.0.0.1:{free_port()}/lootwire")
    with pytest.raises(BucketError, match="/lootwire: it does not answer"):
        site.mirror(away)


def test_a_run_without_time_left_says_how_much_is_left_and_removes_nothing(site: Site, s3: S3) -> None:
    site.write(**{"a.rss.xml": b"<rss/>", "b.rss.xml": b"<rss/>"})
    site.mirror()
    (site.root / "a.rss.xml").unlink()
    site.write(**{"c.rss.xml": b"<rss/>"})
    assert site.mirror(within=timedelta(0)) == Mirrored(left=1)
    assert set(s3.files()) == {"site/a.rss.xml", "site/b.rss.xml"}
    assert site.mirror() == Mirrored(uploaded=1, removed=1)


def test_the_manifest_is_its_owners_alone_and_names_digests(site: Site) -> None:
    site.write(**{"a.rss.xml": b"<rss/>"})
    site.mirror()
    assert oct(site.manifest.stat().st_mode)[-3:] == "600"
    with sqlite3.connect(site.manifest) as connection:
        rows = connection.execute("SELECT path, size, length(digest) FROM files").fetchall()
    connection.close()
    assert rows == [("a.rss.xml", 6, 16)]


def test_a_large_file_goes_up_in_parts_before_what_leads_to_it_and_once(site: Site, s3: S3) -> None:
    sound = os.urandom(2 * LARGE + 5)
    site.write(**{"shows/a.rss.xml": b"<rss/>", "shows/a/b-12345678.mp3": sound})

    assert site.mirror() == Mirrored(uploaded=2)

    assert s3.files()["site/shows/a/b-12345678.mp3"] == sound
    assert s3.head("site/shows/a/b-12345678.mp3")["Content-Type"] == "audio/mpeg"
    assert site.mirror() == Mirrored()
