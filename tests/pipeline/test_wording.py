"""The one line that heads a message, and what an event's detail holds."""

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from models.events import (
    DropLine,
    EventDetail,
    EventKind,
    FieldChange,
    StreamRecap,
    detail_from_json,
    detail_to_json,
)
from pipeline.catalogue_records import ChannelRecord, GameRecord, OrganizationRecord
from pipeline.records import BenefitRecord, CampaignRecord, DropRecord, RewardCampaignRecord, RewardRecord
from pipeline.streams.records import BadgeRecord
from pipeline.wording import CHANNELS_SHOWN, badge_detail, campaign_detail, drop_lines, reward_detail, title

END = datetime(2031, 3, 9, 7, 59, tzinfo=UTC)
WEEK = EventDetail(name="Lantern Week", game="Harbour Lights")


def changed(*changes: FieldChange) -> EventDetail:
    return EventDetail(name="Lantern Week", game="Harbour Lights", changes=changes)


TITLES: list[tuple[EventKind, str | None, EventDetail, str]] = [
    (EventKind.CAMPAIGN_ADDED, "twitch", WEEK, "New drops on Twitch – Harbour Lights: Lantern Week"),
    (EventKind.CAMPAIGN_ADDED, "kick", EventDetail(name="Anywhere"), "New drops on Kick – Anywhere"),
    (EventKind.CAMPAIGN_ADDED, "chzzk", EventDetail(name="Rust", game="Rust"), "New drops on CHZZK – Rust"),
    (EventKind.CAMPAIGN_ADDED, "mixer", EventDetail(name="Old"), "New drops on mixer – Old"),
    (EventKind.CAMPAIGN_STARTED, "twitch", WEEK, "Drops started on Twitch – Harbour Lights: Lantern Week"),
    (EventKind.CAMPAIGN_ENDED, "twitch", WEEK, "Drops ended on Twitch – Harbour Lights: Lantern Week"),
    (
        EventKind.CAMPAIGN_WITHDRAWN,
        "twitch",
        WEEK,
        "Withdrawn before its end on Twitch – Harbour Lights: Lantern Week",
    ),
    (EventKind.CAMPAIGN_RETURNED, "twitch", WEEK, "Back on Twitch – Harbour Lights: Lantern Week"),
    (
        EventKind.CAMPAIGN_CHANGED,
        "twitch",
        changed(FieldChange(field="end_at", old="x", new="2031-03-09T09:59:00+02:00")),
        "Changed on Twitch – Harbour Lights: Lantern Week (now ends 09 Mar 07:59 UTC)",
    ),
    (
        EventKind.CAMPAIGN_CHANGED,
        "twitch",
        changed(FieldChange(field="end_at", old="x", new="2031-03-09T09:59:00+02:00", about="Hat")),
        "Changed on Twitch – Harbour Lights: Lantern Week (end)",
    ),
    (
        EventKind.CAMPAIGN_CHANGED,
        "twitch",
        changed(
            FieldChange(field="required_minutes", old=1, new=2, about="Hat"),
            FieldChange(field="required_minutes", old=3, new=4, about="Cap"),
            FieldChange(field="drop", old="Coat", new=None),
            FieldChange(field="description", old="a", new="b"),
        ),
        "Changed on Twitch – Harbour Lights: Lantern Week (minutes, a drop removed, description)",
    ),
    (
        EventKind.CAMPAIGN_DROP_ADDED,
        "twitch",
        EventDetail(name="Week", drops_added=(DropLine(name="Hat"),)),
        "1 more drop on Twitch – Week",
    ),
    (
        EventKind.CAMPAIGN_DROP_ADDED,
        "twitch",
        EventDetail(name="Week", drops_added=(DropLine(name="Hat"), DropLine(name="Cap"))),
        "2 more drops on Twitch – Week",
    ),
    (
        EventKind.CAMPAIGN_CHANNELS_CHANGED,
        "twitch",
        EventDetail(name="Week", channels_added=("ann", "bob"), channels_removed=("cid",)),
        "Channels changed on Twitch – Week (2 added, 1 removed)",
    ),
    (
        EventKind.CAMPAIGN_CHANNELS_CHANGED,
        "twitch",
        EventDetail(name="Week", channels_removed=("cid",)),
        "Channels changed on Twitch – Week (1 removed)",
    ),
    (EventKind.REWARD_ADDED, "twitch", EventDetail(name="Quest"), "New reward on Twitch – Quest"),
    (EventKind.REWARD_ENDED, "twitch", EventDetail(name="Quest"), "Reward ended on Twitch – Quest"),
    (
        EventKind.SOURCE_FAILING,
        "kick",
        EventDetail(name="kick.drops", reason="no connection"),
        "Source kick.drops is failing: no connection",
    ),
    (EventKind.SOURCE_RECOVERED, "kick", EventDetail(name="kick.drops"), "Source kick.drops works again"),
    (
        EventKind.SOURCE_CHANGED,
        "kick",
        EventDetail(name="kick.drops", reason="not JSON"),
        "Source kick.drops sent something unexpected: not JSON",
    ),
]


STREAM = EventDetail(name="Ranked to Radiant", channel="shroud", channel_login="shroud", game="VALORANT")
RECAP = StreamRecap(started_at=END, ended_at=END, seconds=18_730)


def stream(**told: Any) -> EventDetail:
    return msgspec.structs.replace(STREAM, **told)


def moved(old: str | None, new: str | None) -> EventDetail:
    return stream(game=new, changes=(FieldChange(field="category", old=old, new=new),))


STREAM_TITLES: list[tuple[EventKind, EventDetail, str]] = [
    (EventKind.STREAM_ONLINE, STREAM, "shroud is live: VALORANT – Ranked to Radiant"),
    (EventKind.STREAM_ONLINE, stream(name=None), "shroud is live: VALORANT"),
    (EventKind.STREAM_ONLINE, stream(game=None), "shroud is live: Ranked to Radiant"),
    (EventKind.STREAM_ONLINE, stream(name=None, game=None), "shroud is live"),
    (EventKind.STREAM_ONLINE, stream(channel=None, game=None), "shroud is live: Ranked to Radiant"),
    (EventKind.STREAM_ONLINE, stream(name="valorant with friends"), "shroud is live: valorant with friends"),
    (EventKind.STREAM_ONLINE, stream(name="Trusty", game="Rust"), "shroud is live: Rust – Trusty"),
    (EventKind.STREAM_ONLINE, stream(name="C++ (live)", game="C++"), "shroud is live: C++ (live)"),
    (EventKind.STREAM_OFFLINE, STREAM, "shroud went offline"),
    (EventKind.STREAM_OFFLINE, stream(recap=RECAP), "shroud went offline after 5 h 12 min"),
    (
        EventKind.STREAM_OFFLINE,
        stream(recap=msgspec.structs.replace(RECAP, seconds=40)),
        "shroud went offline after less than a minute",
    ),
    (EventKind.STREAM_TITLE_CHANGED, STREAM, "shroud changed the title: Ranked to Radiant"),
    (EventKind.STREAM_TITLE_CHANGED, stream(name=None), "shroud changed the title"),
    (
        EventKind.STREAM_CATEGORY_CHANGED,
        moved("Just Chatting", "VALORANT"),
        "shroud went from Just Chatting to VALORANT",
    ),
    (EventKind.STREAM_CATEGORY_CHANGED, moved(None, "VALORANT"), "shroud is now in VALORANT"),
    (EventKind.STREAM_CATEGORY_CHANGED, moved("VALORANT", None), "shroud is in no category now, after VALORANT"),
    (EventKind.VIDEO_PUBLISHED, stream(seconds=18_730), "New video of shroud – Ranked to Radiant (5 h 12 min)"),
    (EventKind.VIDEO_PUBLISHED, stream(name=None, seconds=7200), "New video of shroud (2 h)"),
    (EventKind.VIDEO_PUBLISHED, stream(seconds=40), "New video of shroud – Ranked to Radiant"),
    (EventKind.CAMPAIGN_WATCHABLE, stream(name="Champions"), "Watch shroud for drops – VALORANT: Champions"),
    (EventKind.BADGE_ADDED, EventDetail(name="GLHF Pledge"), "New chat badge on Twitch – GLHF Pledge"),
]


@pytest.mark.parametrize(("kind", "detail", "expected"), STREAM_TITLES, ids=[case[2] for case in STREAM_TITLES])
def test_a_stream_is_headed_by_who_what_and_nothing_twice(kind: EventKind, detail: EventDetail, expected: str) -> None:
    assert title(kind, "twitch", detail) == expected


@pytest.mark.parametrize(("kind", "service", "detail", "expected"), TITLES, ids=[case[3] for case in TITLES])
def test_a_title_is_one_plain_line(kind: EventKind, service: str | None, detail: EventDetail, expected: str) -> None:
    assert title(kind, service, detail) == expected


@pytest.mark.parametrize("kind", EventKind)
def test_every_kind_of_event_has_a_title_even_where_little_is_known(kind: EventKind) -> None:
    told = title(kind, None, EventDetail(name="Lantern Week"))

    assert "Lantern Week" in told


def test_a_name_with_line_breaks_and_tabs_still_heads_one_line() -> None:
    told = title(EventKind.CAMPAIGN_ADDED, "twitch", EventDetail(name="Lantern\r\nBcc: ann\t Week\u2028!", game="H\nL"))

    assert told == "New drops on Twitch – H L: Lantern Bcc: ann Week !"


def test_a_campaigns_detail_shows_its_drops_in_the_order_in_which_they_are_earned() -> None:
    drops = (
        DropRecord(external_id="3", name="Coat", required_minutes=0, required_subs=2),
        DropRecord(external_id="2", name="Cap", required_minutes=120, benefits=(BenefitRecord(external_id="b"),)),
        DropRecord(external_id="1", name="Hat", required_minutes=60),
        DropRecord(external_id="0", name="Unknown"),
    )

    assert [line.name for line in drop_lines(drops)] == ["Unknown", "Coat", "Hat", "Cap"]


def test_a_campaigns_detail_holds_what_a_message_shows_and_no_more_than_a_dozen_channels() -> None:
    channels = tuple(ChannelRecord(external_id=str(n), login=f"keeper{n}") for n in range(40))
    told = campaign_detail(
        CampaignRecord(
            service="twitch",
            external_id="c",
            name="Lantern Week",
            description="x" * 4000,
            end_at=END,
            organization=OrganizationRecord(external_id="o", name="Tide Works"),
            game=GameRecord(external_id="g", name="Harbour Lights", box_art_url="box"),
            channels=channels,
        )
    )

    assert (told.game, told.organization, told.box_art_url) == ("Harbour Lights", "Tide Works", "box")
    assert (told.channels_total, len(told.channels), told.channels[0]) == (40, CHANNELS_SHOWN, "keeper0")
    assert told.description is not None
    assert len(told.description) == 1000


def test_a_rewards_detail_names_its_brand_and_what_is_given() -> None:
    quest = RewardCampaignRecord(
        service="twitch",
        external_id="q",
        name="Soup for all",
        brand="Soup Brand",
        external_url="https://soup.example.org",
        required_minutes=45,
        rewards=(RewardRecord(external_id="r", name="Bowl", image_url="bowl.png"),),
    )

    told = reward_detail(quest)

    assert (told.organization, told.url, told.required_minutes) == ("Soup Brand", "https://soup.example.org", 45)
    assert [benefit.name for benefit in told.drops[0].benefits] == ["Bowl"]
    assert reward_detail(RewardCampaignRecord(service="twitch", external_id="q", name="Bare")).drops == ()


def test_a_badges_detail_does_not_repeat_its_title_as_its_description() -> None:
    told = badge_detail(BadgeRecord(set_id="vip", version="1", title="VIP", description="VIP", image_url="vip.png"))

    assert (told.name, told.description, told.image_url) == ("VIP", None, "vip.png")


def test_a_detail_comes_back_from_json_as_it_went_in() -> None:
    detail = EventDetail(name="Week", end_at=END, drops=(DropLine(name="Hat", required_minutes=60),), channels=("ann",))

    as_json = detail_to_json(detail)

    assert detail_from_json(as_json) == detail
    assert "description" not in as_json
    assert detail_from_json({**as_json, "of_a_newer_version": 1}) == detail
