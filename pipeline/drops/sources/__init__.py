"""Where campaigns and badges come from: one module a source, and the list of them that the settings make."""

from collections.abc import Callable, Sequence
from datetime import timedelta

from pipeline.http import Client
from pipeline.settings import Settings
from pipeline.sources.base import ListSource
from pipeline.sources.chzzk import ChzzkDrops
from pipeline.sources.helix import Helix
from pipeline.sources.kick import KickDrops
from pipeline.sources.twitch_answers import DASHBOARD, DETAILS
from pipeline.sources.twitch_badges import Badges, TwitchBadges
from pipeline.sources.twitch_campaigns import Campaigns, DashboardCampaigns, DashboardRewards
from pipeline.sources.twitch_drops import TwitchDashboard, TwitchDashboardRewards
from pipeline.sources.twitch_graphql import Account
from pipeline.sources.twitch_mirror import TwitchDrops, TwitchRewards

# Sources that exist only while our application at Twitch is set; without, their rows are off.
ON_DEMAND = (TwitchBadges.name,)
# What Twitch itself answered can be read from files although nobody asks it.
FROM_FILES: Sequence[ListSource] = (DashboardCampaigns(), DashboardRewards(), Campaigns(), Badges())


def sources(
    settings: Settings, account: Account | None, open_helix: Callable[[Client], Helix] | None
) -> list[ListSource]:
    """Return the sources, asked at the addresses and paces that the settings give.

    Some need an `account` that somebody signed in with, or an application of ours to open Helix.
    """
    mirror_every = timedelta(seconds=settings.drops_mirror_poll_seconds)
    listed: list[ListSource] = [
        TwitchDrops(settings.drops_mirror_url, poll_every=mirror_every),
        TwitchRewards(settings.drops_mirror_url, poll_every=mirror_every),
        KickDrops(settings.kick_url, poll_every=timedelta(seconds=settings.kick_poll_seconds)),
        ChzzkDrops(
            settings.chzzk_url,
            poll_every=timedelta(seconds=settings.chzzk_poll_seconds),
            first_number=settings.chzzk_first_number,
        ),
    ]
    if open_helix is not None:
        listed.append(TwitchBadges(open_helix, poll_every=timedelta(seconds=settings.badges_poll_seconds)))
    if account is not None:
        dashboard_every = timedelta(seconds=settings.twitch_dashboard_poll_seconds)
        hashes = {DASHBOARD: settings.twitch_dashboard_hashes, DETAILS: settings.twitch_details_hashes}
        listed += [
            TwitchDashboard(settings.gql_url, account, poll_every=dashboard_every, hashes=hashes),
            TwitchDashboardRewards(settings.gql_url, account, poll_every=dashboard_every, hashes=hashes),
        ]
    return listed
