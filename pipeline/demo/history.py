"""The demo's history: what each service answers at each step, as pure data made from `now`."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

from pipeline.demo import pictures
from pipeline.demo.chzzk import chzzk_campaign
from pipeline.demo.clock import STEPS, closing, exact_stamp, moment, plain_stamp, snapshot_time
from pipeline.demo.kick import kick_campaigns
from pipeline.demo.twitch import CAMPAIGNS, REWARD_CAMPAIGNS, Campaign, Drop, RewardCampaign, drop, handed_out
from pipeline.demo.world import GAMES, STREAMERS, Game, Streamer, slug, stable_number, stable_uuid

__all__ = [
    "EMPTY_GROUP",
    "EMPTY_STEP",
    "STEPS",
    "STORY",
    "chzzk_campaign",
    "kick_campaigns",
    "mirror_drops",
    "mirror_rewards",
    "snapshot_time",
]

Turn = Callable[[Campaign], Campaign]

EMPTY_STEP = 3
"""The one step at which the mirror answers `[]`, as it really did five times in 21 months."""

EMPTY_GROUP = (6, "pocket-colossus")
"""The one step and game whose group is there but holds no campaign."""

_STREAMERS = {streamer.login: streamer for streamer in STREAMERS}


def _appears(campaign: Campaign) -> Campaign:
    return replace(campaign, present=True)


def _vanishes(campaign: Campaign) -> Campaign:
    return replace(campaign, present=False)


def _returns(campaign: Campaign) -> Campaign:
    return replace(campaign, present=True)


def _hides_its_channels(campaign: Campaign) -> Campaign:
    return replace(campaign, channels_shown=False)


def _shows_its_channels(campaign: Campaign) -> Campaign:
    return replace(campaign, channels_shown=True)


def _gains_drop(new: Drop) -> Turn:
    return lambda campaign: replace(campaign, drops=(*campaign.drops, new))


def _gains_channels(*logins: str) -> Turn:
    new = tuple(_STREAMERS[login] for login in logins)
    return lambda campaign: replace(campaign, channels=campaign.channels + new)


def _loses_channels(*logins: str) -> Turn:
    def lose(campaign: Campaign) -> Campaign:
        return replace(
            campaign, channels=tuple(channel for channel in campaign.channels if channel.login not in logins)
        )

    return lose


def _ends_later(hours: float) -> Turn:
    return lambda campaign: replace(campaign, hours=(campaign.hours[0], campaign.hours[1] + hours))


# Two campaigns end by their own clock and are in no turn: velvet-qualifier between steps 1 and 2, rook-open-1
# between steps 5 and 6. No turn falls on EMPTY_STEP, which would hide it.
STORY: tuple[tuple[int, str, Turn], ...] = (
    (1, "hostile", _appears),
    (1, "frostbarrow-creators", _appears),
    (1, "sporeways-guild", _gains_channels("pebbletess", "wrenandstimpy")),
    (1, "mossgate-founders", _vanishes),
    (2, "kettlebots-playoffs", _appears),
    (2, "dune-launch", _appears),
    (2, "gloomtide-maiden", _gains_drop(drop(180, "Kraken Figurehead"))),
    (4, "cinderhold-final", _appears),
    (4, "gloomtide-lights", _appears),
    (4, "whisker-agents", _vanishes),
    (4, "kettlebots-cup", _loses_channels("nutkin9")),
    (4, "kettlebots-cup", _gains_channels("umbrauma")),
    (5, "lanterns-codes", _appears),
    (5, "frostbarrow-thaw", _ends_later(48)),
    (5, "saltglass-storm", _gains_drop(drop(240, "Tempest Figurehead", "badge:Stormbringer"))),
    (5, "lanterns-anniversary", _hides_its_channels),
    (6, "lanterns-anniversary", _shows_its_channels),
    (6, "mossgate-founders", _returns),
    (6, "rook-open-2", _appears),
    (7, "velvet-final", _appears),
    (7, "sporeways-guild", _loses_channels("ambermoth", "capt_brine", "fjordfinn")),
    (8, "saltglass-flash", _appears),
)


def mirror_drops(now: datetime, step: int, base_url: str) -> list[dict[str, Any]]:
    """Return the mirror's `/drops` at a step: a list of game groups in the shape of August 2026.

    Args:
        now: The aware time of the last step; everything else is relative to it.
        step: 0 to `STEPS - 1`.
        base_url: Where the demo server is, for the pictures' addresses; no slash at its end.
    """
    seen_at = snapshot_time(now, step)
    if step == EMPTY_STEP:
        return []
    groups: dict[str, list[Campaign]] = {}
    for campaign in _campaigns_at(step):
        if campaign.present and seen_at < closing(now, campaign.hours[1]):
            groups.setdefault(campaign.game, []).append(campaign)
    return [_group(now, step, base_url, GAMES[key], campaigns) for key, campaigns in groups.items()]


def mirror_rewards(now: datetime, step: int, base_url: str) -> list[dict[str, Any]]:
    """Return the mirror's `/rewards` at a step; the arguments are those of `mirror_drops`."""
    seen_at = snapshot_time(now, step)
    return [
        _reward_campaign(now, base_url, campaign)
        for campaign in REWARD_CAMPAIGNS
        if campaign.first_step <= step and seen_at < closing(now, campaign.hours[1])
    ]


def _campaigns_at(step: int) -> list[Campaign]:
    """Return every campaign as the story has made it by this step, also those that are not present."""
    late = {key for _, key, turn in STORY if turn is _appears}
    campaigns = {campaign.key: replace(campaign, present=campaign.key not in late) for campaign in CAMPAIGNS}
    for when, key, turn in STORY:
        if when <= step:
            campaigns[key] = turn(campaigns[key])
    return list(campaigns.values())


def _group(now: datetime, step: int, base_url: str, game: Game, campaigns: list[Campaign]) -> dict[str, Any]:
    emptied = (step, game.key) == EMPTY_GROUP
    return {
        "endAt": exact_stamp(max(closing(now, campaign.hours[1]) for campaign in campaigns)),
        "gameBoxArtURL": pictures.box_art_url(base_url, game),
        "gameDisplayName": game.name,
        "gameId": game.id,
        "rewards": [] if emptied else [_campaign(now, step, base_url, campaign) for campaign in campaigns],
        "startAt": exact_stamp(min(moment(now, campaign.hours[0]) for campaign in campaigns)),
    }


def _campaign(now: datetime, step: int, base_url: str, campaign: Campaign) -> dict[str, Any]:
    game = GAMES[campaign.game]
    site = game.organization.site
    return {
        "accountLinkURL": f"{site}/account/twitch",
        "allow": _allow(step, campaign),
        "description": campaign.description or f"Watch {game.name} with drops enabled and make it yours.",
        "detailsURL": f"{site}/drops/{campaign.key}",
        "endAt": exact_stamp(closing(now, campaign.hours[1])),
        "eventBasedDrops": [],
        "game": None if campaign.gameless else {"displayName": game.name, "id": game.id, "slug": slug(game.name)},
        "id": stable_uuid(f"campaign/{campaign.key}"),
        "imageURL": pictures.icon_url(base_url, "twitch-quests-assets/CAMPAIGN", campaign.key),
        "name": campaign.name,
        "owner": None if campaign.ownerless else _owner(game),
        "startAt": plain_stamp(moment(now, campaign.hours[0])),
        "status": "ACTIVE",
        "timeBasedDrops": [_drop(now, base_url, campaign, timed_drop) for timed_drop in campaign.drops],
    }


def _owner(game: Game) -> dict[str, Any]:
    return {"id": game.organization.id, "name": game.organization.name}


def _allow(step: int, campaign: Campaign) -> dict[str, Any]:
    """Return the channels that count: an open campaign has no `channels`, a hidden list looks the same but enabled."""
    if not campaign.channels:
        return {"isEnabled": False}
    if not campaign.channels_shown:
        return {"isEnabled": True}
    return {"channels": [_channel(step, streamer) for streamer in campaign.channels], "isEnabled": True}


def _channel(step: int, streamer: Streamer) -> dict[str, Any]:
    # The real mirror loses display names and finds them again all the time; one in nine is lost at any step.
    lost = stable_number(f"display/{step}/{streamer.login}", 0, 8) == 0
    return {
        "displayName": None if lost else streamer.display_name,
        "id": streamer.id,
        "name": streamer.login,
    }


def _drop(now: datetime, base_url: str, campaign: Campaign, timed_drop: Drop) -> dict[str, Any]:
    return {
        "benefitEdges": [
            {"benefit": _benefit(now, base_url, campaign, label), "entitlementLimit": 1}
            for label in timed_drop.benefits
        ],
        "endAt": exact_stamp(closing(now, campaign.hours[1])),
        "id": stable_uuid(f"drop/{campaign.key}/{timed_drop.name}"),
        "name": timed_drop.name,
        "preconditionDrops": None,
        "requiredMinutesWatched": timed_drop.minutes,
        "requiredSubs": timed_drop.subs,
        "startAt": plain_stamp(moment(now, campaign.hours[0])),
    }


def _benefit(now: datetime, base_url: str, campaign: Campaign, label: str) -> dict[str, Any]:
    """A benefit belongs to its game, so the same name in two drops of a game is the same benefit."""
    game = GAMES[campaign.game]
    kind, name = handed_out(label)
    item = f"{game.organization.id}_CUSTOM_ID_{slug(name)}"
    return {
        "createdAt": exact_stamp(moment(now, -24 * stable_number(f"created/{game.key}/{name}", 6, 400))),
        "distributionType": kind,
        "entitlementLimit": 1,
        "game": None if campaign.gameless else {"id": game.id, "name": game.name},
        "id": item if kind == "DIRECT_ENTITLEMENT" else stable_uuid(f"benefit/{game.key}/{label}"),
        "imageAssetURL": pictures.icon_url(base_url, "twitch-quests-assets/REWARD", f"{game.key}-{slug(name)}"),
        "isIosAvailable": False,
        "name": name,
        "ownerOrganization": None if campaign.ownerless else _owner(game),
    }


def _reward_campaign(now: datetime, base_url: str, campaign: RewardCampaign) -> dict[str, Any]:
    site = f"https://{slug(campaign.brand)}.example/{campaign.key}"
    image = {"image1xURL": pictures.icon_url(base_url, "twitch-quests-assets/REWARD", slug(campaign.reward))}
    ends_at = exact_stamp(closing(now, campaign.hours[1]))
    answer: dict[str, Any] = {
        "aboutURL": f"{site}/about",
        "brand": campaign.brand,
        "endsAt": ends_at,
        "externalURL": site,
        "id": stable_uuid(f"reward-campaign/{campaign.key}"),
        "image": {"image1xURL": pictures.icon_url(base_url, "twitch-quests-assets/CAMPAIGN", campaign.key)},
        "instructions": "",
        "isSitewide": campaign.sitewide,
        "name": campaign.name,
        "rewards": [
            {
                "bannerImage": image,
                "earnableUntil": ends_at,
                "id": stable_uuid(f"reward/{campaign.key}"),
                "name": campaign.reward,
                "redemptionInstructions": "",
                "redemptionURL": f"{site}/redeem",
                "thumbnailImage": image,
            }
        ],
        "rewardValueURLParam": "",
        "startsAt": plain_stamp(moment(now, campaign.hours[0])),
        "status": "UNKNOWN",
        "summary": campaign.summary,
        "unlockRequirements": {"minuteWatchedGoal": campaign.minutes, "subsGoal": campaign.subs},
    }
    if campaign.game:
        game = GAMES[campaign.game]
        answer["game"] = {"displayName": game.name, "id": game.id, "slug": slug(game.name)}
    return answer
