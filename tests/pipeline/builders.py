"""Payloads made with few words, in the shapes that the services send."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

Json = dict[str, Any]
NOON = datetime(2031, 3, 4, 12, tzinfo=UTC)
START, END = NOON - timedelta(days=3), NOON + timedelta(days=4)
GAMES = {"7001": "Harbour Lights", "7002": "Moss Runner", "7003": "Quiet Orbit"}


def stamp(at: datetime) -> str:
    """A time as the services write it."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def channel(number: int, login: str | None = None, display_name: str | None = "") -> Json:
    """A channel as a Twitch campaign lists it; a display name of None is sent as null."""
    login = login or f"keeper{number}"
    return {"id": str(number), "name": login, "displayName": login.title() if display_name == "" else display_name}


def drop(key: str = "d", minutes: int = 60, *benefits: str, **fields: Any) -> Json:
    """A drop that gives benefits of these names."""
    edges = [
        {"entitlementLimit": 1, "benefit": {"id": f"benefit-{name}", "name": name, "distributionType": "CODE"}}
        for name in benefits or (f"Prize {key}",)
    ]
    usual = {"id": f"drop-{key}", "name": f"Drop {key}", "requiredMinutesWatched": minutes, "requiredSubs": 0}
    return usual | {"preconditionDrops": None, "benefitEdges": edges} | fields


def campaign(
    key: str = "a",
    *,
    channels: Sequence[Json | int] = (),
    drops: Sequence[Json] | None = None,
    game_id: str = "7001",
    end: datetime = END,
    **fields: Any,
) -> Json:
    """A Twitch campaign; `fields` are written over what it would say, and `...` leaves one out."""
    listed = [channel(c) if isinstance(c, int) else c for c in channels]
    usual = {
        "id": f"camp-{key}",
        "name": f"Campaign {key}",
        "status": "ACTIVE",
        "startAt": stamp(START),
        "endAt": stamp(end),
        "description": "Watch and get loot.",
        "detailsURL": f"https://loot.example.org/{key}",
        "accountLinkURL": "https://loot.example.org/link",
        "imageURL": f"https://art.example.org/{key}.png",
        "owner": {"id": "org-tide", "name": "Tide Works"},
        "game": {"id": game_id, "slug": game_id, "displayName": GAMES.get(game_id, game_id)},
        "allow": {"channels": listed} if listed else {},
        "timeBasedDrops": [drop(key)] if drops is None else list(drops),
        "eventBasedDrops": [],
    } | fields
    return {name: value for name, value in usual.items() if value is not ...}


def campaigns(*keys: str, **fields: Any) -> list[Json]:
    """Several campaigns that say the same but for their keys."""
    return [campaign(key, **fields) for key in keys]


def group(game: str, listed: Sequence[Json], **fields: Any) -> Json:
    """A game with its campaigns."""
    head = {
        "gameId": game,
        "gameDisplayName": GAMES.get(game, game),
        "gameBoxArtURL": f"https://art.example.org/{game}",
    }
    return head | {"rewards": list(listed)} | fields


def drops(*listed: Json, empty_groups: Sequence[str] = ()) -> bytes:
    """The mirror's list of drop campaigns, grouped by their game."""
    by_game: dict[str, list[Json]] = {game: [] for game in empty_groups}
    for row in listed:
        by_game.setdefault((row.get("game") or {"id": "7001"})["id"], []).append(row)
    return encode([group(game, rows) for game, rows in by_game.items()])


def version_2(listed: bytes, at: datetime = NOON, refresh: int = 60) -> bytes:
    """The envelope of the mirror's second version around a list."""
    return b'{"lastUpdatedAt":"%s","refreshIntervalSeconds":%d,"data":%s}' % (stamp(at).encode(), refresh, listed)


def quest(key: str = "q", *, end: datetime = END, **fields: Any) -> Json:
    """A reward campaign."""
    usual = {
        "id": f"quest-{key}",
        "name": f"Quest {key}",
        "brand": "Soup Brand",
        "startsAt": stamp(START),
        "endsAt": stamp(end),
        "unlockRequirements": {"minuteWatchedGoal": 30, "subsGoal": 0},
        "game": {"id": "7001", "displayName": "Harbour Lights"},
        "rewards": [{"id": f"reward-{key}", "name": f"Bowl {key}"}],
    } | fields
    return {name: value for name, value in usual.items() if value is not ...}


def kick(*listed: Json) -> bytes:
    """Kick's list."""
    return encode({"data": list(listed), "message": "Success"})


def kick_campaign(
    key: str = "k", *, status: str = "active", start: datetime = START, end: datetime = END, **fields: Any
) -> Json:
    """A campaign as Kick tells it."""
    usual = {
        "id": f"KICK{key}",
        "name": f"Green {key}",
        "status": status,
        "starts_at": stamp(start),
        "ends_at": stamp(end),
        "category": {"id": 53, "name": "Harbour Lights", "image_url": "https://art.example.org/k53"},
        "organization": {"id": "01T1DE", "name": "Tide Works"},
        "channels": [],
        "rewards": [{"id": f"REWARD{key}", "name": "Green lantern", "required_units": 30}],
    } | fields
    return {name: value for name, value in usual.items() if value is not ...}


def chzzk_content(number: int = 1201, **fields: Any) -> Json:
    """A campaign as CHZZK tells it, without the envelope."""
    usual = {
        "campaignNo": number,
        "title": f"드롭스 {number}",
        "startDate": "2031-03-01 09:00:00",
        "endDate": "2031-03-09 08:59:00",
        "categoryId": "HarbourLights",
        "categoryValue": "항구의 등불",
        "rewardList": [{"rewardNo": number * 10, "title": "등불", "rewardType": "CODE", "conditionForMinutes": 60}],
    } | fields
    return {name: value for name, value in usual.items() if value is not ...}


def chzzk(number: int = 1201, **fields: Any) -> bytes:
    """CHZZK's answer for one number."""
    return encode({"code": 200, "message": None, "content": chzzk_content(number, **fields)})


def encode(value: Any) -> bytes:
    """JSON as bytes."""
    return json.dumps(value, ensure_ascii=False).encode()
