"""Calendars: read back with icalendar, through changes, an export and an import."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from icalendar import Calendar
from sqlalchemy import insert

from feeds.calendar_content import CampaignSpan, ReleaseDay, ReleaseNews, release_days
from feeds.content import FeedContent
from feeds.formats import CALENDAR_ENDING, render_feed
from models import CampaignDeadline
from models.details import BenefitLine, CampaignDetail, DropLine, ReleaseDetail
from tests.examples import examples
from tests.feeds.test_item_html import TEXTS
from tests.feeds.world import BASE_URL, NOON, Publishing

DETAIL = CampaignDetail(
    name="Winter Trawl",
    url="https://example.com/details?a=1&b=2",
    game="Gloomtide",
    organization="Tidewarden",
    start_at=NOON,
    end_at=NOON + timedelta(days=3),
    drops=(
        DropLine(required_minutes=90, benefits=(BenefitLine(name="Lantern"),)),
        DropLine(required_subs=2, benefits=(BenefitLine(name="Banner; gold, silver\\n"),)),
    ),
    channels_total=2,
    channels=("captbrine", "bogwitch"),
)
SPAN = CampaignSpan(
    subject="campaign/twitch/a b,c",
    sequence=2,
    kind="campaign.changed",
    occurred_at=NOON,
    service="twitch",
    detail=DETAIL,
)
DAY = ReleaseDay(
    subject="release/igdb/5/release/PC",
    sequence=1,
    occurred_at=NOON,
    when="2026-11-21",
    game="Gloomtide",
    platforms=("PC", "PlayStation 5 (Japan)"),
    url="https://www.igdb.com/games/gloomtide",
)


# icalendar's types allow each property to be of any kind.
Component = Any


def written(*entries: Any, **feed: Any) -> bytes:
    content = FeedContent(feed_id=1, version=1, scope="game", path="games/x-1", title="Gloomtide", **feed)
    return render_feed(content, BASE_URL, None, entries)[CALENDAR_ENDING]


def read(data: bytes) -> list[Component]:
    return list(Calendar.from_ical(data).walk("VEVENT"))


def only(*entries: Any) -> Component:
    [event] = read(written(*entries))
    return event


def alarm_of(event: Component) -> datetime:
    [alarm] = event.walk("VALARM")
    trigger: datetime = alarm.decoded("TRIGGER")
    assert alarm["TRIGGER"].params["VALUE"] == "DATE-TIME"
    assert alarm["ACTION"] == "DISPLAY"
    assert alarm["DESCRIPTION"]
    return trigger


def test_a_campaign_is_a_span_that_says_what_can_be_earned_and_how() -> None:
    event = only(SPAN)

    assert event["SUMMARY"] == "Gloomtide: Winter Trawl (Twitch drops)"
    assert event.decoded("DTSTART") == NOON
    assert event.decoded("DTEND") == NOON + timedelta(days=3)
    assert event["UID"] == "campaign/twitch/a%20b%2Cc@lootwire"
    assert (event["SEQUENCE"], event["STATUS"], event["TRANSP"]) == (2, "CONFIRMED", "TRANSPARENT")
    assert event["URL"] == "https://example.com/details?a=1&b=2"
    assert event.decoded("DTSTAMP") == event.decoded("LAST-MODIFIED") == NOON
    assert event["DESCRIPTION"] == (
        "By Tidewarden\n1 h 30 min – Lantern\n2 subs – Banner; gold, silver\\n\n"
        "Counts on 2 channels: captbrine, bogwitch"
    )
    assert [str(category) for category in event["CATEGORIES"].cats] == ["Twitch", "Drops"]


def test_the_alarm_comes_while_there_is_time_for_all_drops() -> None:
    at = NOON + timedelta(days=3) - timedelta(minutes=100)
    assert alarm_of(only(SPAN)) == at


def test_the_alarm_is_that_of_the_last_chance_where_it_is_known() -> None:
    at = NOON + timedelta(days=2)
    assert alarm_of(only(msgspec.structs.replace(SPAN, last_chance_at=at))) == at


def test_where_nothing_has_to_be_watched_the_alarm_comes_a_day_before_the_end() -> None:
    detail = msgspec.structs.replace(DETAIL, drops=())
    assert alarm_of(only(msgspec.structs.replace(SPAN, detail=detail))) == NOON + timedelta(days=2)


@pytest.mark.parametrize("kind", ["campaign.ended", "campaign.withdrawn", "reward.ended"])
def test_what_is_over_sounds_no_alarm(kind: str) -> None:
    assert only(msgspec.structs.replace(SPAN, kind=kind)).walk("VALARM") == []


def test_a_withdrawn_campaign_is_cancelled_and_keeps_its_identity() -> None:
    event = only(msgspec.structs.replace(SPAN, kind="campaign.withdrawn", sequence=3))

    assert event["STATUS"] == "CANCELLED"
    assert event["UID"] == only(SPAN)["UID"]
    assert event["DESCRIPTION"].startswith("Withdrawn before its end.")


@pytest.mark.parametrize(
    ("start_at", "end_at", "expected"),
    [
        (None, NOON, (NOON, None)),
        (NOON, None, (NOON, None)),
        (NOON, NOON, (NOON, None)),
        (NOON, NOON - timedelta(days=1), (NOON, None)),
    ],
)
def test_a_campaign_of_which_one_time_is_known_is_a_moment(
    start_at: datetime | None, end_at: datetime | None, expected: tuple[datetime, datetime | None]
) -> None:
    event = only(
        msgspec.structs.replace(SPAN, detail=msgspec.structs.replace(DETAIL, start_at=start_at, end_at=end_at))
    )
    assert (event.decoded("DTSTART"), event.get("DTEND")) == expected


def test_a_campaign_without_times_is_in_no_calendar() -> None:
    detail = msgspec.structs.replace(DETAIL, start_at=None, end_at=None)
    assert read(written(msgspec.structs.replace(SPAN, detail=detail))) == []


@pytest.mark.parametrize(
    ("when", "first", "after", "status", "title"),
    [
        ("2026-11-21", date(2026, 11, 21), date(2026, 11, 22), "CONFIRMED", "Gloomtide out"),
        ("2026-11", date(2026, 11, 1), date(2026, 12, 1), "TENTATIVE", "Gloomtide out (November 2026)"),
        ("2026-Q4", date(2026, 12, 31), date(2027, 1, 1), "TENTATIVE", "Gloomtide out (Q4 2026)"),
        ("2027", date(2027, 12, 31), date(2028, 1, 1), "TENTATIVE", "Gloomtide out (2027)"),
    ],
)
def test_a_release_is_a_whole_day_and_tentative_while_no_day_is_known(
    when: str, first: date, after: date, status: str, title: str
) -> None:
    event = only(msgspec.structs.replace(DAY, when=when))

    assert (event.decoded("DTSTART"), event.decoded("DTEND")) == (first, after)
    assert event["DTSTART"].params["VALUE"] == "DATE"
    assert (event["STATUS"], event["SUMMARY"]) == (status, title)
    assert event["DESCRIPTION"].startswith("On PC, PlayStation 5 (Japan)")


def test_a_release_that_is_off_is_cancelled_on_the_day_that_it_had() -> None:
    event = only(msgspec.structs.replace(DAY, is_cancelled=True))
    assert (event["STATUS"], event.decoded("DTSTART")) == ("CANCELLED", date(2026, 11, 21))


@pytest.mark.parametrize("when", ["tbd", "soon", "2026-13", ""])
def test_a_release_of_which_nobody_knows_when_is_in_no_calendar(when: str) -> None:
    assert read(written(msgspec.structs.replace(DAY, when=when))) == []


def news(kind: str, *platforms: str, minute: int = 0, **detail: Any) -> ReleaseNews:
    return ReleaseNews(
        subject="release/igdb/5",
        kind=f"release.{kind}",
        occurred_at=NOON + timedelta(minutes=minute),
        detail=ReleaseDetail(game="Gloomtide", platforms=platforms, **detail),
    )


def test_platforms_with_one_date_stand_together_under_the_first_and_part_when_one_moves() -> None:
    story = [news("announced", "PS5", when="2026-Q4"), news("announced", "PC", when="2026-Q4", minute=1)]
    story.append(news("precised", "PC", "PS5", when="2026-11-21", when_before="2026-Q4", minute=2))

    [together] = release_days(story)
    assert (together.subject, together.when) == ("release/igdb/5/release/PS5", "2026-11-21")
    assert (together.platforms, together.sequence, together.occurred_at) == (
        ("PS5", "PC"),
        2,
        NOON + timedelta(minutes=2),
    )
    story.append(news("moved", "PC", when="2026-12-05", when_before="2026-11-21", minute=3))
    assert [(day.subject, day.when, day.sequence) for day in release_days(story)] == [
        ("release/igdb/5/release/PS5", "2026-11-21", 3),
        ("release/igdb/5/release/PC", "2026-12-05", 3),
    ]


def test_stages_of_a_game_are_days_of_their_own() -> None:
    story = [news("announced", "PC", when="2026-11-21"), news("announced", "PC", when="2026-10-01", stage="beta")]
    assert {(day.subject, day.when) for day in release_days(story)} == {
        ("release/igdb/5/release/PC", "2026-11-21"),
        ("release/igdb/5/beta/PC", "2026-10-01"),
    }


def test_a_game_that_is_called_off_cancels_all_its_days_and_one_that_is_postponed_has_none() -> None:
    story = [news("announced", "PC", "PS5", when="2026-11-21")]

    [cancelled] = release_days([*story, news("cancelled", minute=1)])
    assert (cancelled.is_cancelled, cancelled.when, cancelled.platforms) == (True, "2026-11-21", ("PC", "PS5"))
    assert release_days([*story, news("moved", "PC", "PS5", when="tbd", when_before="2026-11-21", minute=1)]) == []


def test_a_calendar_says_what_it_is_and_when_to_ask_again() -> None:
    calendar = Calendar.from_ical(written(SPAN))

    assert calendar["NAME"] == calendar["X-WR-CALNAME"] == "Gloomtide · Lootwire"
    assert calendar["SOURCE"] == f"{BASE_URL}/games/x-1.ics"
    assert calendar["URL"] == f"{BASE_URL}/games/x-1.html"
    assert calendar["REFRESH-INTERVAL"].params["VALUE"] == "DURATION"
    assert calendar.decoded("REFRESH-INTERVAL") == timedelta(hours=1)
    assert (calendar["VERSION"], calendar["PRODID"]) == ("2.0", "-//Lootwire//Lootwire//EN")
    assert Calendar.from_ical(written(ttl_minutes=240)).decoded("REFRESH-INTERVAL") == timedelta(hours=4)


def test_a_calendar_in_which_there_is_nothing_yet_is_still_one() -> None:
    calendar = Calendar.from_ical(written())
    assert [component.name for component in calendar.subcomponents] == ["VTIMEZONE"]


def test_an_archive_page_and_a_feed_of_a_scope_without_spans_have_no_calendar() -> None:
    page = FeedContent(feed_id=1, version=1, scope="game", path="games/x-1", title="x", archives=3, archive=2)
    channel = FeedContent(feed_id=1, version=1, scope="channel", path="channels/x-1", title="x")

    for feed in (page, channel):
        assert not any(ending.endswith(CALENDAR_ENDING) for ending in render_feed(feed, BASE_URL))


@settings(max_examples=examples(100), deadline=None)
@given(texts=st.tuples(*[TEXTS] * 8), title=TEXTS)
def test_whatever_an_event_says_no_line_of_a_calendar_is_made_of_it(texts: Sequence[str], title: str) -> None:
    name, game, organization, benefit, channel, subject, platform, service = texts
    detail = CampaignDetail(
        name=name + "\r\nBEGIN:VEVENT",
        game=game,
        organization=organization,
        url=name,
        start_at=NOON,
        end_at=NOON + timedelta(days=1),
        drops=(DropLine(name=benefit, benefits=(BenefitLine(name=f"\nDTSTART:19700101\n{benefit * 9}"),)),),
        channels=(channel,),
        channels_total=1,
    )
    span = CampaignSpan(
        subject=subject, sequence=0, kind="campaign.added", occurred_at=NOON, service=service, detail=detail
    )
    day = ReleaseDay(
        subject=subject, sequence=0, occurred_at=NOON, when="2026-12", game=game, platforms=(platform,), url=platform
    )
    content = FeedContent(feed_id=1, version=1, scope="all", path="all", title=title)

    data = render_feed(content, BASE_URL, None, (span, day))[CALENDAR_ENDING]

    lines = data.split(b"\r\n")
    assert all(len(line) <= 75 for line in lines)
    assert not any(byte < 32 or byte == 127 for line in lines for byte in line)
    assert [line for line in lines if line.startswith((b"BEGIN", b"DTSTART"))] == [
        *(b"BEGIN:VCALENDAR", b"BEGIN:VEVENT", b"DTSTART:20261120T120000Z", b"BEGIN:VALARM"),
        *(b"BEGIN:VEVENT", b"DTSTART;VALUE=DATE:20261201"),
    ]
    campaign, release = read(data)
    assert "BEGIN:VEVENT" in campaign["SUMMARY"] or len(campaign["SUMMARY"]) >= 100
    assert not campaign.errors
    assert not release.errors


class Calendars:
    """A published campaign whose calendar a program reads after each change."""

    def __init__(self, world: Publishing) -> None:
        self.world = world
        self.game = world.game()
        self.campaign = world.campaign(game_id=self.game)

    def event(self, kind: str, minute: int, **changed: Any) -> None:
        at = NOON + timedelta(minutes=minute)
        detail = msgspec.structs.replace(DETAIL, **changed)
        self.world.event(kind=kind, campaign_id=self.campaign, game_id=self.game, at=at, detail=detail)

    def entries(self, path: str) -> dict[str, Component]:
        self.world.publish()
        events = read((self.world.root / f"{path}.ics").read_bytes())
        by_uid = {str(event["UID"]): event for event in events}
        assert len(by_uid) == len(events)
        return by_uid


def test_a_calendar_program_sees_each_change_of_a_campaign_as_an_update_and_never_doubles(world: Publishing) -> None:
    calendars = Calendars(world)
    later = NOON + timedelta(days=5)
    states = []
    story: list[tuple[str, dict[str, Any]]] = [
        ("campaign.added", {}),
        ("campaign.changed", {"end_at": later}),
        ("campaign.watchable", {"name": "Of one channel"}),
        ("campaign.withdrawn", {"end_at": later}),
        ("campaign.returned", {"end_at": later}),
    ]
    for minute, (kind, changed) in enumerate(story):
        calendars.event(kind, minute, **changed)
        seen = [calendars.entries(path) for path in ("all", "services/twitch")]
        [[uid, event]] = seen[0].items()
        assert seen[1][uid].to_ical() == event.to_ical()
        states.append((uid, event["SEQUENCE"], event["STATUS"], event.decoded("DTEND"), event.decoded("DTSTAMP")))

    end = NOON + timedelta(days=3)
    assert len({uid for uid, *_ in states}) == 1
    assert [state[1:] for state in states] == [
        (0, "CONFIRMED", end, NOON),
        (1, "CONFIRMED", later, NOON + timedelta(minutes=1)),
        # It tells of a channel, not of the campaign.
        (1, "CONFIRMED", later, NOON + timedelta(minutes=1)),
        (2, "CANCELLED", later, NOON + timedelta(minutes=3)),
        (3, "CONFIRMED", later, NOON + timedelta(minutes=4)),
    ]


def test_the_alarm_of_a_published_campaign_is_that_of_its_deadline(world: Publishing) -> None:
    calendars = Calendars(world)
    calendars.event("campaign.added", 0)
    at = NOON + timedelta(days=2, hours=3)
    with world.engine.begin() as connection:
        deadline = {"campaign_id": calendars.campaign, "kind": "last_chance", "due_at": at}
        connection.execute(insert(CampaignDeadline).values(deadline))

    [event] = calendars.entries("all").values()

    assert alarm_of(event) == at


def test_a_calendar_of_what_was_looked_for_in_a_feed_has_what_is_on_it(world: Publishing) -> None:
    calendars = Calendars(world)
    calendars.event("campaign.added", 0)
    other = world.campaign("Other")
    world.event(campaign_id=other, detail=DETAIL)
    calendars.event("campaign.ending_soon", 5)

    soon = calendars.entries("ending-soon")

    assert [event["SEQUENCE"] for event in soon.values()] == [1]
    assert len(calendars.entries("all")) == 2


def test_releases_are_in_the_calendars_of_their_game_and_platform(world: Publishing) -> None:
    game = world.game()
    world.event(
        kind="release.announced",
        service="igdb",
        game_id=game,
        key="release.announced:igdb/5:abc",
        detail=ReleaseDetail(game="Gloomtide", platforms=("PC", "PlayStation 5 (Japan)"), when="2026-12"),
    )
    world.event(
        kind="release.precised",
        service="igdb",
        game_id=game,
        key="release.precised:igdb/5:abd",
        at=NOON + timedelta(hours=1),
        detail=ReleaseDetail(game="Gloomtide", platforms=("PC",), when="2026-12-05", when_before="2026-12"),
    )
    world.publish()

    days = {}
    for path in (*world.root.glob("releases*.ics"), *world.root.glob("*/*.ics"), world.root / "all.ics"):
        days[path.name] = {str(event["UID"]): event.decoded("DTSTART") for event in read(path.read_bytes())}
    both = {
        "release/igdb/5/release/PC@lootwire": date(2026, 12, 5),
        "release/igdb/5/release/PlayStation%205%20%28Japan%29@lootwire": date(2026, 12, 1),
    }
    assert days["all.ics"] == days["releases.ics"] == both
    [of_game] = [some for name, some in days.items() if name.startswith("gloomtide-")][:1]
    assert of_game == both
    [of_pc] = [some for name, some in days.items() if name.startswith("pc-")]
    assert of_pc == {"release/igdb/5/release/PC@lootwire": date(2026, 12, 5)}


def test_times_at_the_ends_of_the_calendar_make_no_calendar_fail() -> None:
    edges = (datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC))
    detail = msgspec.structs.replace(DETAIL, start_at=edges[0], end_at=edges[0] + timedelta(minutes=1))
    spans = [msgspec.structs.replace(SPAN, detail=detail)]
    detail = msgspec.structs.replace(DETAIL, start_at=edges[0], end_at=edges[1])
    spans.append(msgspec.structs.replace(SPAN, detail=detail, subject="b"))
    last = msgspec.structs.replace(DAY, when="9999-12-31")

    assert len(read(written(*spans, last))) == 3


def test_a_campaign_that_was_never_on_a_feed_is_in_no_calendar(world: Publishing) -> None:
    world.campaign("Unseen")
    assert Calendars(world).entries("all") == {}
