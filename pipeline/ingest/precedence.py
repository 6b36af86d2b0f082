"""Which source's word counts where several list one thing: see docs/decisions/0006."""

from collections.abc import Collection, Mapping
from datetime import timedelta

# A source without a sound snapshot for so long has no say in whether something is gone.
HAS_A_SAY_FOR = timedelta(hours=12)


def outranked(elsewhere: Mapping[str, Collection[str]], by: Collection[str]) -> set[str]:
    """Return the ids that a better source lists too; `elsewhere` holds the names of the others that list each."""
    return {external_id for external_id, names in elsewhere.items() if not set(by).isdisjoint(names)}
