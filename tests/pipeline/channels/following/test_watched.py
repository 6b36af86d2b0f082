"""Which channels are watched, and why."""

from datetime import timedelta

import pytest
from sqlalchemy import Engine, insert, select, update

from models import AllowedChannel, Channel, DropCampaign, Feed, Person
from pipeline.catalogue.records import ChannelRecord, UserRecord
from pipeline.catalogue.storing import store_channels, store_users
from pipeline.channels.following.follows import (
    find_channel,
    follow,
    unfollow,
    unfollow_category,
    unfollow_drops,
)
from pipeline.channels.following.names import parse_name
from pipeline.channels.following.watched import followed_categories, watched
from tests.channels import NOON, Channels

DAY, HOUR = timedelta(days=1), timedelta(hours=1)


@pytest.fixture
def channels(engine: Engine) -> Channels:
    return Channels(engine)


def logins(channels: Channels) -> list[str]:
    with channels.engine.connect() as connection:
        return [channel.login for channel in watched(connection, channels.now)]


def test_channels_added_by_hand_come_first_and_the_oldest_of_them_before_the_others(channels: Channels) -> None:
    named = channels.channel("named", follow=False)
    channels.channel("second", since=NOON - DAY)
    channels.channel("first", since=NOON - 2 * DAY)
    channels.channel("nobody", follow=False)
    channels.campaign([named])
    channels.follow("drops", since=NOON - 3 * DAY)
    assert logins(channels) == ["first", "second", "named"]


def test_what_campaigns_name_is_watched_only_while_somebody_follows_drops(channels: Channels) -> None:
    channels.campaign([channels.channel("named", follow=False)])
    assert logins(channels) == []
    channels.follow("drops")
    assert logins(channels) == ["named"]


def test_only_running_campaigns_that_still_name_a_channel_count(channels: Channels) -> None:
    channels.follow("drops")
    over = channels.campaign([channels.channel("over", follow=False)], end_at=NOON - HOUR)
    ended = channels.campaign([channels.channel("ended", follow=False)], ended_at=NOON - HOUR)
    channels.campaign([channels.channel("withdrawn", follow=False)], withdrawn_at=NOON - HOUR)
    channels.campaign([channels.channel("upcoming", follow=False)], start_at=NOON + HOUR)
    channels.campaign([channels.channel("kick", follow=False)], service="kick")
    channels.campaign([channels.channel("open", follow=False)], start_at=None, end_at=None)
    dropped = channels.campaign([channels.channel("dropped", follow=False)])
    with channels.engine.begin() as connection:
        gone = update(AllowedChannel).where(AllowedChannel.campaign_id == dropped).values(last_seen_at=NOON - HOUR)
        connection.execute(gone)
    assert logins(channels) == ["open"]
    with channels.engine.begin() as connection:
        connection.execute(update(DropCampaign).where(DropCampaign.id == over).values(end_at=NOON + HOUR))
        connection.execute(update(DropCampaign).where(DropCampaign.id == ended).values(ended_at=None))
    assert set(logins(channels)) == {"open", "over", "ended"}


def test_a_channel_of_a_campaign_is_watched_since_the_campaign_wanted_it(channels: Channels) -> None:
    """A stream that was on before is no news of the campaign's channels either."""
    both = channels.channel("both", since=NOON - 30 * DAY)
    named = channels.channel("named", follow=False)
    channels.campaign([both, named], start_at=NOON - HOUR)
    channels.campaign([named], start_at=NOON - 3 * HOUR)
    channels.follow("drops", since=NOON - 5 * DAY)
    with channels.engine.connect() as connection:
        by_login = {channel.login: channel for channel in watched(connection, NOON)}
    assert (by_login["both"].since, by_login["both"].by_hand, by_login["both"].in_campaign) == (
        NOON - 30 * DAY,
        True,
        True,
    )
    assert (by_login["named"].since, by_login["named"].by_hand, by_login["named"].in_campaign) == (
        NOON - 3 * HOUR,
        False,
        True,
    )


def test_a_wish_for_drops_that_is_younger_than_the_campaign_starts_the_watch(channels: Channels) -> None:
    channels.campaign([channels.channel("named", follow=False)])
    channels.follow("drops", since=NOON - timedelta(minutes=5))
    with channels.engine.connect() as connection:
        assert [channel.since for channel in watched(connection, NOON)] == [NOON - timedelta(minutes=5)]


def test_each_of_five_thousand_channels_in_three_campaigns_is_listed_once(channels: Channels) -> None:
    rows = [{"service": "twitch", "external_id": str(n), "login": f"l{n}", "first_seen_at": NOON} for n in range(5_000)]
    with channels.engine.begin() as connection:
        ids = list(connection.scalars(insert(Channel).returning(Channel.id), rows))
    for _ in range(3):
        channels.campaign(ids)
    channels.follow("drops")
    with channels.engine.connect() as connection:
        listed = watched(connection, NOON)
    assert len(listed) == len({channel.channel_id for channel in listed}) == 5_000
    assert all(channel.in_campaign and not channel.by_hand for channel in listed)


def test_categories_are_named_as_twitch_numbers_them(channels: Channels) -> None:
    later, sooner = channels.game("Moss Runner"), channels.game("Quiet Orbit")
    channels.follow("category", game_id=later, top=5, since=NOON)
    channels.follow("category", game_id=sooner, since=NOON - DAY)
    with channels.engine.connect() as connection:
        assert [(category.name, category.top) for category in followed_categories(connection)] == [
            ("Quiet Orbit", 20),
            ("Moss Runner", 5),
        ]


def known(channels: Channels) -> tuple[str, str | None, list[str]]:
    with channels.engine.connect() as connection:
        row = connection.execute(select(Channel.login, Channel.display_name, Channel.former_logins)).one()
    return row.login, row.display_name, row.former_logins


def test_a_rename_is_kept_whoever_tells_of_it(channels: Channels) -> None:
    """A campaign's list, a poll or Twitch's users: the id stays, the login moves among the former ones."""

    def store(login: str, display_name: str | None = None) -> None:
        with channels.engine.begin() as connection:
            store_channels(
                connection, "twitch", [ChannelRecord(external_id="7", login=login, display_name=display_name)], NOON
            )

    store("first", "First")
    store("first")
    assert known(channels) == ("first", "First", [])
    store("second")
    with channels.engine.begin() as connection:
        store_users(connection, [UserRecord(external_id="7", login="third", display_name="Third")], NOON)
    assert known(channels) == ("third", "Third", ["first", "second"])
    store("first")
    assert known(channels) == ("first", "Third", ["second", "third"])


def test_a_former_login_finds_a_channel_unless_another_has_taken_it(channels: Channels) -> None:
    with channels.engine.begin() as connection:
        for external_id, login in (("7", "old"), ("7", "new"), ("8", "other")):
            store_users(connection, [UserRecord(external_id=external_id, login=login)], NOON)
        channel = find_channel(connection, parse_name("old"))
        assert (channel and channel.external_id) == "7"
        store_users(connection, [UserRecord(external_id="8", login="old")], NOON)
        channel = find_channel(connection, parse_name("old"))
        assert (channel and channel.external_id) == "8"
        follow(connection, [UserRecord(external_id="7", login="new")], NOON)
        channel = find_channel(connection, parse_name("old"))
        assert (channel and channel.external_id) == "7"
        assert find_channel(connection, parse_name("other"), of_followed=True) is None


def add_person(channels: Channels, name: str) -> int:
    return channels.add(Person, name=name, role="member", created_at=NOON)


def test_what_any_person_follows_is_watched_once_since_the_first_of_them_did(channels: Channels) -> None:
    ada = add_person(channels, "ada")
    both = channels.channel("both", since=NOON - DAY)
    channels.follow("channel", person_id=ada, channel_id=both, since=NOON - 2 * DAY)
    channels.follow("channel", person_id=ada, channel_id=channels.channel("hers", follow=False), since=NOON - HOUR)
    with channels.engine.connect() as connection:
        everybodys = [(channel.login, channel.since) for channel in watched(connection, NOON)]
        hers = [channel.login for channel in watched(connection, NOON, person_id=ada)]
        owners = [(channel.login, channel.since) for channel in watched(connection, NOON, person_id=1)]
    assert everybodys == [("both", NOON - 2 * DAY), ("hers", NOON - HOUR)]
    assert (hers, owners) == (["both", "hers"], [("both", NOON - DAY)])


def test_campaigns_channels_are_those_of_the_people_who_want_them(channels: Channels) -> None:
    ada = add_person(channels, "ada")
    channels.campaign([channels.channel("named", follow=False)])
    channels.follow("drops", person_id=ada, since=NOON - HOUR)
    channels.follow("drops", since=NOON - timedelta(minutes=5))
    with channels.engine.connect() as connection:
        assert [channel.since for channel in watched(connection, NOON)] == [NOON - HOUR]
        assert unfollow_drops(connection, person_id=ada)
        assert not unfollow_drops(connection, person_id=ada)
        assert watched(connection, NOON, person_id=ada) == []
        assert [channel.login for channel in watched(connection, NOON)] == ["named"]


def test_of_a_category_that_several_follow_the_most_streams_are_recorded(channels: Channels) -> None:
    ada, moss = add_person(channels, "ada"), channels.game("Moss Runner")
    channels.follow("category", game_id=moss, top=5, since=NOON - DAY)
    channels.follow("category", person_id=ada, game_id=moss, top=50)
    with channels.engine.connect() as connection:
        assert [(each.name, each.top) for each in followed_categories(connection)] == [("Moss Runner", 50)]
        assert [each.top for each in followed_categories(connection, person_id=1)] == [5]
        unfollow_category(connection, moss, person_id=ada)
        assert [each.top for each in followed_categories(connection)] == [5]


def test_the_feed_of_a_channel_ends_when_the_last_person_leaves_it(channels: Channels) -> None:
    ada = add_person(channels, "ada")
    user = UserRecord(external_id="7", login="lanternwake", display_name="Lanternwake")
    with channels.engine.begin() as connection:
        follow(connection, [user], NOON)
        follow(connection, [user], NOON, person_id=ada)
        channel_id = connection.execute(select(Channel.id)).scalar_one()
        unfollow(connection, [channel_id], NOON)
        assert connection.scalar(select(Feed.ceased_at).where(Feed.scope == "channel")) is None
        unfollow(connection, [channel_id], NOON, person_id=ada)
        assert connection.scalar(select(Feed.ceased_at).where(Feed.scope == "channel")) is not None
