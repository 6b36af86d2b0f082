"""How many examples a property is tried with: a third in the suite, all and more in the campaign `properties`."""

import os

# By how much the campaign multiplies what is asked for.
VARIABLE = "LOOTWIRE_TEST_EXAMPLES"
_TIMES = float(os.environ.get(VARIABLE, "0.34"))


def examples(count: int) -> int:
    """Return how many of so many examples are tried now."""
    return max(1, round(count * _TIMES))


def is_campaign() -> bool:
    """Whether the campaign runs: its examples are others each time."""
    return VARIABLE in os.environ
