"""The words of kinds, fields and units, and where feeds and messages say a thing differently."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from models.details import (
    CampaignDetail,
    CategoryTime,
    EventDetail,
    FieldChange,
    ReleaseDetail,
    StreamDetail,
    StreamRecap,
    detail_type,
)
from models.events import EventKind
from models.words import (
    KINDS,
    counted_kind,
    feed_summary,
    kind_label,
    link_label,
    message_facts,
    message_note,
    names,
    streams,
    title,
)
from models.words.campaigns import allowed, requirement, requirement_at_length
from models.words.fields import FieldWords, field_words
from models.words.units import (
    counted,
    counted_plainly,
    distance,
    duration,
    length,
    moment,
    moment_in_figures,
    moment_in_title,
    service_heading,
    service_name,
)

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def test_every_kind_of_event_has_its_words() -> None:
    assert KINDS.keys() == set(EventKind), "a kind needs a row in the table of its family, in models/words/"


@pytest.mark.parametrize("kind", EventKind)
def test_the_words_of_a_kind_are_words(kind: EventKind) -> None:
    assert kind_label(kind)[0].isupper()
    for count in (1, 2):
        assert "." not in counted_kind(kind, count)
    assert counted_kind(kind, 1).startswith("1 ")


@pytest.mark.parametrize("kind", EventKind)
def test_of_an_event_of_which_nothing_is_known_feeds_and_messages_say_nothing(kind: EventKind) -> None:
    detail = detail_type(kind)()

    assert not list(names(detail))
    assert not list(feed_summary(kind, detail))
    assert not [value for _, value in message_facts(kind, None, detail) if value]
    assert not message_note(kind, detail)
    assert link_label(kind, detail) in {"Details", "Watch", "Channel", "Listen"}


def test_a_kind_of_a_newer_version_is_called_by_its_own_name() -> None:
    assert kind_label("campaign.of_tomorrow") == "Campaign of tomorrow"
    assert counted_kind("campaign.of_tomorrow", 2) == "2 campaign.of_tomorrow"


@pytest.mark.parametrize(
    ("field", "words"),
    [
        ("end_at", FieldWords("End", "End", "end")),
        ("image_url", FieldWords("Picture", "Image url", "image_url")),
        ("drop", FieldWords("Drop", "Drop", "a drop removed")),
        ("of_tomorrow", FieldWords("Of tomorrow", "Of tomorrow", "of_tomorrow")),
    ],
)
def test_a_field_is_called_what_feeds_messages_and_headlines_call_it(field: str, words: FieldWords) -> None:
    assert field_words(field) == words


def test_a_service_that_is_new_to_us_keeps_its_name() -> None:
    assert (service_name("chzzk"), service_heading("chzzk")) == ("CHZZK", "CHZZK")
    assert (service_name("mixer"), service_heading("mixer")) == ("mixer", "Mixer")


def test_times_are_shown_in_utc_whatever_their_zone() -> None:
    assert moment_in_figures(datetime.fromisoformat("2026-11-21T01:30:00+09:00")) == "2026-11-20 16:30 UTC"
    assert moment_in_figures(datetime(2026, 1, 2, 3, 4, tzinfo=UTC)) == "2026-01-02 03:04 UTC"
    assert moment_in_title(datetime.fromisoformat("2026-11-21T01:30:00+09:00")) == "20 Nov 16:30 UTC"
    assert moment(datetime.fromisoformat("2026-11-21T01:30:00+09:00")) == "Fri 20 Nov 2026, 16:30 UTC"
    assert moment(NOON, this_year=2026) == "Fri 20 Nov, 12:00 UTC"


@pytest.mark.parametrize(
    ("seconds", "words"), [(0, "less than a minute"), (59, "less than a minute"), (60, "1 min"), (9_059, "2 h 30 min")]
)
def test_a_length_is_said_in_hours_and_minutes(seconds: int, words: str) -> None:
    assert length(seconds) == words


def test_durations_and_distances_are_said_as_people_do() -> None:
    assert [duration(minutes) for minutes in (0, 45, 120, 150)] == ["0 min", "45 min", "2 h", "2 h 30 min"]
    spans = (timedelta(minutes=59), timedelta(hours=1), timedelta(hours=47), timedelta(hours=48))
    assert [distance(span) for span in spans] == ["less than an hour", "1 hour", "47 hours", "2 days"]


def test_a_number_has_its_noun_in_the_plural_where_it_takes_one() -> None:
    assert [counted(number, "day") for number in (0, 1, 1200)] == ["0 days", "1 day", "1,200 days"]
    assert [counted_plainly(number, "day") for number in (0, 1, 1200)] == ["0 days", "1 day", "1200 days"]


def test_messages_say_what_a_drop_asks_for_at_length() -> None:
    pairs = [(None, None, None), (60, None, 0), (240, 1, 0), (None, 2, None), (0, 0, 1)]
    assert [requirement(*pair) for pair in pairs] == ["", "1 h", "4 h + 1 sub", "2 subs", "1 Turbo sub"]
    assert [requirement_at_length(*pair) for pair in pairs] == [
        "",
        "60 min",
        "240 min = 4 h and 1 subscription",
        "2 subscriptions",
        "1 Turbo subscription",
    ]


@pytest.mark.parametrize(
    ("detail", "expected"),
    [
        (CampaignDetail(channel_login="ann", game="Rust", organization="Facepunch"), ["ann", "Rust", "Facepunch"]),
        (StreamDetail(channel="Ann", channel_login="ann", game="Rust"), ["Ann", "Rust"]),
        (ReleaseDetail(name="Rust: Depths", game="Rust"), ["Rust"]),
    ],
)
def test_an_event_is_about_its_channel_game_and_organization(detail: EventDetail, expected: list[str]) -> None:
    assert list(names(detail)) == expected


def test_a_feed_and_a_message_count_viewers_in_words_of_their_own() -> None:
    recap = StreamRecap(
        started_at=NOON,
        ended_at=NOON,
        seconds=50,
        peak_viewers=2000,
        average_viewers=1,
        categories=(CategoryTime(name=None, seconds=50),),
    )
    detail = StreamDetail(recap=recap)

    assert list(feed_summary("stream.offline", detail)) == [
        "less than a minute",
        "1 viewer on average, 2,000 at the peak",
    ]
    assert ("Viewers", "1 on average, 2,000 at the peak") in list(message_facts("stream.offline", None, detail))
    assert streams.feed_categories(detail) == ("No category: less than a minute",)
    assert streams.message_categories(detail) == ()


@pytest.mark.parametrize(
    ("when", "before", "words"),
    [("2027-03-30", "2026-12-01", "119 days"), ("2027-Q1", "2026-12-01", "about 4 months")],
)
def test_a_feed_a_message_and_a_headline_say_a_delay_in_the_same_words(when: str, before: str, words: str) -> None:
    detail = ReleaseDetail(game="Rust", days=119, is_delay=True, when=when, when_before=before)

    assert f"a delay of {words}" in list(feed_summary("release.moved", detail))
    assert ("Delay", words) in list(message_facts("release.moved", "igdb", detail))
    assert f"delayed by {words} to" in title(EventKind.RELEASE_MOVED, "igdb", detail)


CAMPAIGN = CampaignDetail(
    name="Lantern Week",
    game="Harbour Lights",
    start_at=NOON + timedelta(days=1),
    end_at=NOON + timedelta(days=2),
    channels=("ann", "bob"),
    channels_total=2,
)


@pytest.mark.parametrize(
    "kind",
    [
        EventKind.CAMPAIGN_ENDING_SOON,
        EventKind.CAMPAIGN_LAST_CHANCE,
        EventKind.CAMPAIGN_ENDED,
        EventKind.CAMPAIGN_WITHDRAWN,
        EventKind.REWARD_ENDED,
    ],
)
def test_what_ends_says_so_once(kind: EventKind) -> None:
    assert message_note(kind, CAMPAIGN) == ""
    assert message_note(EventKind.CAMPAIGN_STARTED, CAMPAIGN) == "ends 2026-11-22 12:00 UTC"


def test_a_change_of_the_end_alone_says_it_once() -> None:
    end = FieldChange(field="end_at", old="2026-11-21T12:00:00Z", new="2026-11-22T12:00:00Z")
    name = FieldChange(field="name", old="a", new="b")
    for changes, note in (((end,), ""), ((end, name), "ends 2026-11-22 12:00 UTC")):
        detail = msgspec.structs.replace(CAMPAIGN, changes=changes)
        assert message_note(EventKind.CAMPAIGN_CHANGED, detail) == note


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (EventKind.CAMPAIGN_ADDED, "Coming drops on Twitch, starting 21 Nov 12:00 UTC – Harbour Lights: Lantern Week"),
        (EventKind.REWARD_ADDED, "Coming reward on Twitch, starting 21 Nov 12:00 UTC – Harbour Lights: Lantern Week"),
    ],
)
def test_what_begins_later_is_not_headed_as_if_it_were_on(kind: EventKind, words: str) -> None:
    assert title(kind, "twitch", CAMPAIGN, NOON) == words
    on = title(kind, "twitch", CAMPAIGN, NOON + timedelta(days=1))
    assert "Coming" not in on
    assert "starting" not in on
    assert title(EventKind.CAMPAIGN_CHANGED, "twitch", CAMPAIGN, NOON).startswith("Changed")


def test_a_campaign_counts_on_the_channels_that_are_still_named() -> None:
    gone = msgspec.structs.replace(CAMPAIGN, channels_removed=("ann",))
    assert allowed(CAMPAIGN) == (("ann", "bob"), 2)
    assert allowed(gone) == (("bob",), 1)
    # As events of older versions hold a list that became empty.
    assert allowed(msgspec.structs.replace(CAMPAIGN, channels_removed=("ann", "bob"))) == ((), 0)
    others = msgspec.structs.replace(CAMPAIGN, channels_total=4000, channels_removed=("cid",))
    assert allowed(others) == (("ann", "bob"), 4000)


@pytest.mark.parametrize("kind", EventKind)
def test_a_headline_without_names_has_no_end_hanging_in_the_air(kind: EventKind) -> None:
    headline = title(kind, "twitch", detail_type(kind)())
    assert not headline.endswith(("–", ":"))
    assert "None" not in headline
