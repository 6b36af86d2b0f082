"""The programs that run, their arguments, and the checks that they do run."""

import socket
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import Engine, insert, select, update

from models import Feed, Heartbeat, Source
from models.errors import LootwireError
from notifiers.hearing import PATIENCE
from pipeline.channels.eventsub.source_row import open_source
from pipeline.embedded import Servers
from pipeline.games.sources.webhooks import NAME
from pipeline.ingest.fetching import due
from pipeline.programs import programs
from pipeline.programs.ports import HOST
from pipeline.programs.sources import register, sources
from pipeline.runtime import heartbeat
from pipeline.runtime.celery_app import QUEUES
from pipeline.runtime.runtime import Runtime, utc_now
from pipeline.runtime.servers import check_broker
from pipeline.runtime.settings import Settings


@pytest.fixture
def runtime(engine: Engine, servers: Servers, tmp_path: Path) -> Iterator[Runtime]:
    url = engine.url.render_as_string(hide_password=False)
    settings = Settings(data_dir=tmp_path / "data", database_url=SecretStr(url), redis_url=SecretStr(servers.redis_url))
    opened = Runtime(settings=settings, database_url=url, redis_url=servers.redis_url)
    yield opened
    opened.engine.dispose()


def test_an_installation_is_a_worker_for_each_kind_of_work_and_one_web_server(runtime: Runtime) -> None:
    workers = ["worker", "fetcher", "sender", "publisher", "sounds"]
    assert [program.name for program in programs.programs(runtime)] == [*workers, "web"]
    assert [program.name for program in programs.programs(runtime, beat=False, web=False)] == workers


def test_every_queue_has_a_worker_of_its_own(runtime: Runtime) -> None:
    queues = {p.name: p.argv[p.argv.index("--queues") + 1] for p in programs.programs(runtime, beat=False, web=False)}
    others = {"sender": "send", "publisher": "publish", "sounds": "sound"}
    assert queues == {"worker": "tick", "fetcher": "fetch", **others}
    assert sorted(queues.values()) == sorted(QUEUES)


def test_what_fetches_sounds_runs_only_while_it_is_wanted(runtime: Runtime) -> None:
    on_demand = {p.name: p.while_there for p in programs.programs(runtime) if p.while_there is not None}
    assert on_demand == {"sounds": str(runtime.settings.data_dir / "sounds" / "wanted")}


def test_the_worker_that_carries_out_ticks_sends_them_where_there_is_a_clock(runtime: Runtime) -> None:
    def clocks(*, beat: bool) -> list[str]:
        return [program.name for program in programs.programs(runtime, beat=beat) if "--beat" in program.argv]

    assert clocks(beat=True) == ["worker"]
    assert clocks(beat=False) == []


def concurrency(runtime: Runtime, **settings: int) -> dict[str, str]:
    listed = programs.programs(replace(runtime, settings=Settings(**settings)), beat=False, web=False)  # type: ignore[arg-type]
    return {p.name: p.argv[p.argv.index("--concurrency") + 1] for p in listed if "--concurrency" in p.argv}


def test_workers_do_as_much_at_once_as_the_settings_say(runtime: Runtime) -> None:
    assert concurrency(runtime) == {"worker": "2", "fetcher": "2", "sounds": "2"}
    chosen = {"workers": 3, "fetchers": 4, "sound_processes": 1}
    assert concurrency(runtime, **chosen) == {"worker": "3", "fetcher": "4", "sounds": "1"}


def test_the_old_name_of_how_much_goes_on_at_once_still_counts(runtime: Runtime) -> None:
    assert concurrency(runtime, worker_processes=7) == {"worker": "7", "fetcher": "7", "sounds": "2"}
    assert concurrency(runtime, worker_processes=7, fetchers=1) == {"worker": "7", "fetcher": "1", "sounds": "2"}


def test_no_password_stands_in_a_command_line(runtime: Runtime) -> None:
    settings = runtime.settings.model_copy(update={"redis_url": SecretStr("redis://:hunter2@there/0")})
    secretive = Runtime(
        settings=settings, database_url="postgresql://me:hunter2@there/x", redis_url="redis://:hunter2@there/0"
    )
    assert "hunter2" not in str([program.argv for program in programs.programs(secretive)])


def test_a_port_that_is_taken_is_told_with_the_setting_that_chooses_another() -> None:
    with socket.socket() as taken:
        taken.bind((HOST, 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(LootwireError, match=f"port {port} on {HOST} cannot be used .*LOOTWIRE_HTTP_PORT"):
            programs.check_port(port)
    programs.check_port(port)


def test_an_address_that_this_machine_has_not_is_told_with_its_setting() -> None:
    for host in ("192.0.2.1", "no.such.host.invalid"):
        with pytest.raises(LootwireError, match=f"LOOTWIRE_HTTP_HOST: .*{host}"):
            programs.check_port(0, host=host)


def test_a_broker_that_answers_is_well_and_one_that_does_not_is_an_error(servers: Servers) -> None:
    check_broker(servers.redis_url)
    with pytest.raises(LootwireError, match=r"the broker does not answer: .*Connection refused.*REDIS_URL") as caught:
        check_broker("redis://:hunter2@127.0.0.1:1/0")
    assert "hunter2" not in str(caught.value)


def test_a_cycle_that_does_not_go_on_ends_with_what_stands_still(runtime: Runtime) -> None:
    # Nothing is due, and no worker runs the other stages.
    now = utc_now()
    with runtime.engine.begin() as connection:
        register(connection, runtime, now)
        connection.execute(update(Source).values(next_due_at=now + timedelta(hours=1), refresh_seconds=3600))
    impatient = [replace(stage, patience=0.3) for stage in programs.STAGES]
    reported: list[str] = []
    with pytest.raises(LootwireError, match="judging the time does not go on; see `lootwire status`"):
        programs.run_cycle(runtime, report=reported.append, stages=impatient)
    assert reported == ["looking into the inbox", "fetching", "judging the time"]


def test_a_cycle_waits_for_the_answer_of_a_target_as_long_as_its_protocol_says() -> None:
    *_, sending = programs.STAGES
    assert "send.due" in sending.hints
    assert min(sending.patience, sending.limit) > PATIENCE.longest


def test_a_feed_that_waits_is_not_settled(runtime: Runtime) -> None:
    assert programs.settled(runtime.engine)
    with runtime.engine.begin() as connection:
        connection.execute(insert(Feed).values(scope="all", path="all", title="Everything"))
    assert not programs.settled(runtime.engine)


def test_a_heartbeat_is_one_row_however_often_it_beats(runtime: Runtime) -> None:
    for _ in range(3):
        heartbeat.beat(runtime.engine, utc_now())
    with runtime.engine.connect() as connection:
        assert len(connection.execute(select(Heartbeat)).all()) == 1


def test_a_callback_that_is_taken_away_leaves_a_source_until_its_webhooks_are_unregistered(runtime: Runtime) -> None:
    update_settings = {"twitch_client_id": "an-id", "twitch_client_secret": SecretStr("a-secret")}
    settings = runtime.settings.model_copy(update=update_settings)
    without = Runtime(settings=settings, database_url=runtime.database_url, redis_url=runtime.redis_url)
    assert NAME not in {source.name for source in sources(without)}

    row = {"name": NAME, "service": "igdb", "next_due_at": utc_now() + timedelta(hours=6)}
    with runtime.engine.begin() as connection:
        connection.execute(insert(Source).values(row | {"cursor": {"callback_url": "https://us.example/eventsub"}}))
    programs.take_up_settings(without)
    with runtime.engine.begin() as connection:
        register(connection, without, utc_now())
        assert NAME in due(connection, utc_now())
        connection.execute(update(Source).values(cursor={}))
    assert NAME not in {source.name for source in sources(without)}
    without.redis.close()
    without.engine.dispose()


def test_without_an_application_nobody_expects_anything_of_eventsub(runtime: Runtime) -> None:
    open_source(runtime.engine, utc_now())
    programs.take_up_settings(runtime)
    with runtime.engine.connect() as connection:
        assert connection.scalar(select(Source.enabled).where(Source.name == "twitch.eventsub")) is False
