"""iCalendar (RFC 5545, and RFC 7986 for what a calendar says of itself), by the library icalendar. Pure.

Campaigns are spans with an alarm before the last moment to begin, releases are days. An entry keeps its UID for ever,
and its SEQUENCE grows with each event about it: so a calendar program updates what it has. All times are in UTC.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING
from urllib.parse import quote

import msgspec

from feeds.calendar_content import CalendarEntry, CampaignSpan, ReleaseDay
from feeds.formats.document import CALENDAR_ENDING, Document, description, document_title, page_url
from feeds.sanitise import one_line, safe_url
from models.details import CampaignDetail, DropLine
from models.periods import read_period
from models.words.campaigns import allowed, gives_rewards, is_over, requirement
from models.words.units import counted, in_utc, moment, service_heading

if TYPE_CHECKING:
    from icalendar import Alarm, Event

PRODUCT = "-//Lootwire//Lootwire//EN"
# A calendar changes less often than what is on its feed, and its programs ask for megabytes each time.
LEAST_REFRESH = timedelta(hours=1)
DROPS_SHOWN = 15
# As `campaign.last_chance` does: to sit down takes a moment.
AHEAD = timedelta(minutes=10)
# Where nothing has to be watched, a day before the end.
DAY_BEFORE = timedelta(days=1)
_CLOSING = b"END:VCALENDAR\r\n"
# A calendar must have something in it (RFC 5545, section 3.6): where nothing is known yet, the zone of its times.
_NOTHING = (
    b"BEGIN:VTIMEZONE\r\nTZID:UTC\r\nBEGIN:STANDARD\r\nDTSTART:19700101T000000\r\n"
    b"TZOFFSETFROM:+0000\r\nTZOFFSETTO:+0000\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\n"
)


def render_calendar(document: Document) -> bytes:
    """Return the calendar of a feed."""
    from icalendar import Calendar, vDuration, vText, vUri

    feed, root = document.feed, document.root
    refresh = max(timedelta(minutes=feed.ttl_minutes), LEAST_REFRESH)
    calendar = Calendar()
    calendar.add("prodid", PRODUCT)
    calendar.add("version", "2.0")
    calendar.add("uid", f"{feed.path}@lootwire")
    calendar.add("source", vUri(f"{root}/{feed.path}{CALENDAR_ENDING}"), {"VALUE": "URI"})
    calendar.add("url", page_url(feed, root))
    # The second of each pair is what programs understood before RFC 7986.
    for name in ("name", "x-wr-calname"):
        calendar.add(name, vText(document_title(feed)))
    for name in ("description", "x-wr-caldesc"):
        calendar.add(name, vText(description(feed)))
    calendar.add("refresh-interval", vDuration(refresh), {"VALUE": "DURATION"})
    calendar.add("x-published-ttl", vDuration(refresh))
    written = calendar.to_ical(sorted=False)
    components = [component for entry in document.calendar if (component := component_bytes(entry))]
    return b"".join((written.removesuffix(_CLOSING), *(components or (_NOTHING,)), _CLOSING))


def component_bytes(entry: CalendarEntry) -> bytes:
    """Return an entry of a calendar as it stands there; b"" where nobody knows when it is."""
    if isinstance(entry, CampaignSpan) and entry.detail.changes:
        # A calendar shows none of them, and their values may be lists, which nothing is looked up by.
        entry = msgspec.structs.replace(entry, detail=msgspec.structs.replace(entry.detail, changes=()))
    return _component_bytes(entry)


# A campaign is in the calendars of several feeds, and most stay as they are from one publish to the next.
@lru_cache(maxsize=4096)
def _component_bytes(entry: CalendarEntry) -> bytes:
    component = _campaign(entry) if isinstance(entry, CampaignSpan) else _release(entry)
    return component.to_ical(sorted=False) if component is not None else b""


def _campaign(span: CampaignSpan) -> "Event | None":
    detail = span.detail
    start, end = (in_utc(at) if at else None for at in (detail.start_at, detail.end_at))
    begins = start or end
    if begins is None:
        return None
    event = _event(span, _title_of(span), detail.url or detail.account_link_url)
    event.add("dtstart", begins)
    if end and begins < end:
        event.add("dtend", end)
    event.add("status", "CANCELLED" if span.is_cancelled else "CONFIRMED")
    event.add("categories", [*filter(None, [_service(span)]), _what(span)])
    event.add("description", "\n".join(filter(None, map(one_line, _lines(span, detail)))))
    alarm = _alarm(span, end)
    if alarm is not None:
        event.add_component(alarm)
    return event


def _release(day: ReleaseDay) -> "Event | None":
    period = read_period(day.when)
    if period is None or period.first is None or period.last is None:
        return None
    # A bar over a whole quarter or year would bury all else: these stand on their last day.
    first = period.first if period.month is not None else period.last
    is_day = period.day is not None
    known = "" if is_day else f" ({period.words})"
    platforms = ", ".join(one_line(platform, 60) for platform in day.platforms)
    stage = f" {day.stage}" if day.stage else ""
    event = _event(day, f"{one_line(day.game or '', 120) or 'A game'}{stage} out{known}", day.url)
    event.add("dtstart", first)
    if period.last < date.max:
        event.add("dtend", period.last + timedelta(days=1))
    event.add("status", "CANCELLED" if day.is_cancelled else "CONFIRMED" if is_day else "TENTATIVE")
    event.add("categories", ["Releases"])
    lines = (f"On {platforms}" if platforms else "", "" if is_day else f"No day is known yet: {period.words}.")
    event.add("description", "\n".join(filter(None, map(one_line, lines))))
    return event


def _event(entry: CalendarEntry, summary: str, url: str | None) -> "Event":
    from icalendar import Event

    changed_at = in_utc(entry.occurred_at)
    event = Event()
    event.add("uid", f"{quote(entry.subject.encode('utf-8', 'surrogatepass'), safe='/')}@lootwire")
    event.add("dtstamp", changed_at)
    event.add("last-modified", changed_at)
    event.add("sequence", entry.sequence)
    event.add("summary", one_line(summary))
    # What can be earned or bought keeps nobody from an appointment.
    event.add("transp", "TRANSPARENT")
    if address := safe_url(url):
        event.add("url", address)
    return event


def _title_of(span: CampaignSpan) -> str:
    detail = span.detail
    name, game = (one_line(text or "", 120) for text in (detail.name, detail.game))
    about = f"{game}: {name}" if game and name and game != name else game or name
    return f"{about or 'A campaign'} ({' '.join(filter(None, (_service(span), _what(span).lower())))})"


def _service(span: CampaignSpan) -> str:
    return one_line(service_heading(span.service or ""), 60)


def _what(span: CampaignSpan) -> str:
    return "Rewards" if gives_rewards(span.kind) else "Drops"


def _lines(span: CampaignSpan, detail: CampaignDetail) -> Iterator[str]:
    if span.is_cancelled:
        yield "Withdrawn before its end."
    yield f"By {detail.organization}" if detail.organization else ""
    asks = requirement(detail.required_minutes, detail.required_subs, detail.required_turbo_subs)
    yield f"Asks for {asks}." if asks else ""
    yield from map(_step, detail.drops[:DROPS_SHOWN])
    more = len(detail.drops) - DROPS_SHOWN
    yield f"… and {more} more." if more > 0 else ""
    names, total = allowed(detail)
    if total:
        yield f"Counts on {counted(total, 'channel')}{': ' if names else ''}{', '.join(names)}"


def _step(drop: DropLine) -> str:
    asks = requirement(drop.required_minutes, drop.required_subs, drop.required_turbo_subs)
    given = ", ".join(one_line(benefit.name or "a reward", 120) for benefit in drop.benefits)
    return " – ".join(filter(None, (asks, given or one_line(drop.name or "", 120))))


def _alarm(span: CampaignSpan, end: datetime | None) -> "Alarm | None":
    from icalendar import Alarm

    # A program that gets a calendar for the first time would sound all alarms of what is over.
    if end is None or span.is_cancelled or is_over(span.kind):
        return None
    warns_at = in_utc(span.last_chance_at) if span.last_chance_at else _last_chance(span.detail, end)
    alarm = Alarm()
    alarm.add("action", "DISPLAY")
    alarm.add("trigger", warns_at, {"VALUE": "DATE-TIME"})
    alarm.add("description", one_line(f"Last chance: {_title_of(span)}, until {moment(end)}"))
    return alarm


def _last_chance(detail: CampaignDetail, end: datetime) -> datetime:
    """Return when to warn before an end: while there is time for the longest drop, or else a day before."""
    minutes = max([drop.required_minutes or 0 for drop in detail.drops] + [detail.required_minutes or 0])
    ahead = timedelta(minutes=minutes) + AHEAD if minutes else DAY_BEFORE
    return max(end, datetime.min.replace(tzinfo=UTC) + ahead) - ahead
