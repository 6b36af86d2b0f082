"""A real worker on a real broker: from one hint to messages and feeds."""

from celery.contrib.testing.worker import start_worker

from models import Delivery, Feed, FetchRun
from pipeline.celery_app import QUEUES, hint
from pipeline.demo.services import DemoServices
from pipeline.demo.sinks import WebhookSink
from pipeline.service import settled
from tests.tasks.installation import Installation
from tests.waiting import wait_for


def test_one_hint_is_enough_for_events_messages_and_feeds(
    installation: Installation, services: DemoServices, hook: WebhookSink
) -> None:
    installation.subscribe(hook)
    with start_worker(
        installation.app,
        pool="threads",
        concurrency=2,
        perform_ping_check=False,
        queues=list(QUEUES),
        shutdown_timeout=20,
    ):
        hint(installation.app, "tick.fetch_due")
        wait_for(
            lambda: installation.count(FetchRun) == 4 and installation.count(Feed) and settled(installation.engine)
        )
        services.advance()
        installation.make_due("twitch.drops")
        hint(installation.app, "tick.fetch_due")
        wait_for(lambda: installation.count(Delivery) and settled(installation.engine))
    assert hook.messages
    assert (installation.runtime.settings.published / "all.rss.xml").exists()
