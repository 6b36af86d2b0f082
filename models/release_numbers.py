"""What IGDB's numbers of a release date mean, and how precise the date is that they make. Pure."""

from datetime import date

from models.periods import Period

# https://api-docs.igdb.com/#release-date-status and #release-date-region.
OFFLINE, CANCELLED = 4, 5
STAGES = {
    1: "alpha",
    2: "beta",
    3: "early access",
    34: "advanced access",
    35: "digital compatibility release",
    36: "next-gen patch",
}
WORLDWIDE = 8
REGIONS = {
    1: "Europe",
    2: "North America",
    3: "Australia",
    4: "New Zealand",
    5: "Japan",
    6: "China",
    7: "Asia",
    9: "Korea",
    10: "Brazil",
}


def period_of(precision: str, day: date | None, year: int | None, quarter: int | None, month: int | None) -> Period:
    """Return the period in which a release lies: never a day where IGDB only means its quarter."""
    if precision == "tbd" or year is None or not date.min.year <= year <= date.max.year:
        return Period()
    if precision == "day" and day is not None:
        return Period(day.year, month=day.month, day=day.day)
    if precision == "quarter" and quarter is not None:
        return Period(year, quarter=quarter)
    if precision == "month" and month is not None:
        return Period(year, month=month)
    return Period(year)
