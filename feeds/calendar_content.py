"""What calendars are rendered from: frozen values, made of the event log and free of the database."""

from datetime import datetime

import msgspec

from models.details import CampaignDetail, EventDetail, ReleaseDetail
from models.events import EventKind
from models.periods import TBD


class CampaignSpan(msgspec.Struct, frozen=True, kw_only=True):
    """A drop campaign or a reward campaign, as its newest event has it; `subject` is its name on every machine.

    `sequence` is how many events it had before, so it grows with each. `last_chance_at` is when to warn that it is time
    to begin, where that is known better than its drops tell.
    """

    subject: str
    sequence: int
    kind: str
    occurred_at: datetime
    service: str | None
    detail: CampaignDetail
    last_chance_at: datetime | None = None

    @property
    def is_cancelled(self) -> bool:
        """Whether it was withdrawn before its end."""
        return self.kind == EventKind.CAMPAIGN_WITHDRAWN


class ReleaseDay(msgspec.Struct, frozen=True, kw_only=True):
    """When an entry of IGDB comes out on some platforms, as `models.periods` writes it.

    `subject` names the entry, its stage and the platform that was announced first of these.
    """

    subject: str
    sequence: int
    occurred_at: datetime
    when: str
    game: str | None
    stage: str | None = None
    platforms: tuple[str, ...] = ()
    url: str | None = None
    is_cancelled: bool = False


CalendarEntry = CampaignSpan | ReleaseDay


class ReleaseNews(msgspec.Struct, frozen=True, kw_only=True):
    """An event of the release dates of an entry of IGDB; `subject` is `igdb/` and its id."""

    subject: str
    kind: str
    occurred_at: datetime
    detail: ReleaseDetail


class _Standing(msgspec.Struct, frozen=True):
    when: str
    is_cancelled: bool
    detail: EventDetail


def release_days(news: list[ReleaseNews]) -> list[ReleaseDay]:
    """Return the days that the news of one entry, oldest first, come to; what is yet to be determined has none.

    Platforms with the same date stand together, under the name of the one that was announced first: it stays when
    others join or leave, so a calendar moves its entry.
    """
    standing: dict[tuple[str | None, str], _Standing] = {}
    for each in news:
        detail = each.detail
        is_cancelled = each.kind == EventKind.RELEASE_CANCELLED
        places = [(detail.stage, platform) for platform in detail.platforms or ("",)]
        if is_cancelled and not detail.platforms:
            # The game itself is off.
            places = [*standing]
        for place in places:
            before = standing.get(place)
            when = detail.when or (before.when if before else detail.when_before)
            if when:
                standing[place] = _Standing(when, is_cancelled, detail)
    days: dict[tuple[str | None, str, bool], list[str]] = {}
    for (stage, platform), now in standing.items():
        if now.when != TBD:
            days.setdefault((stage, now.when, now.is_cancelled), []).append(platform)
    return [_day(news, standing, key, platforms) for key, platforms in days.items()]


def _day(
    news: list[ReleaseNews],
    standing: dict[tuple[str | None, str], _Standing],
    key: tuple[str | None, str, bool],
    platforms: list[str],
) -> ReleaseDay:
    stage, when, is_cancelled = key
    first = platforms[0]
    detail = standing[stage, first].detail
    return ReleaseDay(
        subject="/".join([news[0].subject, stage or "release", *([first] if first else [])]),
        sequence=len(news) - 1,
        occurred_at=max(each.occurred_at for each in news),
        when=when,
        game=detail.game or detail.name,
        stage=stage,
        platforms=tuple(filter(None, platforms)),
        url=detail.url,
        is_cancelled=is_cancelled,
    )
