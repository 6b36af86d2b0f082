"""What `lootwire publish` writes goes on to a bucket and to hubs."""

import pytest

from feeds.stores.bucket import Access
from tests.feeds.s3 import serving_s3
from tests.pipeline.cli.operator import Operator
from tests.pipeline.programs.hub import serving_hub
from tests.processes import free_port


def with_bucket(monkeypatch: pytest.MonkeyPatch, access: Access) -> None:
    monkeypatch.setenv("LOOTWIRE_BUCKET_URL", access.url)
    monkeypatch.setenv("LOOTWIRE_BUCKET_KEY_ID", access.key_id)
    monkeypatch.setenv("LOOTWIRE_BUCKET_SECRET_KEY", access.secret_key)


def test_publish_copies_to_the_bucket_and_tells_hubs(operator: Operator, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving_s3() as s3, serving_hub() as hub:
        s3.begin()
        with_bucket(monkeypatch, s3.access)
        monkeypatch.setenv("LOOTWIRE_WEBSUB_HUBS", hub.url)
        monkeypatch.setenv("LOOTWIRE_PUBLISH_COMPRESSED", "gzip")
        published = operator.run("publish")
        assert (published.code, published.errors) == (0, "")
        assert "bucket: " in published.out
        root = operator.folder / "data" / "public"
        files = {f"site/{path.relative_to(root)}": path.read_bytes() for path in root.rglob("*") if path.is_file()}
        assert "site/index.html.gz" in files
        assert s3.files() == files
        assert hub.forget()[0].endswith(".rss.xml")
        assert f'"{hub.url}"'.encode() in files["site/all.rss.xml"]

        again = operator.run("publish")
        assert "bucket: 0 files copied, 0 removed" in again.out
        assert hub.topics == []


def test_publish_says_what_went_wrong_further_on_and_has_published_all_the_same(
    operator: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_bucket(monkeypatch, Access(f"http://127.0.0.1:{free_port()}/drops", "us-east-1", "AKIA", "hunter2"))
    monkeypatch.setenv("LOOTWIRE_WEBSUB_HUBS", f"http://127.0.0.1:{free_port()}/?key=hunter2")
    published = operator.run("publish")
    assert published.code == 3
    bucket, hub = published.errors.splitlines()
    assert bucket.endswith("/drops: it does not answer")
    assert hub == "The hub 127.0.0.1 does not take our pings: 127.0.0.1: no connection"
    assert "hunter2" not in published.errors + published.out
    assert (operator.folder / "data" / "public" / "index.html").is_file()
    troubles = operator.run("status", "--json").lines[0]["troubles"]
    assert {trouble["kind"] for trouble in troubles} == {"operator.publish_failed", "operator.ping_failed"}
    assert not any(trouble["stops_work"] for trouble in troubles)
