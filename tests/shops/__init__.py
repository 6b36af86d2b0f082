"""Stand-ins for the services whose libraries are synced: Steam and RetroAchievements on this machine."""

from tests.shops.local import LocalShops
from tests.shops.retroachievements import Player
from tests.shops.steam import SteamUser

__all__ = ["LocalShops", "Player", "SteamUser"]
