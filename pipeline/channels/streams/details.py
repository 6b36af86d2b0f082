"""Make the events of streams and videos. Pure: values in, values out."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial

import msgspec

from models.details import FieldChange, StreamDetail, StreamRecap
from models.events import EventKind
from pipeline.catalogue.records import GameRecord
from pipeline.channels.streams.sessions import News, Session
from pipeline.events.append import NewEvent
from pipeline.services.twitch.records import CategoryRecord, VideoRecord

SERVICE = "twitch"
PICTURE = ("640", "360")
BOX_ART = ("285", "380")


class ChannelRow(msgspec.Struct, frozen=True):
    """A channel as the database knows it."""

    id: int
    external_id: str
    login: str
    display_name: str | None


class GameRow(msgspec.Struct, frozen=True):
    """A game as the database knows it."""

    id: int
    name: str
    box_art_url: str | None


def channel_url(login: str) -> str:
    """Return the address where a channel is watched."""
    return f"https://www.twitch.tv/{login}"


def category_game(category: CategoryRecord) -> GameRecord:
    """Return a Twitch category as the game that it stands for."""
    box_art_url = picture(category.box_art_url, BOX_ART)
    return GameRecord(external_id=category.external_id, name=category.name, box_art_url=box_art_url)


def picture(template: str | None, size: tuple[str, str] = PICTURE) -> str | None:
    """Return the address of a picture whose address leaves its size open."""
    if template is None:
        return None
    width, height = size
    return template.replace("{width}", width).replace("{height}", height)


def stream_detail(
    session: Session,
    channel: ChannelRow,
    game: GameRow | None,
    *,
    viewers: int | None = None,
    campaigns: Sequence[str] = (),
    changes: tuple[FieldChange, ...] = (),
    recap: StreamRecap | None = None,
) -> StreamDetail:
    """Return the detail that every event of a stream shows."""
    return StreamDetail(
        name=session.title,
        url=channel_url(channel.login),
        image_url=picture(session.thumbnail_url),
        box_art_url=game.box_art_url if game else None,
        game=game.name if game else None,
        start_at=session.started_at,
        channel=channel.display_name,
        channel_login=channel.login,
        viewers=viewers,
        language=session.language,
        tags=session.tags or (),
        type=None if session.is_live_stream else session.kind,
        campaigns=tuple(campaigns),
        changes=changes,
        recap=recap,
    )


def changes_of(news: News, games: Mapping[int, GameRow]) -> tuple[FieldChange, ...]:
    """Return the old and the new value of a change; a category by its name."""
    if news.kind is EventKind.STREAM_TITLE_CHANGED:
        return (FieldChange(field="title", old=news.old, new=news.new),)
    if news.kind is EventKind.STREAM_CATEGORY_CHANGED:
        old, new = (games.get(value) if isinstance(value, int) else None for value in (news.old, news.new))
        return (FieldChange(field="category", old=old.name if old else None, new=new.name if new else None),)
    return ()


def news_event(news: News, detail: StreamDetail, channel: ChannelRow) -> NewEvent:
    """Return the event of a stream: one per story, and one per change, which is damped where it flaps."""
    event = NewEvent(
        kind=news.kind,
        subject=f"{SERVICE}:{news.session.story}",
        occurred_at=news.at,
        service=SERVICE,
        detail=detail,
        game_id=news.session.game_id,
        channel_id=channel.id,
    )
    return _change_event(event, detail, detail.changes[0]) if detail.changes else event


def _change_event(event: NewEvent, detail: StreamDetail, change: FieldChange) -> NewEvent:
    """Return the event with a change, which begins at what was announced last where that is another value."""
    return msgspec.structs.replace(
        event,
        damped=True,
        identity=[change.old, change.new],
        items={change.field: change.old},
        since=partial(_since, event, detail, change),
        detail=msgspec.structs.replace(detail, changes=(change,)),
    )


def _since(
    event: NewEvent, detail: StreamDetail, change: FieldChange, announced: Mapping[str, str | None]
) -> list[NewEvent]:
    before = announced[change.field]
    if before == change.new:
        return []
    return [_change_event(event, detail, msgspec.structs.replace(change, old=before))]


def later_news(
    session: Session, detail: StreamDetail, announced: Mapping[str, str | None], at: datetime, channel: ChannelRow
) -> list[NewEvent]:
    """Return the events of a title or a category that is another than was announced last."""
    events = []
    for field, (kind, new) in {
        "title": (EventKind.STREAM_TITLE_CHANGED, detail.name),
        "category": (EventKind.STREAM_CATEGORY_CHANGED, detail.game),
    }.items():
        if field in announced and announced[field] != new:
            change = FieldChange(field=field, old=announced[field], new=new)
            news = News(kind=kind, session=session, at=at)
            events.append(news_event(news, msgspec.structs.replace(detail, changes=(change,)), channel))
    return events


def video_event(video: VideoRecord, channel: ChannelRow) -> NewEvent:
    """Return the event of a new video."""
    return NewEvent(
        kind=EventKind.VIDEO_PUBLISHED,
        subject=f"{SERVICE}:{video.external_id}",
        occurred_at=video.published_at,
        service=SERVICE,
        detail=StreamDetail(
            name=video.title or None,
            url=video.url,
            image_url=picture(video.thumbnail_url),
            channel=channel.display_name,
            channel_login=channel.login,
            seconds=video.seconds,
        ),
        channel_id=channel.id,
    )
