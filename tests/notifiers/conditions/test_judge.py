"""Each condition holds for the events that it names, and for no other."""

import pytest

from notifiers.conditions.conditions import Conditions
from notifiers.conditions.facts import EventFacts
from notifiers.conditions.judge import first_failing

CAMPAIGN = EventFacts(
    event_id=1,
    kind="campaign.added",
    service="twitch",
    game_key="rust",
    organization_key="facepunch",
    list_keys=frozenset({(1, "wishlist"), (2, "others")}),
    library=frozenset({(1, "owned"), (1, "finished"), (2, "wished")}),
    texts=("Rust: Winter drops", "ラスト", "Größe XL", "C++ mug", "겨울 상자"),
    minutes=120,
    reward_kinds=frozenset({"badge", "item"}),
    game_followers=frozenset({1}),
)
STREAM = EventFacts(
    event_id=2,
    kind="stream.online",
    service="twitch",
    game_key="rust",
    channel_logins=("shroud", "oldname"),
    channel_followers=frozenset({1}),
    is_live=True,
    language="pt-br",
)
RERUN = EventFacts(event_id=3, kind="stream.rerun", channel_logins=("shroud",), is_rerun=True)
RELEASE = EventFacts(
    event_id=4, kind="release.out", game_key="rust", platform_keys=frozenset({"switch"}), platform_people=frozenset({2})
)
MINE = EventFacts(event_id=6, kind="play.finished", person_id=1)
THEIRS = EventFacts(event_id=7, kind="play.finished", person_id=2)
SOURCE = EventFacts(event_id=5, kind="source.failing", service="kick")


@pytest.mark.parametrize(
    ("conditions", "facts", "expected"),
    [
        pytest.param(Conditions(), CAMPAIGN, None, id="nothing is asked"),
        pytest.param(Conditions(kinds=("campaign.*",)), CAMPAIGN, None, id="a family"),
        pytest.param(Conditions(kinds=("campaign.*", "!campaign.added")), CAMPAIGN, "kinds", id="a kind is excluded"),
        pytest.param(Conditions(kinds=("!campaign.changed",)), CAMPAIGN, None, id="another kind is excluded"),
        pytest.param(Conditions(kinds=("stream.*",)), RERUN, "kinds", id="a kind on request by its family"),
        pytest.param(Conditions(kinds=("stream.rerun",)), RERUN, None, id="a kind on request by its name"),
        pytest.param(Conditions(services=("Twitch", "kick")), CAMPAIGN, None, id="one of several services"),
        pytest.param(Conditions(services=("chzzk",)), CAMPAIGN, "services", id="another service"),
        pytest.param(Conditions(games=("RUST",)), CAMPAIGN, None, id="the game"),
        pytest.param(Conditions(games=("Rust",)), SOURCE, "games", id="no game at all"),
        pytest.param(Conditions(organizations=("Facepunch",)), CAMPAIGN, None, id="the organization"),
        pytest.param(Conditions(channels=("OldName",)), STREAM, None, id="a former login"),
        pytest.param(Conditions(channels=("ann",)), STREAM, "channels", id="another channel"),
        pytest.param(Conditions(lists=("Wish list",)), CAMPAIGN, None, id="on the list"),
        pytest.param(Conditions(lists=("others",)), CAMPAIGN, "lists", id="on a list of somebody else"),
        pytest.param(Conditions(library=("backlog", "owned")), CAMPAIGN, None, id="one of several words for the game"),
        pytest.param(Conditions(library=("wished",)), CAMPAIGN, "library", id="what the game is to somebody else"),
        pytest.param(Conditions(library=("owned",)), SOURCE, "library", id="no game to own"),
        pytest.param(Conditions(library_except=("finished",)), CAMPAIGN, "library_except", id="a finished game"),
        pytest.param(Conditions(library_except=("wished",)), CAMPAIGN, None, id="what somebody else is spared"),
        pytest.param(Conditions(my_platforms=True), RELEASE, "my_platforms", id="a platform of somebody else"),
        pytest.param(Conditions(my_platforms=True), CAMPAIGN, None, id="no platform in particular"),
        pytest.param(Conditions(kinds=("play.*",)), MINE, None, id="what one finished oneself"),
        pytest.param(Conditions(kinds=("play.*",)), THEIRS, "person", id="what somebody else finished"),
        pytest.param(Conditions(), MINE, "kinds", id="what one did is not everything"),
        pytest.param(Conditions(categories=("Rust",)), STREAM, None, id="what a stream is about"),
        pytest.param(Conditions(categories=("Rust",)), CAMPAIGN, "categories", id="a campaign has no category"),
        pytest.param(Conditions(platforms=("Switch",)), RELEASE, None, id="the platform"),
        pytest.param(Conditions(platforms=("PC",)), RELEASE, "platforms", id="another platform"),
        pytest.param(Conditions(require=("winter",)), CAMPAIGN, None, id="a word in another case"),
        pytest.param(Conditions(require=("wint",)), CAMPAIGN, "require", id="half a word"),
        pytest.param(Conditions(require=("summer", "winter  drops")), CAMPAIGN, None, id="words in a row"),
        pytest.param(Conditions(require=("GRÖSSE",)), CAMPAIGN, None, id="a word as Germans fold it"),
        pytest.param(Conditions(require=("c++",)), CAMPAIGN, None, id="a word that ends in signs"),
        pytest.param(Conditions(require=("スト",)), CAMPAIGN, None, id="a part of a text without spaces"),
        pytest.param(Conditions(require=("겨울",)), CAMPAIGN, None, id="a Korean word"),
        pytest.param(Conditions(block=("drops",)), CAMPAIGN, "block", id="a blocked word"),
        pytest.param(Conditions(block=("drop",)), CAMPAIGN, None, id="a part of a word blocks nothing"),
        pytest.param(Conditions(min_minutes=121), CAMPAIGN, "min_minutes", id="too short"),
        pytest.param(Conditions(max_minutes=120), CAMPAIGN, None, id="just short enough"),
        pytest.param(Conditions(max_minutes=120), STREAM, "max_minutes", id="no minutes at all"),
        pytest.param(Conditions(rewards=("badge",)), CAMPAIGN, None, id="a badge among others"),
        pytest.param(Conditions(rewards=("emote",)), CAMPAIGN, "rewards", id="no emote"),
        pytest.param(Conditions(followed_games=True), CAMPAIGN, None, id="a followed game"),
        pytest.param(Conditions(followed_games=True), RELEASE, "followed_games", id="a game that nobody follows"),
        pytest.param(Conditions(followed_channels=True), STREAM, None, id="a followed channel"),
        pytest.param(Conditions(only_live=True), CAMPAIGN, "only_live", id="nothing is live"),
        pytest.param(Conditions(only_live=True), STREAM, None, id="it is live"),
        pytest.param(Conditions(languages=("pt",)), STREAM, None, id="a language of two countries"),
        pytest.param(Conditions(languages=("pt-BR",)), STREAM, None, id="a language of one country"),
        pytest.param(Conditions(languages=("p",)), STREAM, "languages", id="half a language"),
        pytest.param(Conditions(kinds=("stream.rerun",), no_reruns=True), RERUN, "no_reruns", id="a rerun"),
    ],
)
def test_a_condition_names_the_events_that_it_holds_for(
    conditions: Conditions, facts: EventFacts, expected: str | None
) -> None:
    assert first_failing(conditions, facts, person_id=1) == expected


def test_whose_games_are_followed_counts() -> None:
    assert first_failing(Conditions(followed_games=True), CAMPAIGN, person_id=2) == "followed_games"


def test_subscriptions_that_are_needed_count_only_where_none_are_wanted() -> None:
    paid = EventFacts(event_id=1, kind="campaign.added", needs_subscriptions=True)
    assert first_failing(Conditions(no_subscriptions=True), paid, person_id=1) == "no_subscriptions"
    assert first_failing(Conditions(), paid, person_id=1) is None
