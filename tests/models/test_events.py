"""Kinds of events."""

import pytest

from models.events import EventKind


@pytest.mark.parametrize("kind", EventKind)
def test_a_kinds_family_is_the_part_before_the_dot(kind: EventKind) -> None:
    family, _, rest = kind.value.partition(".")

    assert kind.family == family
    assert rest
