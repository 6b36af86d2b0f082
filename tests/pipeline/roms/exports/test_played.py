"""What a file of a front end says of games, as text in and values out."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from pipeline.roms.exports.markup import Unreadable
from pipeline.roms.exports.played import PlayedGame, read_played

EAST = timezone(timedelta(hours=2))


@pytest.mark.parametrize(
    ("written", "at"),
    [
        ("20260102T030405", datetime(2026, 1, 2, 1, 4, 5, tzinfo=UTC)),
        ("2026-01-02T03:04:05.1234567-05:00", datetime(2026, 1, 2, 8, 4, 5, tzinfo=UTC)),
        ("2026-01-02T03:04:05Z", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)),
        ("20261302T030405", None),
        ("not-a-date-time", None),
        ("0", None),
    ],
)
def test_times_are_of_the_zone_that_they_name_or_the_machines(written: str, at: datetime | None) -> None:
    data = f"<gameList><game><path>a</path><playcount>1</playcount><lastplayed>{written}</lastplayed></game></gameList>"

    assert read_played("gamelist.xml", data.encode(), EAST)[1][0].last_played_at == at


def test_stars_and_numbers_that_are_none_are_left_out() -> None:
    data = b"""<LaunchBox>
        <Game><ApplicationPath>a</ApplicationPath><StarRatingFloat>x</StarRatingFloat><PlayCount>-1</PlayCount></Game>
        <Game><ApplicationPath>b</ApplicationPath><StarRatingFloat>9</StarRatingFloat><StarRating>3</StarRating></Game>
        <Game><Favorite>true</Favorite></Game>
    </LaunchBox>"""

    assert read_played("x.xml", data, UTC) == ("launchbox", [PlayedGame(path="b", rating=60.0)])


def test_a_log_is_of_the_file_that_it_is_called_by() -> None:
    data = b'{"runtime": "12:03:04", "last_played": null}'

    assert read_played("A Game (USA).lrtl", data, UTC) == (
        "retroarch",
        [PlayedGame(path="A Game (USA)", is_stem=True, seconds=43384)],
    )
    with pytest.raises(Unreadable, match="it is no JSON"):
        read_played("x.lrtl", b"[" * 60_000, UTC)
