"""Which episodes a show lets go of: beyond a number, an age, or an amount of bytes, a day after that was said."""

from datetime import UTC, datetime, timedelta

from pipeline.sound.following.keeping import NOTICE, Kept, leaving
from pipeline.sound.records import Keep

NOW = datetime(2026, 11, 30, 3, tzinfo=UTC)


def episodes(*days_ago: float, size: int = 100_000_000, said: datetime | None = None) -> list[Kept]:
    return [
        Kept(id=number, published_at=NOW - timedelta(days=days), size=size, expiring_at=said)
        for number, days in enumerate(days_ago, 1)
    ]


def test_what_is_beyond_the_number_goes_in_a_day() -> None:
    plan = leaving(episodes(1, 2, 3, 4), Keep(count=2), NOW)
    assert [(each.id, each.at, each.reason) for each in plan] == [
        (3, NOW + NOTICE, "the show keeps 2 episodes"),
        (4, NOW + NOTICE, "the show keeps 2 episodes"),
    ]


def test_what_was_said_to_go_goes_at_the_time_that_was_said() -> None:
    said = NOW - timedelta(hours=1)
    assert [each.at for each in leaving(episodes(1, 2, said=said), Keep(count=1), NOW)] == [said]


def test_age_is_said_a_day_before() -> None:
    plan = leaving(episodes(1, 28.5, 29.5, 40), Keep(days=30), NOW)
    assert [each.id for each in plan] == [3, 4]
    assert plan[0].at == NOW + NOTICE
    assert plan[0].reason == "the show keeps episodes for 30 days"


def test_bytes_are_counted_from_the_newest() -> None:
    assert [each.id for each in leaving(episodes(1, 2, 3, 4), Keep(mb=250), NOW)] == [3, 4]


def test_the_newest_stays_however_large_and_old_it_is() -> None:
    assert leaving(episodes(400, size=10**12), Keep(count=1, days=1, mb=1), NOW) == []


def test_a_show_that_keeps_all_lets_go_of_nothing() -> None:
    assert leaving(episodes(1, 1000), Keep(), NOW) == []


def test_a_show_that_keeps_a_single_episode_says_so_in_the_singular() -> None:
    assert leaving(episodes(1, 2), Keep(count=1), NOW)[0].reason == "the show keeps 1 episode"
