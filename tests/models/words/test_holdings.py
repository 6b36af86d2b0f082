"""What a game is to a player is said in a line that they would say themselves."""

from datetime import UTC, date, datetime

import pytest

from models.words.holdings import Holding, in_few_words, in_words, reason_in_words
from notifiers.reader import PLAIN, Reader
from tests.notifiers.test_reader import BERLIN, NOW

MAY = datetime(2026, 5, 31, 22, 30, tzinfo=UTC)
OWNED = Holding(words=("owned",), stores=("steam",), seconds=147_600, last_played_at=MAY)


@pytest.mark.parametrize(
    ("holding", "expected", "few"),
    [
        (OWNED, "yours on Steam, 41 h, last played in June", "yours on Steam"),
        (Holding(words=("owned", "backlog"), stores=("gog",)), "yours on GOG, on your backlog", "yours on GOG"),
        (
            Holding(words=("owned", "playing"), stores=("steam", "rom"), seconds=1500),
            "yours on Steam and as a ROM, 25 min, playing",
            "yours on Steam and as a ROM",
        ),
        (Holding(words=("owned",), stores=("other",)), "yours", "yours"),
        (Holding(words=("backlog",), status="backlog"), "on your backlog", "on your backlog"),
        (Holding(words=("wished",)), "on your wish list", "on your wish list"),
        (Holding(words=("finished",), finished="2022"), "finished in 2022", "finished"),
        (Holding(words=("finished",), finished="1999-Q3"), "finished in Q3 1999", "finished"),
        (Holding(words=("finished",), finished="2012-03-09"), "finished in March 2012", "finished"),
        (Holding(words=("finished",), status="mastered", seconds=7200), "played for 2 h, mastered", "mastered"),
        (Holding(words=("abandoned",), seconds=20), "given up", "given up"),
        (Holding(status="paused", seconds=36_000, last_played_at=MAY), "played for 10 h, last played in June", ""),
        (Holding(), "", ""),
    ],
)
def test_what_a_game_is_to_a_player_is_a_part_of_a_sentence(holding: Holding, expected: str, few: str) -> None:
    assert in_words(holding, Reader(BERLIN, "en", NOW).month) == expected
    assert in_few_words(holding) == few


@pytest.mark.parametrize(
    ("reader", "day", "expected"),
    [
        (Reader(BERLIN, "de", NOW), MAY, "Juni"),
        (Reader(BERLIN, "de", NOW), datetime(2024, 3, 1, 12, tzinfo=UTC), "März 2024"),
        (Reader(BERLIN, "en", NOW), date(2024, 3, 1), "March 2024"),
        (PLAIN, MAY, "2026-05"),
    ],
)
def test_a_month_is_that_of_the_readers_clock_and_language(reader: Reader, day: date, expected: str) -> None:
    assert reader.month(day) == expected


def test_a_word_is_said_as_the_reason_of_a_message() -> None:
    assert reason_in_words("owned", OWNED) == "you own it on Steam"
    assert reason_in_words("owned", Holding()) == "you own it"
    assert reason_in_words("wished", Holding()) == "it is on your wish list"
