"""Sending and publishing as tasks: running them twice sends and writes once."""

from pathlib import Path

from sqlalchemy import update

from models import Delivery, Feed
from pipeline.demo.services import DemoServices
from pipeline.demo.sinks import WebhookSink
from tasks import fetch, publish, send, ticks
from tests.tasks.installation import AtWork


def make_news(installation: AtWork, services: DemoServices) -> None:
    """Let a service list something new, after a first answer that notifies nobody."""
    ticks.fetch_due()
    fetch.source("twitch.drops")
    services.advance()
    installation.make_due("twitch.drops")
    fetch.source("twitch.drops")


def published(installation: AtWork) -> dict[Path, tuple[int, int]]:
    files = [path for path in installation.runtime.settings.published.rglob("*") if path.is_file()]
    return {path: (path.stat().st_ino, path.stat().st_mtime_ns) for path in files}


def test_sending_twice_sends_once(installation: AtWork, services: DemoServices, hook: WebhookSink) -> None:
    installation.subscribe(hook)
    make_news(installation, services)
    send.due()
    sent = len(hook.messages)
    send.due()
    assert sent == len(hook.messages)
    assert sent > 0
    assert installation.count(Delivery, Delivery.state != "sent") == 0


def test_a_refused_message_waits_for_its_time(installation: AtWork, services: DemoServices, hook: WebhookSink) -> None:
    installation.subscribe(hook)
    make_news(installation, services)
    hook.fail_next(1)
    send.due()
    assert len(hook.refused) == 1
    waiting = installation.count(Delivery, Delivery.state == "pending")
    assert waiting > 0
    send.due()
    assert len(hook.refused) == 1
    assert installation.count(Delivery, Delivery.state == "pending") == waiting


def test_a_message_is_in_the_words_of_the_data_directory(
    installation: AtWork, services: DemoServices, hook: WebhookSink
) -> None:
    templates = installation.runtime.settings.data_dir / "templates"
    templates.mkdir()
    for name in ("any.txt.j2", "several.txt.j2"):
        (templates / name).write_text("{{ events|length }} in my own words")
    installation.subscribe(hook)
    make_news(installation, services)
    send.due()
    assert hook.messages
    assert all(each.json["message"] == f"{len(each.json['events'])} in my own words" for each in hook.messages)


def test_publishing_twice_writes_once(installation: AtWork, services: DemoServices) -> None:
    make_news(installation, services)
    publish.marked()
    files = published(installation)
    publish.marked()
    assert published(installation) == files
    assert installation.count(Feed, Feed.version != Feed.written_version) == 0
    assert installation.runtime.settings.published / "index.html" in files


def test_a_feed_that_is_marked_but_would_not_change_is_not_written(
    installation: AtWork, services: DemoServices
) -> None:
    make_news(installation, services)
    publish.marked()
    files = published(installation)
    with installation.engine.begin() as connection:
        connection.execute(update(Feed).values(version=Feed.version + 1))
    publish.marked()
    feeds = {path: stamp for path, stamp in files.items() if path.name.endswith(".xml")}
    assert feeds.items() <= published(installation).items()
    assert installation.count(Feed, Feed.version != Feed.written_version) == 0
