"""Why a condition on a library holds of an event, or does not, in a person's words."""

import pytest

from models.words.holdings import Holding
from notifiers.conditions.conditions import Conditions
from notifiers.conditions.facts import EventFacts
from notifiers.conditions.saying import why_unwanted, why_wanted

OWNED = Holding(words=("owned", "finished"), stores=("steam",), seconds=147_600)
OF_A_GAME = EventFacts(event_id=1, kind="campaign.added", game_key="rust")
OF_NOTHING = EventFacts(event_id=1, kind="source.failing")


def test_what_was_asked_for_is_the_reason() -> None:
    assert why_wanted(Conditions(library=("owned", "playing")), OWNED) == "you own it on Steam"
    assert why_wanted(Conditions(library=("backlog",)), OWNED) is None
    assert why_wanted(Conditions(), None) is None


@pytest.mark.parametrize(
    ("failed", "facts", "holding", "expected"),
    [
        ("person", OF_A_GAME, None, "it is of somebody else's library"),
        ("library", OF_A_GAME, None, "it is nothing to you, and you asked for owned"),
        ("library", OF_NOTHING, None, "it is about no game, and you asked for owned"),
        ("library_except", OF_A_GAME, OWNED, "you finished it: you said except finished"),
        ("my_platforms", OF_A_GAME, None, "it is for PC, Switch and Xbox One, and you play on PlayStation 5"),
        ("games", OF_A_GAME, None, None),
    ],
)
def test_a_condition_that_fails_says_why(
    failed: str, facts: EventFacts, holding: Holding | None, expected: str | None
) -> None:
    conditions = Conditions(library=("owned",), library_except=("finished",), my_platforms=True)

    said = why_unwanted(
        failed,
        conditions,
        facts,
        holding,
        platforms=["PC", "Switch", "Xbox One"],
        my_platforms=["PlayStation 5"],
    )

    assert said == expected
