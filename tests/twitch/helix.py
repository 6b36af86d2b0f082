"""Helix: users, streams, channels, categories, videos, clips, badges and follows.

https://dev.twitch.tv/docs/api/reference/
"""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from tests.twitch.answers import Answer, Call, Refused, malformed, missing, page
from tests.twitch.core import Core
from tests.twitch.times import seconds
from tests.twitch.world import Category, Clip, Stream, User, Video

Endpoint = Callable[[Core, Call], Answer]
STATIC = "https://static-cdn.jtvnw.net"


def users(core: Core, call: Call) -> Answer:
    wanted = call.values("id", "login")
    if not wanted:
        if call.token.user_id is None:
            raise Refused(400, "Must provide an ID, Login or OAuth Token.")
        users_ = [core.world.users[call.token.user_id]]
    else:
        by_id = [core.world.users.get(user_id) for user_id in call.values("id")]
        users_ = _once([*by_id, *(core.world.logins.get(login.lower()) for login in call.values("login"))])
    mine = call.token.user_id if "user:read:email" in call.token.scopes else None
    data = [_user(user) | ({"email": f"{user.login}@example.org"} if user.id == mine else {}) for user in users_]
    return 200, {"data": data}


def streams(core: Core, call: Call) -> Answer:
    ids, logins, games = call.values("user_id"), call.values("user_login"), call.values("game_id")
    languages = call.values("language")
    among: Iterable[User] = core.world.users.values()
    if ids or logins:
        by_id = [core.world.users.get(user_id) for user_id in ids]
        among = _once([*by_id, *(core.world.logins.get(login.lower()) for login in logins)])
    rows = [
        (user, stream)
        for user, stream in core.world.listed(among, core.settings.now(), core.settings.list_lag)
        if (not games or (user.category is not None and user.category.id in games))
        and (not languages or user.language in languages)
    ]
    part, pagination = page(rows, call, repeated=core.settings.repeated_rows)
    return 200, {"data": [_stream(user, stream) for user, stream in part], "pagination": pagination}


def channels(core: Core, call: Call) -> Answer:
    ids = call.values("broadcaster_id")
    if not ids:
        raise missing("broadcaster_id")
    return 200, {"data": [_channel(user) for user in _once(core.world.users.get(user_id) for user_id in ids)]}


def followed(core: Core, call: Call) -> Answer:
    user_id = call.required("user_id")
    if call.token.user_id != user_id:
        raise Refused(401, "The ID in user_id must match the user ID in the access token")
    if "user:read:follows" not in call.token.scopes:
        raise Refused(401, "Missing scope: user:read:follows")
    follows = core.world.users[user_id].follows
    part, pagination = page(follows, call)
    data = [{**_broadcaster(user), "followed_at": seconds(since)} for user, since in part]
    return 200, {"total": len(follows), "data": data, "pagination": pagination}


def games(core: Core, call: Call) -> Answer:
    if not call.values("id", "name", "igdb_id"):
        raise missing("id")
    ids, names, igdb_ids = (set(call.values(name)) for name in ("id", "name", "igdb_id"))
    return 200, {
        "data": [
            _category(category)
            for category in core.world.categories.values()
            if category.id in ids or category.name in names or (category.igdb_id and category.igdb_id in igdb_ids)
        ]
    }


def search_categories(core: Core, call: Call) -> Answer:
    words = call.required("query").casefold().split()
    categories = [c for c in core.world.categories.values() if all(word in c.name.casefold() for word in words)]
    part, pagination = page(categories, call)
    data = [{"id": c.id, "name": c.name, "box_art_url": c.box_art_url.format(width=52, height=72)} for c in part]
    # Where nothing is found, Twitch says null, not an empty list.
    return 200, {"data": data or None, "pagination": pagination}


def videos(core: Core, call: Call) -> Answer:
    ids, user_ids = call.values("id"), call.values("user_id", most=1)
    if bool(ids) == bool(user_ids):
        raise Refused(400, "Must provide exactly one of: id, user_id, game_id")
    kind = call.query.get("type", "all")
    if kind not in {"all", "archive", "highlight", "upload"}:
        raise malformed("type", "the value must be all, archive, highlight or upload")
    rows = [
        (user, video)
        for user in core.world.users.values()
        for video in user.videos
        if (user.id in user_ids or video.id in ids) and kind in {"all", video.type}
    ]
    if not rows:
        raise Refused(404, "no videos found")
    rows.sort(key=lambda row: row[1].published_at, reverse=True)
    part, pagination = page(rows, call)
    return 200, {"data": [_video(user, video) for user, video in part], "pagination": pagination}


def clips(core: Core, call: Call) -> Answer:
    user = core.world.users.get(call.required("broadcaster_id"))
    since = datetime.fromisoformat(call.query["started_at"]) if "started_at" in call.query else None
    rows = [] if user is None else [(user, clip) for clip in user.clips if since is None or clip.created_at >= since]
    rows.sort(key=lambda row: row[1].views, reverse=True)
    part, pagination = page(rows, call)
    return 200, {"data": [_clip(user, clip) for user, clip in part], "pagination": pagination}


def global_badges(core: Core, _: Call) -> Answer:
    return 200, {"data": core.world.badges}


ENDPOINTS: dict[tuple[str, str], Endpoint] = {
    ("GET", "/users"): users,
    ("GET", "/streams"): streams,
    ("GET", "/channels"): channels,
    ("GET", "/channels/followed"): followed,
    ("GET", "/games"): games,
    ("GET", "/search/categories"): search_categories,
    ("GET", "/videos"): videos,
    ("GET", "/clips"): clips,
    ("GET", "/chat/badges/global"): global_badges,
}


def _once(users_: Iterable[User | None]) -> list[User]:
    """Return each user that exists, once."""
    return list({user.id: user for user in users_ if user is not None}.values())


def _user(user: User) -> dict[str, Any]:
    return {
        "id": user.id,
        "login": user.login,
        "display_name": user.display_name,
        "type": "",
        "broadcaster_type": user.broadcaster_type,
        "description": user.description,
        "profile_image_url": f"{STATIC}/jtv_user_pictures/{user.id}-profile_image-300x300.png",
        "offline_image_url": f"{STATIC}/jtv_user_pictures/{user.id}-channel_offline_image-1920x1080.png",
        "view_count": 0,
        "created_at": seconds(user.created_at),
    }


def _stream(user: User, stream: Stream) -> dict[str, Any]:
    return {
        "id": stream.id,
        "user_id": user.id,
        "user_login": user.login,
        "user_name": user.display_name,
        "game_id": user.category.id if user.category else "",
        "game_name": user.category.name if user.category else "",
        "type": stream.listed_type,
        "title": user.title,
        "viewer_count": stream.viewers,
        "started_at": seconds(stream.started_at),
        "language": user.language,
        "thumbnail_url": f"{STATIC}/previews-ttv/live_user_{user.login}-{{width}}x{{height}}.jpg",
        "tag_ids": [],
        "tags": list(user.tags),
        "is_mature": False,
    }


def _broadcaster(user: User) -> dict[str, Any]:
    return {"broadcaster_id": user.id, "broadcaster_login": user.login, "broadcaster_name": user.display_name}


def _channel(user: User) -> dict[str, Any]:
    return {
        **_broadcaster(user),
        "broadcaster_language": user.language,
        "game_id": user.category.id if user.category else "",
        "game_name": user.category.name if user.category else "",
        "title": user.title,
        "delay": 0,
        "tags": list(user.tags),
        "content_classification_labels": list(user.labels),
        "is_branded_content": False,
    }


def _category(category: Category) -> dict[str, Any]:
    return {
        "id": category.id,
        "name": category.name,
        "box_art_url": category.box_art_url,
        "igdb_id": category.igdb_id,
    }


def _video(user: User, video: Video) -> dict[str, Any]:
    hours, rest = divmod(video.seconds, 3600)
    minutes, left = divmod(rest, 60)
    return {
        "id": video.id,
        "stream_id": video.stream_id,
        "user_id": user.id,
        "user_login": user.login,
        "user_name": user.display_name,
        "title": video.title,
        "description": "",
        "created_at": seconds(video.published_at),
        "published_at": seconds(video.published_at),
        "url": f"https://www.twitch.tv/videos/{video.id}",
        "thumbnail_url": f"{STATIC}/cf_vods/{user.login}/{video.id}/thumb/thumb0-%{{width}}x%{{height}}.jpg",
        "viewable": "public",
        "view_count": video.views,
        "language": video.language,
        "type": video.type,
        "duration": (f"{hours}h" if hours else "") + (f"{minutes}m" if hours or minutes else "") + f"{left}s",
        "muted_segments": video.muted,
    }


def _clip(user: User, clip: Clip) -> dict[str, Any]:
    return {
        "id": clip.id,
        "url": f"https://clips.twitch.tv/{clip.id}",
        "embed_url": f"https://clips.twitch.tv/embed?clip={clip.id}",
        "broadcaster_id": user.id,
        "broadcaster_name": user.display_name,
        "creator_id": "1",
        "creator_name": "Somebody",
        "video_id": "",
        "game_id": clip.game_id,
        "language": user.language,
        "title": clip.title,
        "view_count": clip.views,
        "created_at": seconds(clip.created_at),
        "thumbnail_url": f"{STATIC}/{clip.id}-preview-480x272.jpg",
        "duration": clip.seconds,
        "vod_offset": None,
        "is_featured": False,
    }
