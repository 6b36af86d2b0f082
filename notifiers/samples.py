"""Events that could have happened, for trying templates where no such event is known yet. Pure."""

from datetime import datetime, timedelta

from models.details import (
    BenefitLine,
    CampaignDetail,
    DropLine,
    EventDetail,
    FieldChange,
    LibraryDetail,
    LibraryLine,
    OperatorDetail,
    QuotaDetail,
    ReleaseDetail,
    SoundDetail,
    SourceDetail,
    StreamDetail,
    detail_type,
)
from models.events import EventKind
from models.words import title
from models.words.holdings import Holding
from notifiers.view import EventText

_OF_A_SERVICE = frozenset({"campaign", "reward", "badge", "stream", "video"})
_BOX = "https://static-cdn.jtvnw.net/ttv-boxart/263490-144x192.jpg"
# What is about a game, and so may say what that is to its reader.
_OF_GAMES = frozenset({"campaign", "reward", "stream", "video", "release", "game"})


def sample_event(kind: EventKind, now: datetime) -> EventText:
    """Return an event of a kind that occurred now, with everything that most events of its family have."""
    detail = _details(now)[detail_type(kind)]
    service = "twitch" if kind.family in _OF_A_SERVICE else None
    return EventText(
        kind=kind,
        title=title(kind, service, detail, now),
        occurred_at=now,
        service=service,
        detail=detail,
        key=f"{kind}:sample",
        recorded_at=now,
        subjects={"game": "Rust"},
        rules=("loot for what I play",),
        library=_library(now) if kind.family in _OF_GAMES else None,
    )


def _library(now: datetime) -> Holding:
    return Holding(
        words=("owned", "playing"),
        status="playing",
        stores=("steam",),
        platforms=("PC",),
        seconds=147_600,
        last_played_at=now - timedelta(days=3),
    )


def _details(now: datetime) -> dict[type[EventDetail], EventDetail]:
    details = (
        CampaignDetail(
            name="Winter Drops",
            game="Rust",
            organization="Facepunch",
            url="https://www.twitch.tv/drops/campaigns",
            box_art_url=_BOX,
            account_link_url="https://twitch.facepunch.com",
            description="Watch and get loot.",
            start_at=now,
            end_at=now + timedelta(days=3),
            drops=(DropLine(name="Hat", required_minutes=60, benefits=(BenefitLine(name="Cool hat"),)),),
            channels_total=1,
            channels=("ann",),
            changes=(FieldChange(field="end_at", old=None, new=(now + timedelta(days=3)).isoformat()),),
            channel="ann",
        ),
        StreamDetail(
            name="Wipe day",
            game="Rust",
            url="https://www.twitch.tv/ann",
            box_art_url=_BOX,
            channel="ann",
            channel_login="ann",
            viewers=1234,
            start_at=now,
        ),
        ReleaseDetail(name="Rust", game="Rust", url="https://www.igdb.com/games/rust", platforms=("PC",)),
        LibraryDetail(
            name="Top 25",
            game="Rez",
            platform="Dreamcast",
            origin="games.csv",
            total=2,
            games=(LibraryLine(name="Rez", note="Dreamcast"), LibraryLine(name="Ico")),
            moved=(LibraryLine(name="Rez", place=2, place_before=7),),
            finished="2022",
            completion="main",
            seconds=18_000,
            rating=90,
        ),
        SoundDetail(
            name="Wipe day",
            url="https://lootwire.example/sounds/wipe-day.html",
            show="Ann, last night",
            channel="Ann",
            seconds=9_840,
            chapters=("Rust", "Just Chatting"),
            muted_seconds=360,
            reason="only members may see it",
            way_out="sign in as a member: `lootwire sounds cookies set HOST FILE`",
            expires_at=now + timedelta(days=2),
        ),
        QuotaDetail(name="small", credits=8, of=100, more_at=now + timedelta(days=12)),
        SourceDetail(name="twitch.drops", reason="HTTP 503", since=now, next_attempt_at=now + timedelta(hours=1)),
        OperatorDetail(
            name="phone",
            reason="4 so far; the last: HTTP 410",
            since=now - timedelta(hours=1),
            due_at=now,
            sources_healthy=14,
            sources_total=14,
            messages_sent=3,
            messages_waiting=0,
            messages_dead=0,
            oldest_waiting_seconds=0,
        ),
    )
    return {type(detail): detail for detail in details}
