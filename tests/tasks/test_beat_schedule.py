"""The timetable: it names what exists, and its messages do not pile up."""

import pytest

from beat_schedule import BEAT_SCHEDULE
from pipeline.programs import programs
from pipeline.runtime.celery_app import QUEUES
from pipeline.runtime.settings import Settings
from tasks import eventsub, fetch, inbox, library, operating, pictures, publish, roms, rules, send, sound, spread, ticks
from tasks.beat import schedule_for
from tests.tasks.installation import AtWork

# Importing a module of tasks is what registers them.
MODULES = (eventsub, fetch, inbox, library, operating, pictures, publish, roms, rules, send, sound, spread, ticks)
ENTRIES = [pytest.param(entry, id=str(entry["task"])) for entry in BEAT_SCHEDULE.values()]


@pytest.mark.parametrize("entry", ENTRIES)
def test_a_tick_that_waited_longer_than_its_period_is_dropped(entry: dict[str, object]) -> None:
    assert entry["options"] == {"expires": entry["schedule"]}


def test_each_tick_names_a_task_that_exists(installation: AtWork) -> None:
    installation.app.finalize()
    assert {entry["task"] for entry in BEAT_SCHEDULE.values()} <= installation.app.tasks.keys()


def test_each_task_goes_to_a_queue_that_a_worker_reads(installation: AtWork) -> None:
    installation.app.finalize()
    ours = [name for name in installation.app.tasks if not name.startswith("celery.")]
    routed = {installation.app.amqp.router.route({}, name)["queue"].name for name in ours}
    workers = [list(program.argv) for program in programs.programs(installation.runtime) if "--queues" in program.argv]
    read = {queue for argv in workers for queue in argv[argv.index("--queues") + 1].split(",")}
    assert routed == read == set(QUEUES)


@pytest.mark.parametrize(
    ("settings", "added"),
    [
        ({}, set()),
        ({"local_pictures": True}, {"fetch.pictures"}),
        ({"apply_rules": True}, {"fetch.rules"}),
        ({"websub_hubs": ["https://hub.example"]}, {"fetch.hubs"}),
        ({"bucket_url": "https://s3.example/b", "bucket_key_id": "a", "bucket_secret_key": "b"}, {"fetch.mirror"}),
        ({"twitch_client_id": "an-application"}, set()),
        ({"twitch_client_id": "an-application", "twitch_client_secret": "a-secret"}, {"tick.eventsub"}),
    ],
)
def test_beat_sends_no_tick_for_what_the_settings_leave_off(settings: dict[str, object], added: set[str]) -> None:
    on_demand = {"fetch.pictures", "fetch.rules", "fetch.hubs", "fetch.mirror", "tick.eventsub"}
    sent = {entry["task"] for entry in schedule_for(Settings.model_validate(settings)).values()}
    assert sent == {entry["task"] for entry in BEAT_SCHEDULE.values()} - on_demand | added
