"""What Steam answers in the demo: the account of a player who has invented games, and plays one of them as hours pass.

RetroAchievements answers for the same player. Any key will do.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from pipeline.demo.clock import snapshot_time
from pipeline.demo.igdb.catalogue import steam_id
from pipeline.demo.world import GAMES

STEAM_ID = "76561190000004242"
VANITY = "salty-finn"
NAME = "Salty Finn"
ULID = "01JDEM0F1NN000000000000000"
# What both services take for a key.
STEAM_KEY = "5A17C0DE" * 4
RETROACHIEVEMENTS_KEY = "saltyfinn0demo0key0000000"


@dataclass(frozen=True, slots=True)
class OwnedGame:
    """A game of the player: hours played before the demo begins, and more with each step from `played_from` on."""

    game: str
    hours: float
    first_step: int = 0
    played_from: int | None = None
    minutes_a_step: int = 45


OWNED = (
    OwnedGame("saltglass", 41, played_from=2),
    OwnedGame("gutter-league", 0, played_from=4),
    OwnedGame("kettlebots", 0),
    OwnedGame("sporeways", 3.5, first_step=3),
)
"""Two games that are played now, one that waits, and one that is bought on the way."""


def steam(now: datetime, step: int, path: str, query: Mapping[str, Sequence[str]]) -> dict[str, Any] | None:
    """Return what Steam's Web API answers to a GET of a path below its address; None where there is nothing."""
    match path.strip("/"):
        case "ISteamUser/ResolveVanityURL/v1":
            known = query.get("vanityurl", [""])[0] == VANITY
            return {"response": {"steamid": STEAM_ID, "success": 1} if known else {"success": 42}}
        case "ISteamUser/GetPlayerSummaries/v2":
            known = STEAM_ID in query.get("steamids", [""])[0].split(",")
            return {"response": {"players": [{"steamid": STEAM_ID, "personaname": NAME}] if known else []}}
        case "IPlayerService/GetOwnedGames/v1":
            owned = [_owned(now, step, each) for each in OWNED if each.first_step <= step]
            return {"response": {"game_count": len(owned), "games": owned}}
    return None


def retroachievements(now: datetime, path: str) -> dict[str, Any] | None:
    """Return what RetroAchievements' web API answers to a GET of a path; None where there is nothing."""
    match path.strip("/"):
        case "API/API_GetUserProfile.php":
            return {"User": "SaltyFinn", "ULID": ULID}
        case "API/API_GetUserCompletionProgress.php":
            at = (now - timedelta(days=20)).isoformat()
            beaten = {
                "GameID": 4242,
                "Title": GAMES["gutter-league"].name,
                "ConsoleName": "Game Boy",
                "MaxPossible": 30,
                "NumAwarded": 30,
                "NumAwardedHardcore": 30,
                "MostRecentAwardedDate": at,
                "HighestAwardKind": "mastered",
                "HighestAwardDate": at,
            }
            return {"Count": 1, "Total": 1, "Results": [beaten]}
    return None


def _owned(now: datetime, step: int, owned: OwnedGame) -> dict[str, Any]:
    steps = 0 if owned.played_from is None else max(0, step - owned.played_from + 1)
    minutes = round(owned.hours * 60) + steps * owned.minutes_a_step
    played_at = snapshot_time(now, step) if steps else now - timedelta(days=30)
    return {
        "appid": int(steam_id(owned.game)),
        "name": GAMES[owned.game].name,
        "playtime_forever": minutes,
        "rtime_last_played": int(played_at.timestamp()) if minutes else 0,
    }
