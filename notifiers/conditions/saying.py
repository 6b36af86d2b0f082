"""Says to a person why a condition on their library, lists or platforms holds of an event, or does not. Pure."""

from collections.abc import Sequence

from models.words.holdings import Holding, in_few_words, reason_in_words
from notifiers.conditions.conditions import Conditions
from notifiers.conditions.facts import EventFacts

NOTHING = Holding()


def why_wanted(conditions: Conditions, holding: Holding | None) -> str | None:
    """Return what the game is to a person that a library was asked for: "you own it on Steam"; None for no library."""
    reasons = [reason_in_words(word, holding or NOTHING) for word in conditions.library if word in _words(holding)]
    return " and ".join(reasons) or None


def why_unwanted(
    failed: str,
    conditions: Conditions,
    facts: EventFacts,
    holding: Holding | None,
    *,
    platforms: Sequence[str],
    my_platforms: Sequence[str],
) -> str | None:
    """Return why a condition is not met, as a sentence to the person; None for a condition on something else.

    `holding` is what the game is to them, `platforms` those that the event is for, `my_platforms` those they play on.
    """
    match failed:
        case "person":
            return "it is of somebody else's library"
        case "library":
            return f"{_standing(facts, holding)}, and you asked for {', '.join(conditions.library)}"
        case "library_except":
            word = next(word for word in conditions.library_except if word in _words(holding))
            return f"{reason_in_words(word, holding or NOTHING)}: you said except {word}"
        case "my_platforms":
            return f"it is for {_joined(platforms)}, and you play on {_joined(my_platforms)}"
    return None


def _standing(facts: EventFacts, holding: Holding | None) -> str:
    if facts.game_key is None:
        return "it is about no game"
    few = in_few_words(holding) if holding is not None else ""
    return f"it is {few}" if few else "it is nothing to you"


def _words(holding: Holding | None) -> Sequence[str]:
    return holding.words if holding is not None else ()


def _joined(names: Sequence[str]) -> str:
    return " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))
