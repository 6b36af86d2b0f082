"""Random days on two channels: however messages are lost, late or doubled, each stream is one session, told once."""

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from itertools import count, pairwise

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from models import Event, StreamSession
from pipeline.channels.streams.sessions import LIST_LAG
from tests.examples import examples
from tests.pipeline.channels.ledger import Ledger
from tests.pipeline.channels.observations import at
from tests.pipeline.channels.streaming import Streaming, minutes
from tests.pipeline.channels.truth import AWAY, RUNS, Run, Truth, happening

_numbers = count(1000)
# A list that lags shows a stream for so long after its end.
WRONG_BY = LIST_LAG / timedelta(minutes=1)
LAGS = st.sampled_from([0.0, 1.0, 2.5])


@settings(
    max_examples=examples(300), phases=[Phase.generate, Phase.shrink], suppress_health_check=[HealthCheck.too_slow]
)
@given(ann=RUNS, ben=RUNS, lag=LAGS, away=AWAY)
def test_any_day_ends_in_the_right_sessions(
    ann: list[Run], ben: list[Run], lag: float, away: list[tuple[int, int]]
) -> None:
    truth = happening([("501", ann), ("502", ben)], lag, away)
    ledger = Ledger(since={"501": at(-60), "502": at(-60)})
    for arrival in truth.arrivals:
        before = ledger.sessions.keys()
        ledger.hear(arrival.observation, now=arrival.arrives)
        assert before <= ledger.sessions.keys()

    assert ledger.sessions.keys() == truth.heard_of()
    sessions = {key: (s.channel, *ledger.times[key]) for key, s in ledger.sessions.items()}
    check_times(truth, sessions)


def check_times(truth: Truth, sessions: dict[str, tuple[str, float, float | None]]) -> None:
    """Sessions begin when their streams did, end about when those did, and never overlap."""
    starts, ends = truth.starts(), truth.ends()
    by_channel: dict[str, list[tuple[float, float]]] = {}
    for key, (channel, start, end) in sessions.items():
        assert end is not None
        assert start == starts[key]
        # Without a message or poll of its own, a stream's end looks like that of the stream before it.
        of_others = {run.end for run in truth.on_air if run.key == channel and run.stream_id not in sessions}
        assert start <= end
        assert end <= ends[key] + WRONG_BY or end in of_others
        by_channel.setdefault(channel, []).append((start, end))
    for spans in by_channel.values():
        assert all(end <= start for (_, end), (start, _) in pairwise(sorted(spans)))


@settings(
    max_examples=examples(25),
    phases=[Phase.generate, Phase.shrink],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(runs=RUNS, lag=LAGS, away=AWAY)
def test_any_day_is_told_once_for_each_story(
    engine: Engine, runs: list[Run], lag: float, away: list[tuple[int, int]]
) -> None:
    key = str(next(_numbers))
    # Examples share the database, each with a channel of its own.
    streaming = Streaming(engine)
    streaming.follow(key)
    truth = happening([(key, runs)], lag, away)
    for arrival in truth.arrivals:
        streaming.hear(arrival.observation, now=arrival.arrives)
    streaming.tick(truth.arrivals[-1].arrives + 15)

    rows = [row for row in streaming.rows(StreamSession) if row.stream_id.startswith(f"{key}-")]
    check_times(truth, {row.stream_id: (key, minutes(row.started_at), minutes(row.ended_at)) for row in rows})
    assert {row.stream_id for row in rows} == truth.heard_of()
    stories = {row.id: row for row in rows if row.story_id is None}
    assert {row.story_id for row in rows} - {None} <= stories.keys()
    subjects = [f"twitch:{row.stream_id}" for row in stories.values()]
    assert event_keys(streaming, key) == Counter(
        f"{kind}:{subject}" for subject in subjects for kind in ("stream.online", "stream.offline")
    )
    assert all(row.told_at for row in rows)


def event_keys(streaming: Streaming, key: str) -> Counter[str]:
    """Return the keys of the events of a channel's streams."""
    return Counter(row.event_key for row in streaming.rows(Event) if f":{key}-" in row.event_key)


def test_a_quiet_day_is_as_it_was() -> None:
    """Without loss or delay the ends are exact, which shows that the checks above can fail."""
    runs: Sequence[Run] = [Run("new", 12, 60, ("at once", 1), ("at once", 1))] * 3
    truth = happening([("501", runs)], 0, [])
    ledger = Ledger()
    for arrival in truth.arrivals:
        ledger.hear(arrival.observation, now=arrival.arrives)

    assert {key: end for key, (_, end) in ledger.times.items()} == truth.ends()
