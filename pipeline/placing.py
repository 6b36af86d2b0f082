"""Which source's word counts where several tell of one campaign: see docs/decisions/0006."""

from collections.abc import Collection
from datetime import timedelta

# From the best placed down: the service's own dashboard sees drafts, changes and ends first, a mirror copies it.
PLACES = ("twitch.dashboard", "twitch.details", "twitch.drops")
# A source that has told nothing sound for so long has no say in whether something is gone.
HAS_A_SAY_FOR = timedelta(hours=12)


def place(name: str) -> int:
    """Return a source's place, 0 for the best; all that are not named share the last."""
    return PLACES.index(name) if name in PLACES else len(PLACES)


def outranks(others: Collection[str], name: str) -> bool:
    """Whether one of the other sources is better placed."""
    return any(place(other) < place(name) for other in others)
