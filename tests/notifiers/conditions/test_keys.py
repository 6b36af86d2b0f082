"""Events find the subscriptions that want them by keys, and by nothing else."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.events import EventKind
from notifiers.conditions.conditions import Conditions
from notifiers.conditions.facts import EventFacts
from notifiers.conditions.judge import first_failing
from notifiers.conditions.keys import event_keys, subscription_keys

OWNER, OTHER = 1, 2
NAMES = ("rust", "valheim", "palia")
PATTERNS = (
    *("campaign.added", "campaign.*", "!campaign.changed", "!campaign.*", "*.added", "stream.rerun", "stream.*", "*"),
    *("!stream.rerun", "release.out", "campaign.c*", "operator.*", "operator.heartbeat", "operator.clock*", "*.*"),
    *("!operator.*", "source.*", "str?am.rerun", "[os]*.*", "operator.[ch]*"),
)


def some(values: tuple[str, ...]) -> Any:
    return st.lists(st.sampled_from(values), max_size=2, unique=True).map(tuple)


CONDITIONS = st.builds(
    Conditions,
    kinds=some(PATTERNS),
    services=some(("twitch", "kick")),
    games=some(("Rust", "VALHEIM")),
    organizations=some(NAMES),
    channels=some(("Ann", "bob")),
    lists=some(NAMES),
    categories=some(NAMES),
    platforms=some(("PC", "Switch")),
    library=some(("owned", "backlog")),
    library_except=some(("finished", "owned")),
    my_platforms=st.booleans(),
    min_minutes=st.none() | st.integers(0, 3),
    followed_games=st.booleans(),
    no_reruns=st.booleans(),
)
FACTS = st.builds(
    EventFacts,
    event_id=st.just(1),
    kind=st.sampled_from([kind.value for kind in EventKind]),
    service=st.sampled_from([None, "twitch", "kick"]),
    game_key=st.sampled_from([None, *NAMES]),
    organization_key=st.sampled_from([None, *NAMES]),
    channel_logins=st.sampled_from([(), ("ann",), ("cleo", "bob")]),
    list_keys=st.frozensets(st.tuples(st.sampled_from((OWNER, OTHER)), st.sampled_from(NAMES))),
    library=st.frozensets(st.tuples(st.sampled_from((OWNER, OTHER)), st.sampled_from(("owned", "finished")))),
    person_id=st.sampled_from((None, OWNER)),
    platform_people=st.frozensets(st.sampled_from((OWNER, OTHER))),
    platform_keys=st.frozensets(st.sampled_from(("pc", "switch"))),
    minutes=st.none() | st.integers(0, 3),
    game_followers=st.frozensets(st.sampled_from((OWNER, OTHER))),
    is_rerun=st.booleans(),
)


@given(CONDITIONS, FACTS)
def test_an_event_that_meets_all_conditions_has_one_of_their_keys(conditions: Conditions, facts: EventFacts) -> None:
    keys = subscription_keys(conditions, OWNER)
    share = keys.keys & event_keys(facts)
    is_wanted = first_failing(conditions, facts, OWNER) is None
    if is_wanted:
        assert share
    if share and keys.is_exact:
        assert is_wanted


@pytest.mark.parametrize(
    ("conditions", "expected", "is_exact"),
    [
        (Conditions(), {"*||"}, True),
        (Conditions(kinds=("campaign.*",)), {"campaign.*||"}, True),
        (Conditions(kinds=("campaign.added", "stream.online")), {"campaign.added||", "stream.online||"}, True),
        (Conditions(kinds=("!campaign.changed",)), {"*||"}, False),
        (Conditions(kinds=("*.added",)), {"*||"}, False),
        (Conditions(games=("Rust",)), {"*|game|rust"}, True),
        (Conditions(games=("Rust", "Tom Clancy's™")), {"*|game|rust", "*|game|tomclancys"}, True),
        (Conditions(games=("Rust",), services=("twitch",)), {"*|game|rust"}, False),
        (Conditions(games=("Rust",), channels=("Ann",)), {"*|channel|ann"}, False),
        (Conditions(lists=("Wish list",)), {"*|list|wishlist"}, False),
        (Conditions(library=("owned",), games=("Rust",)), {"*|game|rust"}, False),
        (Conditions(library_except=("finished",)), {"*||"}, False),
        (Conditions(services=("Twitch",), kinds=("reward.*",)), {"reward.*|service|twitch"}, True),
    ],
)
def test_a_subscription_stands_under_its_narrowest_condition(
    conditions: Conditions, expected: set[str], is_exact: bool
) -> None:
    keys = subscription_keys(conditions, OWNER)
    assert keys.keys == expected
    assert keys.is_exact is is_exact


def test_a_library_stands_under_all_that_a_game_may_be_for_it_and_what_is_excepted_under_nothing() -> None:
    conditions = Conditions(
        library=("owned", "playing"), library_except=("finished", "abandoned", "wished", "backlog", "rom")
    )
    keys = subscription_keys(conditions, OWNER)
    assert keys.keys == {"*|library|1:owned", "*|library|1:playing", "*|library|1:owned+playing"}
    assert keys.is_exact
    assert not subscription_keys(Conditions(library=("owned",), my_platforms=True), OWNER).is_exact


def test_of_two_people_each_finds_the_library_of_their_own() -> None:
    facts = EventFacts(event_id=1, kind="campaign.added", library=frozenset({(OWNER, "owned"), (OTHER, "finished")}))
    wanted = Conditions(library=("owned",))
    assert subscription_keys(wanted, OWNER).keys & event_keys(facts)
    assert not subscription_keys(wanted, OTHER).keys & event_keys(facts)
