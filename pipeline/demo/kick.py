"""What Kick answers in the demo: eight invented campaigns, whose status follows the step's clock."""

from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

from pipeline.demo import pictures
from pipeline.demo.clock import moment, plain_stamp, snapshot_time
from pipeline.demo.world import GAMES, Game, slug, stable_number

# Crockford's alphabet, in which a ULID is written: no I, L, O, U.
_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


@dataclass(frozen=True, slots=True)
class KickCampaign:
    key: str
    game: str
    name: str
    hours: tuple[float, float]
    """Its start and end, in hours after the demo's `now`."""
    rewards: tuple[tuple[int, str], ...]
    """Minutes to watch, and what they earn."""
    channels: tuple[str, ...] = ()
    first_step: int = 0
    uncategorised: bool = False


CAMPAIGNS = (
    KickCampaign(
        "kick-storm", "saltglass", "Kick Up a Storm", (-50, 70),
        ((30, "Storm Flag (Green)"), (60, "Neon Wave Hull"), (120, "Kraken Plush")),
    ),
    KickCampaign(
        "kick-tin-cup", "kettlebots", "Tin Cup Watch Party", (-20, 28),
        ((60, "Green Bolt Paint"), (120, "Whistle of Doom")), ("BoilerBen", "TinaTungsten", "GasketGwen"),
    ),
    KickCampaign(
        "kick-gutter-open", "gutter-league", "Gutter Open", (-72, 96),
        ((30, "Rental Shoes"), (90, "Disco Ball"), (180, "Golden Pin")),
    ),
    # Upcoming until step 3, active from step 4, which is the change that Kick's source looks for.
    KickCampaign(
        "kick-spores", "sporeways", "Spores on Kick", (-4.5, 91.5), ((60, "Spore Cap (Lime)"), (240, "Toad Mount"))
    ),
    KickCampaign(
        "kick-winter-bolt", "kettlebots", "Winter Bolt Preview", (40, 112), ((60, "Icy Bolt Paint"),), first_step=2
    ),
    KickCampaign(
        "kick-old-salt", "saltglass", "Old Salt Weekend", (-130, -58),
        ((120, "Salt-Crusted Helm"),), ("MaroonedMo", "ReefRita"),
    ),
    # Active until step 4, expired from step 5.
    KickCampaign(
        "kick-league-night", "gutter-league", "League Night", (-15.5, -3.5), ((30, "Team Towel"), (60, "Lucky Chalk"))
    ),
    KickCampaign(
        "kick-mystery-lane", "gutter-league", "Mystery Lane", (-2.4, 45.6),
        ((60, "Blindfold & Ball"),), first_step=6, uncategorised=True,
    ),
)  # fmt: skip


def kick_campaigns(now: datetime, step: int, base_url: str) -> dict[str, Any]:
    """Return Kick's whole answer to `/api/v1/drops/campaigns` at a step: `data` and `message`.

    Reward pictures are absolute addresses here, where the real ones are relative to Kick's own CDN: the
    demo must never ask for a picture outside.
    """
    seen_at = snapshot_time(now, step)
    return {
        "data": [_campaign(now, seen_at, base_url, campaign) for campaign in CAMPAIGNS if campaign.first_step <= step],
        "message": "Success",
    }


def _campaign(now: datetime, seen_at: datetime, base_url: str, campaign: KickCampaign) -> dict[str, Any]:
    game = GAMES[campaign.game]
    starts_at, ends_at = (moment(now, hours) for hours in campaign.hours)
    status = "upcoming" if seen_at < starts_at else "active" if seen_at < ends_at else "expired"
    answer = {
        "id": _ulid(f"campaign/{campaign.key}"),
        "name": campaign.name,
        "status": status,
        "starts_at": plain_stamp(starts_at),
        "ends_at": plain_stamp(ends_at),
        "created_at": _micro_stamp(moment(now, min(campaign.hours[0], -9) - 20)),
        "updated_at": _micro_stamp(moment(now, min(campaign.hours[0], -9) - 19)),
        "connect_url": f"{game.organization.site}/account/kick",
        "url": f"{game.organization.site}/kick/{campaign.key}",
        "category": _category(base_url, game),
        "organization": _organization(base_url, game),
        "channels": [_channel(base_url, name) for name in campaign.channels],
        "rewards": [_reward(base_url, game, *reward) for reward in campaign.rewards],
        "rule": {"id": 1, "name": "Watch to redeem"},
    }
    if campaign.uncategorised:
        del answer["category"]
    return answer


def _category(base_url: str, game: Game) -> dict[str, Any]:
    return {
        "id": _category_id(game),
        "name": game.name,
        "slug": slug(game.name),
        "image_url": pictures.banner_url(base_url, "kick", game),
    }


def _organization(base_url: str, game: Game) -> dict[str, Any]:
    owner = game.organization
    return {
        "id": _ulid(f"organization/{owner.key}"),
        "name": owner.name,
        "logo_url": pictures.icon_url(base_url, "kick-files/logo", owner.key),
        "url": owner.site,
        "restricted": False,
        "email_notification": False,
    }


def _channel(base_url: str, name: str) -> dict[str, Any]:
    picture = pictures.icon_url(base_url, "kick-files/user", name.lower())
    return {
        "id": stable_number(f"kick-channel/{name}", 100_000, 90_000_000),
        "slug": name.lower(),
        "description": "",
        "banner_picture_url": picture,
        "user": {
            "id": stable_number(f"kick-user/{name}", 100_000, 90_000_000),
            "username": name,
            "profile_picture": picture,
        },
    }


def _reward(base_url: str, game: Game, minutes: int, name: str) -> dict[str, Any]:
    return {
        "id": _ulid(f"reward/{game.key}/{name}"),
        "name": name,
        "image_url": pictures.icon_url(base_url, "kick-files/reward", slug(name)),
        "required_units": minutes,
        "category_id": _category_id(game),
        "organization_id": _ulid(f"organization/{game.organization.key}"),
    }


def _category_id(game: Game) -> int:
    return stable_number(f"kick-category/{game.key}", 20, 9000)


def _ulid(key: str) -> str:
    """Return a ULID, 26 letters that start like those of 2026 and else come from the key."""
    digest = int.from_bytes(sha256(f"kick/{key}".encode()).digest())
    return "01K" + "".join(_CROCKFORD[digest >> (5 * place) & 31] for place in range(23))


def _micro_stamp(at: datetime) -> str:
    """Return a time with microseconds, as Kick prints those of its database."""
    return f"{plain_stamp(at)[:-1]}.{stable_number(plain_stamp(at), 1, 999_999):06d}Z"
