"""On which feeds an event is: decided by what it says alone."""

from datetime import UTC, datetime
from typing import Any

import pytest

from feeds.content import FeedLink
from feeds.scopes import (
    GROUPS,
    LISTED,
    PERSONAL,
    SCOPES,
    EventFacts,
    FeedKey,
    describe,
    feed_row,
    memberships,
    platform_row,
    service_row,
)

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
OF_CAMPAIGN: dict[str, Any] = {"service": "twitch", "game_id": 1, "organization_id": 2, "campaign_id": 3}


def feeds_of(kind: str, **facts: Any) -> set[tuple[str, int | str | None]]:
    keys = memberships(EventFacts(id=1, kind=kind, occurred_at=NOON, **facts))
    assert len(keys) == len(set(keys)), "each once"
    return {(key.scope, key.subject) for key in keys}


ON_SUBJECTS = {("all", None), ("service", "twitch"), ("game", 1), ("organization", 2), ("campaign", 3)}


def test_a_campaign_is_on_the_feeds_of_all_that_it_is_about() -> None:
    assert feeds_of("campaign.changed", **OF_CAMPAIGN) == ON_SUBJECTS | {("no_subscriptions", None)}


def test_a_campaign_that_has_to_be_bought_is_not_among_those_that_need_no_subscription() -> None:
    assert feeds_of("campaign.added", **OF_CAMPAIGN, has_to_be_bought=True) == ON_SUBJECTS


def test_the_first_campaign_of_a_game_and_of_a_company_is_on_the_feeds_of_first_ones() -> None:
    first = feeds_of("campaign.added", **OF_CAMPAIGN, is_first_of_game=True, is_first_of_organization=True)
    assert first == ON_SUBJECTS | {("no_subscriptions", None), ("new_games", None), ("new_organizations", None)}


@pytest.mark.parametrize("kind", ["campaign.ending_soon", "campaign.last_chance"])
def test_a_campaign_that_is_about_to_end_is_among_those_that_end_soon(kind: str) -> None:
    assert ("ending_soon", None) in feeds_of(kind, **OF_CAMPAIGN)


@pytest.mark.parametrize("reward", ["BADGE", "EMOTE"])
def test_what_gives_a_badge_or_an_emote_is_on_their_feed(reward: str) -> None:
    assert ("badges_and_emotes", None) in feeds_of("campaign.added", **OF_CAMPAIGN, rewards=frozenset({reward}))
    assert ("badges_and_emotes", None) not in feeds_of("campaign.added", **OF_CAMPAIGN, rewards=frozenset({"ITEM"}))


def test_a_campaign_is_in_its_category_where_streams_of_it_were_seen() -> None:
    assert ("category", 1) in feeds_of("campaign.added", **OF_CAMPAIGN, has_category=True)


def test_a_reward_campaign_is_on_the_feed_of_rewards() -> None:
    on = feeds_of("reward.added", service="twitch", reward_campaign_id=4)
    assert on == {
        ("all", None),
        ("service", "twitch"),
        ("reward_campaign", 4),
        ("rewards", None),
        ("no_subscriptions", None),
    }


def test_a_chat_badge_is_on_no_feed_where_it_was_there_before() -> None:
    on = {("all", None), ("service", "twitch"), ("badges", None), ("badges_and_emotes", None)}
    assert feeds_of("badge.added", service="twitch") == on
    assert feeds_of("badge.added", service="twitch", silent=True) == set()


def test_a_stream_is_on_the_feeds_of_its_channel_and_its_category_but_not_of_its_game() -> None:
    assert feeds_of("stream.online", channel_id=5, game_id=1) == {("all", None), ("channel", 5), ("category", 1)}
    assert feeds_of("stream.title_changed", channel_id=5, game_id=1) == {("channel", 5)}


def test_what_can_be_watched_now_is_on_the_feed_of_its_game() -> None:
    on = feeds_of("campaign.watchable", **OF_CAMPAIGN, channel_id=5)
    assert on == {("all", None), ("game", 1), ("channel", 5)}


def test_a_release_is_on_the_feeds_of_its_game_and_of_each_platform() -> None:
    on = {("releases", None), ("game", 1), ("game_releases", 1), ("platform", "PC"), ("platform", "PS5")}
    assert feeds_of("release.moved", game_id=1, platforms=("PC", "PS5", "PC")) == on | {("all", None)}
    assert feeds_of("release.announced", game_id=1, platforms=("PC", "PS5"), silent=True) == on
    assert feeds_of("game.added", game_id=1, silent=True) == {("game", 1)}


def test_how_sources_and_the_installation_do_is_on_personal_feeds_alone() -> None:
    assert feeds_of("source.failing", service="twitch", health=(7,)) == {("health", 7)}
    assert feeds_of("operator.stalled") == set()


def test_what_somebody_follows_or_is_sent_is_on_their_feeds() -> None:
    on = feeds_of("campaign.added", **OF_CAMPAIGN, followed=(8,), targets=(9,), health=(7,))
    assert {("followed", 8), ("target", 9)} <= on
    assert ("health", 7) not in on


def test_each_scope_says_what_it_is_about_and_has_the_row_of_a_feed() -> None:
    for scope, row in SCOPES.items():
        assert "{" not in describe(FeedLink(scope=scope, path="x", title="Gloomtide"), "Gloomtide")
        assert feed_row(FeedKey(scope, 1 if row.column else None), "x", "y")["scope"] == scope
    assert set().union(*map(set, GROUPS.values())) == LISTED
    assert not PERSONAL & LISTED
    assert service_row("twitch")["path"] == "services/twitch"
    assert platform_row("PlayStation 5")["path"].startswith("platforms/playstation-5")


def test_what_is_of_a_person_is_on_their_feeds_alone_whoever_follows_the_game() -> None:
    links = {"followed": (1,), "news": (2,), "library": (3,), "journal": (4,), "lists": (5,)}
    for kind, feed in (
        ("library.added", ("library", 3)),
        ("play.finished", ("journal", 4)),
        ("list.changed", ("list", 5)),
    ):
        assert feeds_of(kind, game_id=1, is_private=True, **links) == {feed}


def test_sounds_of_channels_that_a_person_follows_are_on_their_feed_of_what_they_follow() -> None:
    assert feeds_of("sound.ready", channel_id=1, is_private=True, followed=(1,)) == {("followed", 1)}
    assert feeds_of("sound.ready", channel_id=1, is_private=True) == set()


def test_a_private_date_is_on_personal_feeds_alone() -> None:
    links = {"followed": (1,), "news": (2,), "targets": (3,)}
    assert feeds_of("release.moved", game_id=1, is_private=True, **links) == {
        ("followed", 1),
        ("news", 2),
        ("target", 3),
    }


def test_that_a_game_is_known_now_is_no_news_to_who_has_it() -> None:
    assert ("news", 2) not in feeds_of("game.added", game_id=1, silent=True, is_private=True, news=(2,))
    assert ("news", 2) in feeds_of("game.added", game_id=1, is_private=True, news=(2,))
    assert ("news", 2) not in feeds_of("stream.online", game_id=1, channel_id=4, news=(2,))
