"""The one line that heads a message, a feed item or a table row."""

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from models.details import (
    CampaignDetail,
    DropLine,
    EventDetail,
    FieldChange,
    LibraryDetail,
    LibraryLine,
    SourceDetail,
    StreamDetail,
    StreamRecap,
    detail_type,
)
from models.events import EventKind
from models.words import title

END = datetime(2031, 3, 9, 7, 59, tzinfo=UTC)
WEEK = CampaignDetail(name="Lantern Week", game="Harbour Lights")


def changed(*changes: FieldChange) -> CampaignDetail:
    return CampaignDetail(name="Lantern Week", game="Harbour Lights", changes=changes)


TITLES: list[tuple[EventKind, str | None, EventDetail, str]] = [
    (EventKind.CAMPAIGN_ADDED, "twitch", WEEK, "New drops on Twitch – Harbour Lights: Lantern Week"),
    (EventKind.CAMPAIGN_ADDED, "kick", CampaignDetail(name="Anywhere"), "New drops on Kick – Anywhere"),
    (EventKind.CAMPAIGN_ADDED, "chzzk", CampaignDetail(name="Rust", game="Rust"), "New drops on CHZZK – Rust"),
    (EventKind.CAMPAIGN_ADDED, "mixer", CampaignDetail(name="Old"), "New drops on mixer – Old"),
    (EventKind.CAMPAIGN_STARTED, "twitch", WEEK, "Drops started on Twitch – Harbour Lights: Lantern Week"),
    (EventKind.CAMPAIGN_ENDED, "twitch", WEEK, "Drops ended on Twitch – Harbour Lights: Lantern Week"),
    (
        EventKind.CAMPAIGN_WITHDRAWN,
        "twitch",
        WEEK,
        "Withdrawn before its end on Twitch – Harbour Lights: Lantern Week",
    ),
    (EventKind.CAMPAIGN_RETURNED, "twitch", WEEK, "Is listed again on Twitch – Harbour Lights: Lantern Week"),
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
        CampaignDetail(name="Week", drops_added=(DropLine(name="Hat"),)),
        "1 more drop on Twitch – Week",
    ),
    (
        EventKind.CAMPAIGN_DROP_ADDED,
        "twitch",
        CampaignDetail(name="Week", drops_added=(DropLine(name="Hat"), DropLine(name="Cap"))),
        "2 more drops on Twitch – Week",
    ),
    (
        EventKind.CAMPAIGN_CHANNELS_CHANGED,
        "twitch",
        CampaignDetail(name="Week", channels_added=("ann", "bob"), channels_removed=("cid",)),
        "Channels changed on Twitch – Week (2 added, 1 removed)",
    ),
    (
        EventKind.CAMPAIGN_CHANNELS_CHANGED,
        "twitch",
        CampaignDetail(name="Week", channels_removed=("cid",), channels=("ann",), channels_total=1),
        "Channels changed on Twitch – Week (1 removed)",
    ),
    (
        EventKind.CAMPAIGN_CHANNELS_CHANGED,
        "twitch",
        CampaignDetail(name="Week", channels_removed=("cid", "dee")),
        "Channels changed on Twitch – Week (2 removed, every channel counts now)",
    ),
    (EventKind.LIBRARY_ADDED, None, LibraryDetail(game="Rez", store="steam"), "New in your library – Rez (Steam)"),
    (
        EventKind.LIBRARY_ADDED,
        None,
        LibraryDetail(origin="games.csv", total=42, games=(LibraryLine(name="Ico"), LibraryLine(name="Rez"))),
        "New in your library – Ico, Rez and 40 more (games.csv)",
    ),
    (EventKind.LIBRARY_GONE, None, LibraryDetail(game="Rez", store="gog"), "No longer in your library – Rez (GOG)"),
    (EventKind.LIBRARY_RETURNED, None, LibraryDetail(game="Rez"), "Back in your library – Rez"),
    (EventKind.PLAY_STARTED, None, LibraryDetail(game="Rez"), "You started Rez"),
    (EventKind.PLAY_FINISHED, None, LibraryDetail(game="Rez", platform="Dreamcast"), "You finished Rez on Dreamcast"),
    (
        EventKind.LIST_CHANGED,
        None,
        LibraryDetail(name="Top 25", moved=(LibraryLine(name="Rez", place=2, place_before=7),)),
        "Top 25 – Rez from 7 to 2",
    ),
    (
        EventKind.LIST_CHANGED,
        None,
        LibraryDetail(
            name="Top 25",
            added=tuple(LibraryLine(name=name, place=at) for at, name in enumerate(("Ico", "Okami", "Rez", "Gris"), 1)),
            removed=(LibraryLine(name="Limbo"), LibraryLine(name="Inside")),
        ),
        "Top 25 – Ico added at 1, Okami added at 2, Rez added at 3, Gris added at 4, and 2 more changes",
    ),
    (EventKind.REWARD_ADDED, "twitch", CampaignDetail(name="Quest"), "New reward on Twitch – Quest"),
    (EventKind.REWARD_ENDED, "twitch", CampaignDetail(name="Quest"), "Reward ended on Twitch – Quest"),
    (
        EventKind.SOURCE_FAILING,
        "kick",
        SourceDetail(name="kick.drops", reason="no connection"),
        "Source kick.drops is failing: no connection",
    ),
    (EventKind.SOURCE_RECOVERED, "kick", SourceDetail(name="kick.drops"), "Source kick.drops works again"),
    (
        EventKind.SOURCE_CHANGED,
        "kick",
        SourceDetail(name="kick.drops", reason="not JSON"),
        "Source kick.drops sent something unexpected: not JSON",
    ),
]


STREAM = StreamDetail(name="Ranked to Radiant", channel="shroud", channel_login="shroud", game="VALORANT")
RECAP = StreamRecap(started_at=END, ended_at=END, seconds=18_730)


def stream(**fields: Any) -> StreamDetail:
    return msgspec.structs.replace(STREAM, **fields)


def moved(old: str | None, new: str | None) -> StreamDetail:
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
    (EventKind.STREAM_RERUN, stream(type="rerun"), "shroud shows a rerun: VALORANT – Ranked to Radiant"),
    (EventKind.STREAM_RERUN, stream(type="watch_party", game=None, name=None), "shroud holds a watch party"),
    (
        EventKind.STREAM_RERUN,
        stream(type="film_night", game=None),
        "shroud shows a film night, not live: Ranked to Radiant",
    ),
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
    (
        EventKind.CAMPAIGN_WATCHABLE,
        CampaignDetail(name="Champions", channel_login="shroud", game="VALORANT"),
        "Watch shroud for drops – VALORANT: Champions",
    ),
    (EventKind.BADGE_ADDED, CampaignDetail(name="GLHF Pledge"), "New chat badge on Twitch – GLHF Pledge"),
]


@pytest.mark.parametrize(("kind", "detail", "expected"), STREAM_TITLES, ids=[case[2] for case in STREAM_TITLES])
def test_a_stream_is_headed_by_who_what_and_nothing_twice(kind: EventKind, detail: EventDetail, expected: str) -> None:
    assert title(kind, "twitch", detail) == expected


@pytest.mark.parametrize(("kind", "service", "detail", "expected"), TITLES, ids=[case[3] for case in TITLES])
def test_a_title_is_one_plain_line(kind: EventKind, service: str | None, detail: EventDetail, expected: str) -> None:
    assert title(kind, service, detail) == expected


@pytest.mark.parametrize("kind", EventKind)
def test_every_kind_of_event_has_a_title_even_where_little_is_known(kind: EventKind) -> None:
    assert "Lantern Week" in title(kind, None, detail_type(kind)(name="Lantern Week"))


def test_a_kind_without_words_has_a_title_too_so_that_its_transaction_does_not_fail() -> None:
    without: Any = "campaign.of_tomorrow"

    assert title(without, "twitch", CampaignDetail(name="Lantern\nWeek")) == "Campaign of tomorrow: Lantern Week"


def test_a_name_with_line_breaks_and_tabs_still_heads_one_line() -> None:
    detail = CampaignDetail(name="Lantern\r\nBcc: ann\t Week\u2028!", game="H\nL")

    assert title(EventKind.CAMPAIGN_ADDED, "twitch", detail) == "New drops on Twitch – H L: Lantern Bcc: ann Week !"
