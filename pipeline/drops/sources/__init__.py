"""Where campaigns and badges come from: one module a source, and the list of them that the settings make."""

from collections.abc import Callable, Sequence
from datetime import timedelta

from pipeline.drops.sources.badges import Badges, TwitchBadges, recognise_badges
from pipeline.drops.sources.chzzk import ChzzkDrops, recognise_chzzk
from pipeline.drops.sources.dashboard import TwitchDashboard, TwitchDashboardRewards
from pipeline.drops.sources.dashboard_campaigns import (
    Campaigns,
    DashboardCampaigns,
    DashboardRewards,
    recognise_answers,
)
from pipeline.drops.sources.inventory import TwitchInventory
from pipeline.drops.sources.kick import KickDrops, recognise_kick
from pipeline.drops.sources.looks import Look, Recognition
from pipeline.drops.sources.mirror import TwitchDrops, TwitchRewards, recognise_mirror
from pipeline.fetch.http import Client
from pipeline.ingest.source import ListSource, RoundSource
from pipeline.runtime.settings import Settings
from pipeline.services.twitch.graphql import Account
from pipeline.services.twitch.graphql_answers import DASHBOARD, DETAILS, INVENTORY
from pipeline.services.twitch.helix import Helix

# Sources that exist only while our application at Twitch is set; without, their rows are off.
ON_DEMAND = (TwitchBadges.name,)
# Each recognises the files of its own source; they are tried in this order.
RECOGNISERS: Sequence[Callable[[Look], Recognition | None]] = (
    recognise_chzzk,
    recognise_badges,
    recognise_mirror,
    recognise_kick,
    recognise_answers,
)
# These read Twitch's own answers out of files, also where no account or application lets us ask Twitch.
FROM_FILES: Sequence[ListSource] = (
    DashboardCampaigns(),
    DashboardRewards(),
    Campaigns(),
    Badges(),
)


def sources(
    settings: Settings, account: Account | None, open_helix: Callable[[Client], Helix] | None
) -> list[ListSource]:
    """Return the sources, with the addresses and paces that the settings give.

    Some need the `account` that a person signed in with, or an application of ours to open Helix.
    """
    return [
        *_open(settings),
        *([] if open_helix is None else _of_application(settings, open_helix)),
        *([] if account is None else _of_account(settings, account)),
    ]


def rounds(settings: Settings, account: Account | None) -> list[RoundSource]:
    """Return the sources that store what the `account` itself has, where a person signed in."""
    if account is None:
        return []
    every = timedelta(seconds=settings.twitch_inventory_poll_seconds)
    hashes = {INVENTORY: settings.twitch_inventory_hashes}
    return [TwitchInventory(settings.gql_url, account, poll_every=every, hashes=hashes)]


def _open(settings: Settings) -> list[ListSource]:
    mirror_every = timedelta(seconds=settings.drops_mirror_poll_seconds)
    return [
        TwitchDrops(settings.drops_mirror_url, poll_every=mirror_every),
        TwitchRewards(settings.drops_mirror_url, poll_every=mirror_every),
        KickDrops(settings.kick_url, poll_every=timedelta(seconds=settings.kick_poll_seconds)),
        ChzzkDrops(
            settings.chzzk_url,
            poll_every=timedelta(seconds=settings.chzzk_poll_seconds),
            first_number=settings.chzzk_first_number,
        ),
    ]


def _of_application(settings: Settings, open_helix: Callable[[Client], Helix]) -> list[ListSource]:
    return [TwitchBadges(open_helix, poll_every=timedelta(seconds=settings.badges_poll_seconds))]


def _of_account(settings: Settings, account: Account) -> list[ListSource]:
    poll_every = timedelta(seconds=settings.twitch_dashboard_poll_seconds)
    hashes = {DASHBOARD: settings.twitch_dashboard_hashes, DETAILS: settings.twitch_details_hashes}
    return [
        TwitchDashboard(settings.gql_url, account, poll_every=poll_every, hashes=hashes),
        TwitchDashboardRewards(settings.gql_url, account, poll_every=poll_every, hashes=hashes),
    ]
