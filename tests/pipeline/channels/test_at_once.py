"""Several processes that hear of one stream, or of one channel's campaigns, at the same time."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

from models import Channel, Event, Game, GameExternalId, StreamSession
from pipeline.ingest.fetching import register
from tests.pipeline.builders import campaign, drops
from tests.pipeline.channels.observations import ANN, GAMES, ORBIT, at, info, live, offline, polled, stream, updated
from tests.pipeline.channels.streaming import Streaming
from tests.pipeline.world import SOURCES
from tests.pipeline.world import take_in as ingest

ROUNDS = 8


def at_once(*jobs: Callable[[int], object]) -> None:
    """Let jobs run at the same time, round after round; each is given the number of the round."""
    gate = Barrier(len(jobs), timeout=60)

    def repeat(job: Callable[[int], object]) -> None:
        for number in range(ROUNDS):
            gate.wait()
            job(number)

    with ThreadPoolExecutor(len(jobs)) as pool:
        for done in [pool.submit(repeat, job) for job in jobs]:
            done.result()


def test_two_that_hear_of_one_stream_make_one_session_and_tell_once(streaming: Streaming) -> None:
    def message(number: int) -> None:
        start = number * 60
        streaming.hear(live(start, f"s{number}", info=info(playing=ORBIT)), now=start + 1)
        streaming.hear(offline(start + 30), now=start + 31)

    def poll(number: int) -> None:
        start = number * 60
        streaming.hear(polled(start + 1, stream(stream_id=f"s{number}", start=start, playing=ORBIT)))

    at_once(message, message, poll)

    sessions = streaming.rows(StreamSession)
    assert [row.stream_id for row in sessions] == [f"s{number}" for number in range(ROUNDS)]
    streaming.tick(ROUNDS * 60 + 60)
    assert {kind: streaming.kinds().count(kind) for kind in set(streaming.kinds())} == {
        "stream.online": ROUNDS,
        "stream.offline": ROUNDS,
    }
    assert (streaming.count(Game), streaming.count(Channel)) == (1, 1)


def test_messages_polls_the_clock_and_campaigns_never_wait_for_each_other_in_a_circle(streaming: Streaming) -> None:
    """All of them write channels, games, events and marks on feeds, each in an order of its own."""
    keys = [str(500 + number) for number in range(30)]
    streaming.follow(*[key for key in keys if key != ANN])
    with streaming.engine.begin() as connection:
        register(connection, SOURCES, at(0))

    def campaigns(number: int) -> None:
        channels = [{"id": key, "name": f"keeper{key}-{number}"} for key in reversed(keys)]
        listed = [campaign(f"{number}-{game}", game_id=game, channels=channels) for game in GAMES]
        with streaming.engine.begin() as connection:
            ingest(connection, drops(*listed), at(number), silent=False)

    def messages(number: int) -> None:
        for key in keys[::3]:
            streaming.hear(live(number, f"{key}-{number}", key=key, info=info(f"Title {number}", ORBIT, key)))
            streaming.hear(updated(number + 0.5, f"Other title {number}", key=key))

    def poll(number: int) -> None:
        streams = [stream(key, f"{key}-{number}", number) for key in keys]
        streaming.hear(polled(number + 0.7, *streams, channels=keys))

    def clock(number: int) -> None:
        streaming.tick(number)

    at_once(campaigns, messages, poll, clock)

    assert streaming.count(GameExternalId) == len(GAMES)
    listed = [row for row in streaming.rows(StreamSession) if row.ended_at is None]
    assert len(listed) == len(keys)
    starts = {row.channel_id: row.started_at for row in listed}
    assert set(starts.values()) == {at(ROUNDS - 1)}
    assert {row.recorded_at >= row.occurred_at - timedelta(days=1) for row in streaming.rows(Event)} == {True}
