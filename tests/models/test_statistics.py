"""Statistics of a channel's streams."""

from datetime import timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine

from models.details import CategoryTime, StreamRecap
from models.statistics import (
    By,
    Counted,
    HourTotals,
    Part,
    Totals,
    by_hour,
    by_weekday,
    load_categories,
    load_hours,
    load_parts,
    load_recap,
    load_stories,
    load_top,
    load_totals,
    load_viewers,
)
from tests.channels import NOON, Channels

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def channels(engine: Engine) -> Channels:
    return Channels(engine)


def recap(channels: Channels, session_id: int) -> StreamRecap:
    with channels.engine.connect() as connection:
        loaded = load_recap(connection, session_id)
    assert loaded is not None
    return loaded


def totals(channels: Channels, channel_id: int, since: timedelta = 30 * DAY, until: timedelta = -30 * DAY) -> Totals:
    """Return the totals between two times, both given by their distance before noon."""
    with channels.engine.connect() as connection:
        return load_totals(connection, [channel_id], NOON - since, NOON - until).get(channel_id, Totals())


def on_air(channels: Channels, channel_id: int, zone: str = "UTC") -> list[HourTotals]:
    with channels.engine.connect() as connection:
        return load_hours(connection, [channel_id], NOON - 30 * DAY, zone=zone).get(channel_id, [])


def test_a_recap_tells_time_on_air_viewers_and_time_per_category(channels: Channels) -> None:
    gloom, moss = channels.game("Gloomtide"), channels.game("Moss Runner")
    session_id = channels.stream(
        channels.channel(),
        NOON,
        60,
        games=[(0, gloom), (40, moss), (50, gloom)],
        viewers=[(0, 100), (5, 200), (10, 60)],
    )
    assert recap(channels, session_id) == StreamRecap(
        started_at=NOON,
        ended_at=NOON + HOUR,
        seconds=3600,
        peak_viewers=200,
        # Five minutes of 100, five of 200, and ten of 60: nothing is known of the rest.
        average_viewers=105,
        categories=(CategoryTime(name="Gloomtide", seconds=3000), CategoryTime(name="Moss Runner", seconds=600)),
    )


def test_a_recap_is_of_the_whole_story_whichever_session_is_named(channels: Channels) -> None:
    channel_id, gloom = channels.channel(), channels.game()
    first = channels.stream(channel_id, NOON, 30, games=[(0, gloom)], viewers=[(0, 10), (5, 10)])
    second = channels.stream(
        channel_id, NOON + 35 * MINUTE, 25, story_id=first, games=[(0, gloom)], viewers=[(0, 40), (5, 40)]
    )
    story = recap(channels, first)
    assert (story.started_at, story.ended_at, story.seconds) == (NOON, NOON + HOUR, 55 * 60)
    assert (story.average_viewers, story.peak_viewers) == (25, 40)
    assert story.categories == (CategoryTime(name="Gloomtide", seconds=55 * 60),)
    assert recap(channels, second) == story


def test_there_is_no_recap_of_a_session_that_does_not_exist(channels: Channels) -> None:
    with channels.engine.connect() as connection:
        assert load_recap(connection, 4711) is None


def test_a_stream_that_no_poll_saw_has_time_and_no_viewers(channels: Channels) -> None:
    story = recap(channels, channels.stream(channels.channel(), NOON, 20, game_id=channels.game()))
    assert (story.seconds, story.average_viewers, story.peak_viewers) == (1200, None, None)
    assert story.categories == (CategoryTime(name="Gloomtide", seconds=1200),)


def test_a_live_stream_counts_until_it_was_last_known_to_be_live(channels: Channels) -> None:
    session_id = channels.stream(
        channels.channel(), NOON - HOUR, None, viewers=[(0, 50)], last_seen_at=NOON - 30 * MINUTE
    )
    story = recap(channels, session_id)
    assert (story.ended_at, story.seconds, story.average_viewers) == (NOON - 30 * MINUTE, 1800, 50)


def test_one_poll_at_the_last_moment_is_an_average_too(channels: Channels) -> None:
    story = recap(channels, channels.stream(channels.channel(), NOON, 5, viewers=[(5, 70)]))
    assert (story.average_viewers, story.peak_viewers) == (70, 70)


def test_polls_that_counted_nobody_leave_the_count_before_them_standing(channels: Channels) -> None:
    story = recap(channels, channels.stream(channels.channel(), NOON, 20, viewers=[(0, 100), (5, None), (10, 50)]))
    assert story.average_viewers == 75


def test_an_hour_without_polls_does_not_weigh_more_than_ten_minutes(channels: Channels) -> None:
    viewers = [(0, 100), (10, 100), (70, 400), (80, 400)]
    assert recap(channels, channels.stream(channels.channel(), NOON, 90, viewers=viewers)).average_viewers == 250


def test_many_polls_do_not_weigh_more_than_few(channels: Channels) -> None:
    viewers = [(0, 100), *((10 + minute / 10, 400) for minute in range(100))]
    assert recap(channels, channels.stream(channels.channel(), NOON, 20, viewers=viewers)).average_viewers == 250


def test_a_category_learned_minutes_after_the_start_is_that_of_the_start(channels: Channels) -> None:
    gloom = channels.game()
    story = recap(channels, channels.stream(channels.channel(), NOON, 60, games=[(2, gloom)]))
    assert story.categories == (CategoryTime(name="Gloomtide", seconds=3600),)


def test_nobody_knows_what_was_on_in_the_hours_before_a_channel_was_watched(channels: Channels) -> None:
    gloom = channels.game()
    story = recap(channels, channels.stream(channels.channel(), NOON, 240, games=[(180, gloom), (200, None)]))
    assert story.categories == (
        CategoryTime(name=None, seconds=(180 + 40) * 60),
        CategoryTime(name="Gloomtide", seconds=20 * 60),
    )


def test_a_session_that_was_never_closed_does_not_run_into_the_next(channels: Channels) -> None:
    channel_id = channels.channel()
    channels.stream(channel_id, NOON - 4 * HOUR, 180)
    channels.stream(channel_id, NOON - 2 * HOUR, 60)
    assert totals(channels, channel_id).seconds == 3 * 3600


def test_a_period_cuts_what_reaches_beyond_it(channels: Channels) -> None:
    channel_id, gloom, moss = channels.channel(), channels.game("Gloomtide"), channels.game("Moss Runner")
    viewers = [(minute, 900 if minute < 120 else 100) for minute in range(0, 240, 5)]
    channels.stream(channel_id, NOON - 4 * HOUR, 240, games=[(0, gloom), (150, moss)], viewers=viewers)
    channels.stream(channel_id, NOON - 10 * HOUR, 60)
    channels.stream(channel_id, NOON + 10 * HOUR, 60)
    period = totals(channels, channel_id, 2 * HOUR, HOUR)
    assert period == Totals(streams=1, seconds=3600, average_viewers=100, peak_viewers=100)
    with channels.engine.connect() as connection:
        categories = load_categories(connection, [channel_id], NOON - 2 * HOUR, NOON - HOUR)[channel_id]
    assert [(category.name, category.seconds, category.peak_viewers) for category in categories] == [
        ("Gloomtide", 1800, 100),
        ("Moss Runner", 1800, 100),
    ]


def test_each_category_has_its_own_viewers(channels: Channels) -> None:
    channel_id, gloom, moss = channels.channel(), channels.game("Gloomtide"), channels.game("Moss Runner")
    viewers = [(0, 100), (5, 300), (10, 40), (15, None), (20, 40)]
    channels.stream(channel_id, NOON - HOUR, 60, games=[(0, gloom), (10, moss), (50, None)], viewers=viewers)
    with channels.engine.connect() as connection:
        categories = load_categories(connection, [channel_id], NOON - DAY)[channel_id]
    assert [
        (category.name, category.seconds // 60, category.average_viewers, category.peak_viewers)
        for category in categories
    ] == [
        ("Moss Runner", 40, 40, 40),
        ("Gloomtide", 10, 200, 300),
        (None, 10, None, None),
    ]


def test_a_stream_that_broke_off_and_went_on_is_one(channels: Channels) -> None:
    channel_id = channels.channel()
    first = channels.stream(channel_id, NOON - 5 * HOUR, 60)
    channels.stream(channel_id, NOON - 3 * HOUR - 55 * MINUTE, 60, story_id=first)
    channels.stream(channel_id, NOON - HOUR, 60)
    assert totals(channels, channel_id) == Totals(streams=2, seconds=3 * 3600)


def test_a_channel_that_was_not_on_air_in_the_period_has_no_totals(channels: Channels) -> None:
    channel_id = channels.channel()
    channels.stream(channel_id, NOON - 5 * HOUR, 60)
    assert totals(channels, channel_id, 4 * HOUR) == Totals()
    with channels.engine.connect() as connection:
        assert load_categories(connection, [channel_id], NOON - 4 * HOUR) == {}


def test_streams_are_split_at_the_hours_of_the_zone_that_is_asked_for(channels: Channels) -> None:
    channel_id = channels.channel()
    # Friday 22:30 to Saturday 00:15 in UTC, which is Saturday morning in Kathmandu (UTC+5:45).
    channels.stream(channel_id, NOON + timedelta(hours=10, minutes=30), 105, viewers=[(0, 10), (5, 30)])
    assert [(cell.weekday, cell.hour, cell.seconds) for cell in on_air(channels, channel_id)] == [
        (4, 22, 1800),
        (4, 23, 3600),
        (5, 0, 900),
    ]
    assert [(cell.weekday, cell.hour, cell.seconds) for cell in on_air(channels, channel_id, "Asia/Kathmandu")] == [
        (5, 4, 45 * 60),
        (5, 5, 3600),
    ]
    assert on_air(channels, channel_id)[0].average_viewers == 23
    assert by_weekday(on_air(channels, channel_id)) == [0, 0, 0, 0, 5400, 900, 0]
    assert by_hour(on_air(channels, channel_id))[22:] == [1800, 3600]


@pytest.mark.parametrize("zone", ["Europe/Berlin", "Australia/Lord_Howe", "America/St_Johns"])
def test_hours_are_those_of_the_clock_on_the_wall_also_when_it_is_changed(channels: Channels, zone: str) -> None:
    """Compared with every single minute of a stream that lasts for months."""
    channel_id, days = channels.channel(), 200
    start = NOON + timedelta(minutes=7) - days * DAY
    channels.stream(channel_id, start, days * 24 * 60 - 30)
    expected: dict[tuple[int, int], int] = {}
    minute, local_zone = start, ZoneInfo(zone)
    while minute < NOON + 7 * MINUTE - 30 * MINUTE:
        local = minute.astimezone(local_zone)
        key = local.weekday(), local.hour
        expected[key] = expected.get(key, 0) + 60
        minute += MINUTE
    with channels.engine.connect() as connection:
        cells = load_hours(connection, [channel_id], NOON - 300 * DAY, zone=zone)[channel_id]
    assert {(cell.weekday, cell.hour): cell.seconds for cell in cells} == expected


def test_the_newest_streams_come_first_and_a_live_one_is_told_as_live(channels: Channels) -> None:
    channel_id = channels.channel()
    old = channels.stream(channel_id, NOON - 9 * HOUR, 60, title="Old")
    story = channels.stream(channel_id, NOON - 3 * HOUR, 60, title="Before the crash")
    channels.stream(channel_id, NOON - 2 * HOUR + 5 * MINUTE, None, story_id=story, title="Back again")
    quiet = channels.channel("quiet")
    with channels.engine.connect() as connection:
        stories = load_stories(connection, [channel_id, quiet], 10)
        assert [shown.session_id for shown in load_stories(connection, [channel_id], 1)[channel_id]] == [story]
    assert quiet not in stories
    assert [(shown.session_id, shown.live, shown.title) for shown in stories[channel_id]] == [
        (story, True, "Back again"),
        (old, False, "Old"),
    ]


def test_viewers_and_categories_over_time_are_those_of_the_whole_story(channels: Channels) -> None:
    channel_id, gloom, moss = channels.channel(), channels.game("Gloomtide"), channels.game("Moss Runner")
    first = channels.stream(channel_id, NOON, 10, games=[(0, gloom), (4, gloom)], viewers=[(0, 1), (5, None)])
    second = channels.stream(
        channel_id, NOON + 15 * MINUTE, 10, story_id=first, games=[(0, gloom), (5, moss)], viewers=[(0, 2)]
    )
    other = channels.stream(channel_id, NOON + HOUR, 10)
    with channels.engine.connect() as connection:
        assert load_viewers(connection, [first, other]) == {
            first: [Counted(NOON, 1, first), Counted(NOON + 15 * MINUTE, 2, second)]
        }
        assert load_parts(connection, [first]) == {
            first: [
                Part(begin=NOON, end=NOON + 10 * MINUTE, name="Gloomtide"),
                Part(begin=NOON + 15 * MINUTE, end=NOON + 20 * MINUTE, name="Gloomtide"),
                Part(begin=NOON + 20 * MINUTE, end=NOON + 25 * MINUTE, name="Moss Runner"),
            ]
        }


@pytest.mark.parametrize(
    ("by", "expected"),
    [
        ("hours", ["long", "often", "big", "unseen"]),
        ("streams", ["often", "long", "big", "unseen"]),
        ("average", ["big", "often", "long", "unseen"]),
        ("peak", ["big", "long", "often", "unseen"]),
    ],
)
def test_the_top_is_by_what_is_asked_for(channels: Channels, by: By, expected: list[str]) -> None:
    channels.stream(channels.channel("long"), NOON - 9 * HOUR, 540, viewers=[(0, 10), (5, 500), (6, 10), (10, 10)])
    often = channels.channel("often")
    for hours in (20, 18, 16):
        channels.stream(often, NOON - hours * HOUR, 60, viewers=[(0, 300)])
    channels.stream(channels.channel("big"), NOON - 2 * HOUR, 60, viewers=[(0, 9_000)])
    channels.stream(channels.channel("unseen"), NOON - 2 * HOUR, 10)
    channels.channel("never")
    with channels.engine.connect() as connection:
        assert [channel.login for channel in load_top(connection, NOON - DAY, by=by)] == expected
        assert [channel.login for channel in load_top(connection, NOON - DAY, by=by, limit=2)] == expected[:2]


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 23), st.integers(1, 9_999)), max_size=50))
def test_weekdays_and_hours_add_up_to_the_same(cells: list[tuple[int, int, int]]) -> None:
    totals_by_hour = [HourTotals(weekday=weekday, hour=hour, seconds=seconds) for weekday, hour, seconds in cells]
    assert sum(by_weekday(totals_by_hour)) == sum(by_hour(totals_by_hour)) == sum(seconds for _, _, seconds in cells)


def test_parts_of_a_stream_add_up_to_the_whole(channels: Channels) -> None:
    """Over many cuts of one period, nothing is lost between them and nothing counted twice."""
    channel_id, games = channels.channel(), [channels.game(name) for name in ("a", "b", "c")]
    for number in range(12):
        parts = [(minute, games[(number + minute) % 3]) for minute in (0, 13 + number, 31)]
        channels.stream(channel_id, NOON - DAY + number * 97 * MINUTE, 71, games=parts)
    cuts = [NOON - DAY + number * 83 * MINUTE for number in range(19)]
    with channels.engine.connect() as connection:
        whole = load_categories(connection, [channel_id], cuts[0], cuts[-1])[channel_id]
        summed: dict[str | None, int] = {}
        for since, until in pairwise(cuts):
            for category in load_categories(connection, [channel_id], since, until).get(channel_id, []):
                summed[category.name] = summed.get(category.name, 0) + category.seconds
        assert summed == {category.name: category.seconds for category in whole}
        assert sum(summed.values()) == load_totals(connection, [channel_id], cuts[0], cuts[-1])[channel_id].seconds


def test_a_rerun_counts_as_no_stream(channels: Channels) -> None:
    channel_id, gloom = channels.channel(), channels.game()
    watched = channels.stream(channel_id, NOON - 5 * HOUR, 60, games=[(0, gloom)], viewers=[(0, 10), (5, 10)])
    for hours, kind, listed in ((3, "rerun", "live"), (2, None, "rerun"), (1, "premiere", None)):
        start, parts, counts = NOON - hours * HOUR, [(0, gloom)], [(0, 900)]
        channels.stream(channel_id, start, 30, games=parts, viewers=counts, type=kind, listed_type=listed)

    assert totals(channels, channel_id) == Totals(streams=1, seconds=3600, average_viewers=10, peak_viewers=10)
    with channels.engine.connect() as connection:
        assert [story.session_id for story in load_stories(connection, [channel_id], 5)[channel_id]] == [watched]
        assert [part.seconds for part in load_categories(connection, [channel_id], NOON - DAY)[channel_id]] == [3600]
