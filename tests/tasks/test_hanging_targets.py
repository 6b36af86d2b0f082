"""The real programs with targets that take a message and never answer."""

import pytest
from sqlalchemy import select

from models import Delivery
from pipeline.demo.sinks import WebhookSink
from pipeline.programs.programs import running_workers
from pipeline.runtime.celery_app import hint
from pipeline.runtime.heartbeat import last_beat
from pipeline.runtime.runtime import utc_now
from tests.silent import silent_server
from tests.tasks.installation import AtWork
from tests.waiting import wait_for

pytestmark = pytest.mark.long


def test_fifty_targets_that_hang_delay_neither_ticks_nor_a_healthy_one(installation: AtWork, hook: WebhookSink) -> None:
    with running_workers(installation.runtime), silent_server() as (url, taken):
        for number in range(50):
            installation.add_target(url, f"hang {number}")
        installation.append_event("first")
        hint(installation.app, "send.due")
        wait_for(lambda: len(taken) == 50)
        installation.subscribe(hook)
        installation.append_event("second")
        hint(installation.app, "send.due")
        wait_for(lambda: hook.messages)
        began = utc_now()
        hint(installation.app, "tick.heartbeat")
        wait_for(lambda: (last_beat(installation.engine) or began) > began)
        # What hung has failed by now, and is written down before the programs end.
    with installation.engine.connect() as connection:
        states = set(connection.scalars(select(Delivery.state)))
    assert "sending" not in states
