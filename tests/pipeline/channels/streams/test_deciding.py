"""What observations mean, case by case: times are minutes after noon."""

from collections.abc import Sequence
from itertools import permutations

import pytest

from pipeline.channels.streams.observations import Observation
from tests.pipeline.channels.ledger import GAME_IDS, Ledger
from tests.pipeline.channels.observations import (
    ANN,
    LIGHTS,
    ORBIT,
    RUNNER,
    at,
    info,
    live,
    offline,
    polled,
    stream,
    updated,
)

Times = dict[str, tuple[float, float | None]]
ON = stream()

HISTORIES: dict[str, tuple[Sequence[Observation], Times]] = {
    "EventSub tells all": ((live(0), offline(60)), {"s1": (0, 60)}),
    "only polls tell": (
        (polled(5, ON), polled(10, ON), polled(15), polled(20)),
        {"s1": (0, 10)},
    ),
    "the online message is lost": ((polled(5, ON), offline(8)), {"s1": (0, 8)}),
    "the offline message is lost": ((live(0), polled(5, ON), polled(10), polled(15)), {"s1": (0, 5)}),
    "polls each minute": ((polled(5, ON), polled(6), polled(7)), {"s1": (0, 5)}),
    "polls each minute missed it and it is back": (
        (polled(5, ON), polled(6), polled(7), polled(7.5, ON)),
        {"s1": (0, None)},
    ),
    "a round is taken in after a later one": (
        (polled(10, ON), polled(5, ON), polled(15), polled(8), polled(20)),
        {"s1": (0, 10)},
    ),
    "one absence is none": ((polled(5, ON), polled(10), polled(15, ON), polled(20)), {"s1": (0, None)}),
    "messages are doubled, with other ids and later times": (
        (live(0), live(0.2, start=0), offline(60), offline(60.2)),
        {"s1": (0, 60)},
    ),
    "the online message comes again after the stream": (
        (live(0), offline(60), live(0.5, start=0)),
        {"s1": (0, 60)},
    ),
    "polls lag behind the start": (
        (live(0), polled(1), polled(2), polled(2.9), polled(4, ON)),
        {"s1": (0, None)},
    ),
    "a stream that no poll ever lists ends where it was last known live": (
        (live(0), polled(5), polled(10)),
        {"s1": (0, 0)},
    ),
    "polls lag behind the end": (
        (live(0), polled(5, ON), offline(9), polled(10, ON), polled(11, ON)),
        {"s1": (0, 9)},
    ),
    "a listing long after the end means that it is back": (
        (live(0), offline(9), polled(15, ON)),
        {"s1": (0, None)},
    ),
    "the same stream is back": ((live(0), offline(10), live(12, start=0)), {"s1": (0, None)}),
    "the same stream is back after an hour": (
        (live(0), polled(5, ON), polled(10), polled(15), polled(70, ON)),
        {"s1": (0, None)},
    ),
    "the offline message of a flap comes after the next online message": (
        (live(0), live(12, start=0), offline(10)),
        {"s1": (0, None)},
    ),
    "the offline message comes a little after a poll that did not know yet": (
        (live(0), polled(5, ON), polled(10, ON), offline(9)),
        {"s1": (0, 9)},
    ),
    "the offline message comes long after polls have shown the stream again": (
        (live(0), polled(5, ON), polled(10, ON), polled(15, ON), offline(9)),
        {"s1": (0, None)},
    ),
    "the offline message comes when absences have ended the stream": (
        (polled(5, ON), polled(10), polled(15), offline(8)),
        {"s1": (0, 8)},
    ),
    "the offline message comes when the next stream has begun": (
        (polled(5, ON), polled(10), polled(15), live(30, "s2"), offline(8)),
        {"s1": (0, 8), "s2": (30, None)},
    ),
    "an offline message much later is another stream's": (
        (polled(5, ON), polled(10), polled(15), offline(200)),
        {"s1": (0, 5)},
    ),
    "an offline message of a stream that nobody knows": ((offline(5), polled(10)), {}),
    "a new stream while the old one is open": (
        (live(0), polled(5, ON), live(30, "s2")),
        {"s1": (0, 5), "s2": (30, None)},
    ),
    "a new stream that began before the old one was last listed": (
        (polled(10, ON), polled(15, stream(stream_id="s2", start=8))),
        {"s1": (0, 8), "s2": (8, None)},
    ),
    "a lagging list shows the stream before": (
        (live(0), offline(10), live(11, "s2"), polled(12, ON), polled(14, ON)),
        {"s1": (0, 10), "s2": (11, None)},
    ),
    "the message of an older stream comes late": (
        (live(30, "s2"), live(0)),
        {"s1": (0, 0), "s2": (30, None)},
    ),
    "the offline message of an older stream comes late": (
        (live(0), live(30, "s2"), offline(20)),
        {"s1": (0, 0), "s2": (30, None)},
    ),
    "the online message comes after the offline message, which was taken for the stream before": (
        (live(0), polled(5, ON), offline(40), live(30, "s2")),
        {"s1": (0, 5), "s2": (30, 40)},
    ),
    "a marathon": (
        (live(0), *(polled(5 + 60 * hour, ON) for hour in range(24 * 5)), offline(7200)),
        {"s1": (0, 7200)},
    ),
    "a page repeats a row, and shows an old one": (
        (polled(30, stream(stream_id="s2", start=20), ON, stream(stream_id="s2", start=20)),),
        {"s2": (20, None)},
    ),
    "a page shows an old row first": ((polled(30, ON, stream(stream_id="s2", start=20)),), {"s2": (20, None)}),
    "the network is away for an hour and the stream goes on": (
        (live(0), polled(5, ON), polled(65, ON)),
        {"s1": (0, None)},
    ),
    "the network is away for an hour in which the stream ends": (
        (live(0), polled(5, ON), polled(65), polled(70)),
        {"s1": (0, 5)},
    ),
    "the network is away for an hour in which another stream begins": (
        (live(0), polled(5, ON), polled(65, stream(stream_id="s2", start=40))),
        {"s1": (0, 5), "s2": (40, None)},
    ),
}


@pytest.mark.parametrize(("observations", "times"), HISTORIES.values(), ids=HISTORIES.keys())
def test_a_history_told_one_by_one(observations: Sequence[Observation], times: Times) -> None:
    ledger = Ledger()
    for observation in observations:
        # Messages that come late are taken in after what is newer.
        ledger.hear(observation, now=8000)

    assert ledger.times == times


@pytest.mark.parametrize(
    "observations",
    [(live(0), offline(10)), (live(0), offline(10), live(12, start=0)), (live(0), updated(5, "New"), offline(10))],
    ids=str,
)
def test_what_comes_at_once_may_come_in_any_order(observations: Sequence[Observation]) -> None:
    ledgers = []
    for order in permutations(observations):
        ledger = Ledger()
        ledger.hear(*order)
        ledgers.append((ledger.times, ledger.announced, ledger.parts()))

    assert all(ledger == ledgers[0] for ledger in ledgers)


def test_a_crash_and_restart_of_the_show_is_one_story_and_told_once() -> None:
    ledger = Ledger()
    ledger.hear(live(0), offline(60))
    ledger.hear(live(69, "s2"), offline(80))
    ledger.hear(live(89, "s3"))

    assert ledger.stories == {"s1": "s1", "s2": "s1", "s3": "s1"}
    assert [ledger.sessions[key].story_id for key in ("s1", "s2", "s3")] == [None, 1, 1]
    assert ledger.announced == ["online s1"]


def test_a_stream_after_the_flap_time_or_after_the_end_was_told_is_another_story() -> None:
    late, ended = Ledger(), Ledger()
    late.hear(live(0), offline(60), live(71, "s2"))
    ended.hear(live(0), offline(60))
    ended.tell()
    ended.hear(live(69, "s2"))

    assert late.stories == ended.stories == {"s1": "s1", "s2": "s2"}
    assert late.announced == ended.announced == ["online s1", "online s2"]


def test_a_restart_that_only_polls_saw_is_one_story() -> None:
    ledger = Ledger()
    ledger.hear(polled(5, ON))
    ledger.hear(polled(10, stream(stream_id="s2", start=9)))

    assert (ledger.times, ledger.stories["s2"]) == ({"s1": (0, 5), "s2": (9, None)}, "s1")


def test_what_was_live_before_anybody_followed_the_channel_is_silent_and_so_is_the_rest_of_its_story() -> None:
    ledger = Ledger(since={ANN: at(3)})
    ledger.hear(polled(5, ON), offline(10), live(12, "s2"), offline(20), live(40, "s3"))

    assert {key: session.silent for key, session in ledger.sessions.items()} == {"s1": True, "s2": True, "s3": False}


def test_streams_of_channels_that_nobody_watches_are_left_out() -> None:
    ledger = Ledger(since={})
    ledger.hear(live(0), polled(5, ON), offline(10))

    assert (ledger.sessions, ledger.news) == ({}, [])


def test_a_stream_is_recorded_for_its_category_and_stays_when_it_plays_something_else() -> None:
    ledger = Ledger(since={}, categories={GAME_IDS[LIGHTS]: at(-60)})
    ledger.hear(polled(5, ON, stream("502", "s2", playing=RUNNER), channels=()))
    ledger.hear(polled(20, stream(playing=ORBIT)))

    assert ledger.times == {"s1": (0, None)}
    assert ledger.announced == ["online s1", "category_changed s1"]


def test_titles_and_categories_make_parts_and_the_first_of_them_is_no_change() -> None:
    ledger = Ledger()
    ledger.hear(live(0))
    ledger.hear(updated(1, "Lamps", playing=None))
    ledger.hear(polled(2, ON))
    ledger.hear(updated(10, "Boats"))
    ledger.hear(updated(20, "Boats", playing=RUNNER))
    ledger.hear(updated(30, "Boats", playing=RUNNER))

    assert ledger.parts() == [(0, "Lamps", 1), (10, "Boats", 1), (20, "Boats", 2)]
    assert ledger.announced == ["online s1", "title_changed s1", "category_changed s1"]
    assert [(news.old, news.new) for news in ledger.news[1:]] == [("Lamps", "Boats"), (1, 2)]


def test_a_lagging_list_does_not_bring_an_old_title_back() -> None:
    ledger = Ledger()
    ledger.hear(live(0, info=info("Lamps")))
    ledger.hear(updated(10, "Boats"))
    ledger.hear(polled(11, stream(title="Lamps")))
    ledger.hear(polled(16, stream(title="Boats")))

    assert ledger.parts() == [(0, "Lamps", 1), (10, "Boats", 1)]
    assert [snapshot.info.title for snapshot in ledger.snapshots] == ["Lamps", "Boats"]


def test_a_message_older_than_the_title_that_is_known_changes_nothing() -> None:
    ledger = Ledger()
    ledger.hear(live(0, info=info("Lamps")))
    ledger.hear(updated(20, "Boats"))
    ledger.hear(updated(10, "Nets"), now=25)

    assert [part[:2] for part in ledger.parts()] == [(0, "Lamps"), (20, "Boats")]


def test_a_category_that_is_first_known_when_the_title_changes_is_no_change() -> None:
    ledger = Ledger()
    ledger.hear(live(0, info=info("Lamps", playing=None)))
    ledger.hear(updated(10, "Boats", playing=LIGHTS))

    assert ledger.parts() == [(0, "Lamps", None), (10, "Boats", 1)]
    assert ledger.announced == ["online s1", "title_changed s1"]


def test_what_a_channel_said_before_its_stream_fills_in_what_nobody_told() -> None:
    ledger = Ledger()
    ledger.hear(live(10))
    ledger.hear(updated(5, "Boats"), now=11)
    ledger.hear(updated(4, "Nets"), now=12)

    assert (ledger.parts(), ledger.announced) == ([(10, "Boats", 1)], ["online s1"])


def test_a_stream_that_is_told_when_the_next_one_is_on_is_silent() -> None:
    ledger = Ledger()
    ledger.hear(live(30, "s2"))
    ledger.hear(live(0, info=info("Lamps")), now=31)

    assert (ledger.sessions["s1"].silent, ledger.sessions["s2"].silent) == (True, False)
    assert (ledger.announced, ledger.parts("s1")) == (["online s2", "online s1"], [(0, "Lamps", 1)])


def test_a_channel_that_changes_while_it_is_offline_makes_nothing() -> None:
    ledger = Ledger()
    ledger.hear(updated(0, "Soon"))
    ledger.hear(live(10), offline(20))
    ledger.hear(updated(30, "Later"))

    assert (ledger.parts(), ledger.announced) == ([(10, None, None)], ["online s1"])


def test_what_the_list_says_of_the_stream_before_is_not_taken_for_the_new_one() -> None:
    ledger = Ledger()
    ledger.hear(live(0, "s2", info=stream(stream_id="s1", start=-60, title="Yesterday's")))

    assert ledger.sessions["s2"].title is None
    assert ledger.snapshots == []


def crowd(minutes: float, size: int, *, of: int = 20) -> Observation:
    """A round over so many channels of which only the first ones are live."""
    keys = [str(600 + number) for number in range(of)]
    return polled(minutes, *(stream(key, f"s{key}") for key in keys[:size]), channels=keys)


def test_a_round_in_which_many_are_gone_at_once_is_suspect_and_three_absences_are_needed() -> None:
    ledger = Ledger(since={str(600 + number): at(-60) for number in range(20)})
    open_after = []
    for minutes, size in ((5, 20), (10, 13), (15, 13), (20, 13), (25, 8), (30, 8)):
        ledger.hear(crowd(minutes, size))
        open_after.append(sum(session.open for session in ledger.sessions.values()))

    # That seven of twenty are gone is believed at the third round; five of thirteen are not many.
    assert open_after == [20, 20, 20, 13, 13, 8]


def test_a_clock_that_jumps_back_makes_no_negative_time_and_no_stuck_stream() -> None:
    ledger = Ledger()
    ledger.hear(live(0), now=0)
    ledger.hear(polled(65, ON), now=65)
    ledger.hear(polled(10, ON), now=10)
    ledger.hear(offline(12), now=12)

    assert ledger.times == {"s1": (0, 12)}


def test_a_clock_that_stands_still_ends_nothing_and_doubles_nothing() -> None:
    ledger = Ledger()
    ledger.hear(polled(5, ON))
    for _ in range(5):
        ledger.hear(polled(5))
    ledger.hear(polled(5, ON))

    assert ledger.times == {"s1": (0, None)}


def test_a_clock_that_is_behind_twitch_puts_no_end_before_a_start() -> None:
    ledger = Ledger()
    ledger.hear(polled(-60, ON), now=-60)
    ledger.hear(polled(-55), now=-55)
    ledger.hear(polled(3), now=3)
    ledger.hear(polled(4), now=4)

    assert ledger.times == {"s1": (0, 0)}
    assert ledger.sessions["s1"].last_seen_at == at(0)


@pytest.mark.parametrize("kind", ["rerun", "playlist", "watch_party", "premiere", "a_kind_of_tomorrow"])
def test_what_is_no_live_stream_is_told_as_such_and_its_titles_are_no_news(kind: str) -> None:
    ledger = Ledger()
    ledger.hear(live(0, type=kind, info=info("Lamps")))
    ledger.hear(updated(10, "Boats", playing=RUNNER))
    ledger.hear(offline(60))

    assert ledger.announced == ["rerun s1"]
    assert ledger.sessions["s1"].kind == kind
    assert ledger.parts() == [(0, "Lamps", 1), (10, "Boats", 2)]


@pytest.mark.parametrize("listed", ["live", None])
def test_a_list_that_calls_a_rerun_live_or_says_nothing_takes_nothing_back(listed: str | None) -> None:
    ledger = Ledger()
    ledger.hear(live(0, type="rerun", info=stream(type=listed)))
    for minutes in (5, 10, 15):
        ledger.hear(polled(minutes, stream(type=listed)))

    assert ledger.announced == ["rerun s1"]
    assert not ledger.sessions["s1"].is_live_stream


@pytest.mark.parametrize(
    "observations",
    [
        pytest.param([live(0, type="rerun"), live(9, start=0, type="live")], id="EventSub says live after a rerun"),
        pytest.param([polled(5, stream(type="rerun")), polled(9, stream(type="live"))], id="the list changes"),
        pytest.param(
            [live(0, type="rerun"), polled(5, stream(type="rerun")), polled(9, stream(type="live"))],
            id="the list knew of the rerun",
        ),
        pytest.param([polled(5, stream(type="rerun")), live(9, start=0, type="live")], id="EventSub knows better"),
    ],
)
def test_a_rerun_that_is_a_live_stream_now_is_told_when_it_is(observations: Sequence[Observation]) -> None:
    ledger = Ledger()
    for observation in observations:
        ledger.hear(observation)

    assert ledger.announced == ["rerun s1", "online s1"]
    assert ledger.news[1].at == at(9)


def test_an_empty_type_keeps_what_is_known_and_of_a_new_stream_means_that_it_is_live() -> None:
    ledger = Ledger()
    ledger.hear(polled(5, stream(type="rerun")))
    ledger.hear(polled(10, stream(type=None), stream("502", "s2", type=None)))

    assert ledger.announced == ["rerun s1"]
    assert Ledger(since={ANN: at(-60)}).announced == []
    unknown = Ledger()
    unknown.hear(polled(5, stream(type=None)))
    unknown.hear(live(6, start=0))
    assert unknown.announced == ["online s1"]


def test_a_rerun_after_a_live_stream_is_a_story_of_its_own_and_so_is_a_live_stream_after_a_rerun() -> None:
    ledger = Ledger()
    ledger.hear(live(0, type="live"), offline(60))
    ledger.hear(live(61, "s2", type="rerun"), offline(70))
    ledger.hear(live(71, "s3", type="rerun"), offline(80))
    ledger.hear(live(81, "s4", type="live"))

    assert ledger.stories == {"s1": "s1", "s2": "s2", "s3": "s2", "s4": "s4"}
    assert ledger.announced == ["online s1", "rerun s2", "online s4"]
