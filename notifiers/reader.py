"""The person who reads a message: where and in which language, and when it is sent. Pure."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import cache

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_skeleton, format_time, format_timedelta

from models.details import CampaignDetail, EventDetail
from models.words.units import moment_in_figures, moment_in_title

USUAL_LOCALE = "en"
# Further away a date says more than a distance.
_NEAR = timedelta(days=30)


@dataclass(frozen=True)
class Reader:
    """Somebody whose clock is in a zone, who reads a language, and reads about now.

    Without a zone times are in UTC and in figures, the same for everybody.
    """

    zone: tzinfo | None = None
    locale: str = USUAL_LOCALE
    now: datetime | None = None

    def moment(self, at: datetime) -> str:
        """Return a time as this person reads it, such as "Sun 22 Nov, 19:59 CET (in 5 hours)"."""
        local = self._local(at)
        if local is None:
            return moment_in_figures(at)
        distance = self._distance(at)
        return self._written(local) + (f" ({distance})" if distance else "")

    def moment_in_title(self, at: datetime) -> str:
        """Return a time as a headline writes it, without the distance."""
        local = self._local(at)
        return moment_in_title(at) if local is None else self._written(local)

    def month(self, day: date) -> str:
        """Return the month of a day, or of a time by this person's clock, such as "May" or "May 2024"."""
        local = (self._local(day) or day) if isinstance(day, datetime) else day
        if self.zone is None:
            return local.strftime("%Y-%m")
        is_this_year = self.now is not None and local.year == self._year()
        if is_this_year:
            return format_date(local, "LLLL", locale=locale_of(self.locale))
        return format_skeleton("yMMMM", local, locale=locale_of(self.locale))

    def headline(self, title: str, detail: EventDetail) -> str:
        """Return a headline, which was written for everybody, with its times as this person reads them."""
        if self.zone is None:
            return title
        for at in _times(detail):
            title = title.replace(moment_in_title(at), self.moment_in_title(at))
        return title

    def _local(self, at: datetime) -> datetime | None:
        try:
            return None if self.zone is None else at.replace(tzinfo=at.tzinfo or UTC).astimezone(self.zone)
        except OverflowError:
            # At the ends of the calendar.
            return None

    def _written(self, local: datetime) -> str:
        locale = locale_of(self.locale)
        is_this_year = self.now is not None and self.zone is not None and local.year == self._year()
        day = format_skeleton("MMMEd" if is_this_year else "yMMMEd", local, locale=locale)
        clock = local.strftime("%H:%M") if self.locale == USUAL_LOCALE else format_time(local, "short", locale=locale)
        # As the zone itself abbreviates it: CLDR knows few of them, and writes out the rest.
        return f"{day}, {clock} {local.tzname() or ''}".rstrip()

    def _year(self) -> int:
        return self.now.astimezone(self.zone).year if self.now else 0

    def _distance(self, at: datetime) -> str:
        """Return how far away a time that is to come is, in words; nothing where it has passed or is far off."""
        if self.now is None or not timedelta(0) < at - self.now < _NEAR:
            return ""
        return format_timedelta(at - self.now, add_direction=True, threshold=1.5, locale=locale_of(self.locale))


PLAIN = Reader()


@cache
def locale_of(name: str) -> Locale:
    """Return a locale as CLDR names it (`de`, `pt_BR`, `pt-BR`); English for one that is unknown."""
    if name == USUAL_LOCALE:
        # Day before month, as most of the world writes English.
        return Locale.parse("en_GB")
    try:
        return Locale.parse(name.replace("-", "_"))
    except (ValueError, UnknownLocaleError):
        return Locale.parse("en_GB")


def is_locale(name: str) -> bool:
    """Return whether CLDR knows a locale."""
    try:
        return bool(Locale.parse(name.replace("-", "_")))
    except (ValueError, UnknownLocaleError):
        return False


def _times(detail: EventDetail) -> list[datetime]:
    """Return the times that a headline may say."""
    if not isinstance(detail, CampaignDetail):
        return []
    changed = []
    for change in detail.changes:
        if change.field == "end_at" and isinstance(change.new, str):
            try:
                changed.append(datetime.fromisoformat(change.new))
            except ValueError:
                continue
    return [at for at in (detail.start_at, detail.end_at, detail.drops_end_at, *changed) if at is not None]
