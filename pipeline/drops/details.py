"""Build the details of events of campaigns, rewards and chat badges. Pure."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from models.details import BenefitLine, CampaignDetail, DropLine
from pipeline.catalogue.records import ChannelRecord
from pipeline.drops.records import CampaignRecord, DropRecord, RewardCampaignRecord, RewardRecord
from pipeline.services.twitch.records import BadgeRecord

CHANNELS_SHOWN = 12
# A description is a paragraph; a few services let it run to pages.
DESCRIPTION_LENGTH = 1000


def campaign_detail(campaign: CampaignRecord) -> CampaignDetail:
    """Return what every event of a campaign shows of it."""
    channels = campaign.channels or ()
    return CampaignDetail(
        name=campaign.name,
        url=campaign.details_url,
        account_link_url=campaign.account_link_url,
        image_url=campaign.image_url,
        box_art_url=campaign.game.box_art_url if campaign.game else None,
        game=campaign.game.name if campaign.game else None,
        organization=campaign.organization.name if campaign.organization else None,
        description=(campaign.description or "")[:DESCRIPTION_LENGTH] or None,
        start_at=campaign.start_at,
        end_at=campaign.end_at,
        drops=drop_lines(campaign.drops or ()),
        channels_total=len(channels),
        channels=channel_names(channels)[:CHANNELS_SHOWN],
    )


def reward_detail(campaign: RewardCampaignRecord) -> CampaignDetail:
    """Return what every event of a reward campaign shows of it."""
    # Where rewards ask for something of their own, the campaign's own goals are only those of one of them.
    grouped = any(_efforts(reward) != (0, 0, 0) for reward in campaign.rewards)
    return CampaignDetail(
        name=campaign.name,
        url=campaign.about_url or campaign.external_url,
        image_url=campaign.image_url,
        game=campaign.game.name if campaign.game else None,
        organization=campaign.brand,
        description=(campaign.summary or "")[:DESCRIPTION_LENGTH] or None,
        start_at=campaign.start_at,
        end_at=campaign.end_at,
        required_minutes=None if grouped else campaign.required_minutes,
        required_subs=None if grouped else campaign.required_subs,
        required_turbo_subs=None if grouped else campaign.required_turbo_subs,
        drops=_reward_lines(campaign) if grouped else _one_line(campaign.rewards),
    )


def _reward_lines(campaign: RewardCampaignRecord) -> tuple[DropLine, ...]:
    """Return rewards by what they ask for, each line as a drop of its own: what comes first is earned first."""
    by_efforts: dict[tuple[int, int, int], list[RewardRecord]] = {}
    for reward in campaign.rewards:
        efforts = _efforts(reward)
        by_efforts.setdefault(_efforts(campaign) if efforts == (0, 0, 0) else efforts, []).append(reward)
    return tuple(
        DropLine(
            required_minutes=minutes or None,
            required_subs=subs or None,
            required_turbo_subs=turbo or None,
            benefits=_benefit_lines(rewards),
        )
        for (minutes, subs, turbo), rewards in sorted(by_efforts.items())
    )


def _one_line(rewards: Sequence[RewardRecord]) -> tuple[DropLine, ...]:
    return (DropLine(benefits=_benefit_lines(rewards)),) if rewards else ()


def _benefit_lines(rewards: Sequence[RewardRecord]) -> tuple[BenefitLine, ...]:
    return tuple(BenefitLine(name=reward.name, image_url=reward.image_url) for reward in rewards)


def drop_lines(drops: Sequence[DropRecord], starts_by: Mapping[str, datetime] | None = None) -> tuple[DropLine, ...]:
    """Return drops as a message lists them: what comes first is earned first.

    `starts_by` says by their ids until when one must begin with them, where the message is about that.
    """
    ordered = sorted(drops, key=lambda drop: (*_efforts(drop), drop.external_id))
    return tuple(
        DropLine(
            name=drop.name,
            required_minutes=drop.required_minutes,
            required_subs=drop.required_subs,
            required_turbo_subs=drop.required_turbo_subs,
            start_by=(starts_by or {}).get(drop.external_id),
            benefits=tuple(
                BenefitLine(name=b.name, image_url=b.image_url, distribution_type=b.distribution_type)
                for b in drop.benefits
            ),
        )
        for drop in ordered
    )


def _efforts(of: DropRecord | RewardRecord | RewardCampaignRecord) -> tuple[int, int, int]:
    return of.required_minutes or 0, of.required_subs or 0, of.required_turbo_subs or 0


def channel_names(channels: Sequence[ChannelRecord]) -> tuple[str, ...]:
    """Return the channels' logins, which are what their addresses are made of."""
    return tuple(channel.login for channel in channels)


def badge_detail(badge: BadgeRecord) -> CampaignDetail:
    """Return what the event of a chat badge shows of it."""
    return CampaignDetail(
        name=badge.title,
        url=badge.click_url,
        image_url=badge.image_url,
        # Many describe themselves by their title once more.
        description=badge.description if badge.description != badge.title else None,
    )
