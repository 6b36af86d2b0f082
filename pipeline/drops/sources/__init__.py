"""Where campaigns and badges come from: one module a source, and the list of them that the settings make."""

from collections.abc import Callable, Sequence
from datetime import timedelta

from pipeline.http import Client
from pipeline.settings import Settings
from pipeline.sources import chzzk, kick, twitch_badges, twitch_campaigns, twitch_drops, twitch_mirror
from pipeline.sources.base import ListSource
from pipeline.sources.helix import Helix
from pipeline.sources.looks import Look, Recognition
from pipeline.sources.twitch_answers import DASHBOARD, DETAILS
from pipeline.sources.twitch_graphql import Account

# Sources that exist only while our application at Twitch is set; without, their rows are off.
ON_DEMAND = (twitch_badges.TwitchBadges.name,)
# Who recognises what files hold, in the order in which they are asked.
RECOGNISERS: Sequence[Callable[[Look], Recognition | None]] = (
    chzzk.recognise,
    twitch_badges.recognise,
    twitch_mirror.recognise,
    kick.recognise,
    twitch_campaigns.recognise,
)
# What Twitch itself answered can be read from files although nobody asks it.
FROM_FILES: Sequence[ListSource] = (
    twitch_campaigns.DashboardCampaigns(),
    twitch_campaigns.DashboardRewards(),
    twitch_campaigns.Campaigns(),
    twitch_badges.Badges(),
)


def sources(
    settings: Settings, account: Account | None, open_helix: Callable[[Client], Helix] | None
) -> list[ListSource]:
    """Return the sources, asked at the addresses and paces that the settings give.

    Some need an `account` that somebody signed in with, or an application of ours to open Helix.
    """
    return [
        *_open(settings),
        *([] if open_helix is None else _of_application(settings, open_helix)),
        *([] if account is None else _of_account(settings, account)),
    ]


def _open(settings: Settings) -> list[ListSource]:
    mirror_every = timedelta(seconds=settings.drops_mirror_poll_seconds)
    return [
        twitch_mirror.TwitchDrops(settings.drops_mirror_url, poll_every=mirror_every),
        twitch_mirror.TwitchRewards(settings.drops_mirror_url, poll_every=mirror_every),
        kick.KickDrops(settings.kick_url, poll_every=timedelta(seconds=settings.kick_poll_seconds)),
        chzzk.ChzzkDrops(
            settings.chzzk_url,
            poll_every=timedelta(seconds=settings.chzzk_poll_seconds),
            first_number=settings.chzzk_first_number,
        ),
    ]


def _of_application(settings: Settings, open_helix: Callable[[Client], Helix]) -> list[ListSource]:
    return [twitch_badges.TwitchBadges(open_helix, poll_every=timedelta(seconds=settings.badges_poll_seconds))]


def _of_account(settings: Settings, account: Account) -> list[ListSource]:
    poll_every = timedelta(seconds=settings.twitch_dashboard_poll_seconds)
    hashes = {DASHBOARD: settings.twitch_dashboard_hashes, DETAILS: settings.twitch_details_hashes}
    return [
        twitch_drops.TwitchDashboard(settings.gql_url, account, poll_every=poll_every, hashes=hashes),
        twitch_drops.TwitchDashboardRewards(settings.gql_url, account, poll_every=poll_every, hashes=hashes),
    ]
