"""What is published goes on to a bucket and to hubs by tasks."""

import subprocess
import sys
from collections.abc import Iterator

import pytest

from feeds.write import write_file
from tasks import publish, spread, surroundings
from tests.feeds.s3 import S3, serving_s3
from tests.pipeline.programs.hub import Hub, serving_hub
from tests.tasks.installation import AtWork

TASKS = {"fetch.mirror", "fetch.hubs"}


@pytest.fixture(scope="module")
def server() -> Iterator[S3]:
    with serving_s3() as s3:
        yield s3


@pytest.fixture
def hub() -> Iterator[Hub]:
    with serving_hub() as running:
        yield running


def test_tasks_do_nothing_where_there_is_neither(installation: AtWork) -> None:
    publish.marked()
    assert TASKS.isdisjoint(hint.task for hint in installation.hints())
    spread.mirror()
    spread.hubs()


def test_a_task_copies_to_the_bucket_and_another_tells_hubs_and_both_may_run_twice(
    installation: AtWork, server: S3, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.begin()
    monkeypatch.setenv("LOOTWIRE_BUCKET_URL", server.access.url)
    monkeypatch.setenv("LOOTWIRE_BUCKET_KEY_ID", server.access.key_id)
    monkeypatch.setenv("LOOTWIRE_BUCKET_SECRET_KEY", server.access.secret_key)
    monkeypatch.setenv("LOOTWIRE_WEBSUB_HUBS", hub.url)
    AtWork.reopen()
    publish.marked()
    assert {hint.task for hint in installation.hints()} >= TASKS
    for _ in range(2):
        spread.mirror()
        spread.hubs()
    assert "site/index.html" in server.files()
    assert hub.topics
    assert sorted(hub.topics) == sorted(set(hub.topics))
    write_file(surroundings.runtime().settings.published, "robots.txt", b"User-agent: *")
    spread.mirror()
    assert server.files()["site/robots.txt"] == b"User-agent: *"


def test_a_worker_loads_nothing_of_it_until_it_is_wanted() -> None:
    heavy = {"obstore", "sqlite3", "feeds.stores.mirror", "pipeline.programs.spreading"}
    code = f"import sys, tasks.preload; sys.exit(str({heavy} & set(sys.modules)))"
    completed = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True)
    assert completed.stderr.strip() == "set()"
