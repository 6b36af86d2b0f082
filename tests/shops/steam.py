"""What Steam's Web API answers for invented accounts."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

KEY = "0123456789ABCDEF0123456789ABCDEF"
REFUSED = (
    "<html><head><title>Unauthorized</title></head><body><h1>Unauthorized</h1>Access is denied. Retrying will not "
    "help. Please verify your <pre>key=</pre> parameter.</body></html>"
)
BAD_REQUEST = "<html><head><title>Bad Request</title></head><body><h1>Bad Request</h1></body></html>"


@dataclass
class SteamUser:
    """An account, with its games by their app's id."""

    steam_id: str
    name: str
    vanity: str | None = None
    games: dict[int, dict[str, Any]] = field(default_factory=dict)
    is_private: bool = False

    def own(self, appid: int, name: str, *, minutes: int = 0, played_at: datetime | None = None) -> None:
        """Have a game, or have played it for so long."""
        self.games[appid] = {
            "appid": appid,
            "name": name,
            "playtime_forever": minutes,
            "img_icon_url": f"{appid:040x}",
            "playtime_windows_forever": minutes,
            "playtime_deck_forever": 0,
            "rtime_last_played": int(played_at.timestamp()) if played_at else 0,
        }

    def play(self, appid: int, at: datetime, *, minutes: int = 60) -> None:
        """Play a game until a moment."""
        game = self.games[appid]
        self.own(appid, game["name"], minutes=game["playtime_forever"] + minutes, played_at=at)

    def lose(self, appid: int) -> None:
        """Have a game no more."""
        del self.games[appid]


def answer(users: Mapping[str, SteamUser], path: str, query: Mapping[str, str]) -> tuple[int, str]:
    """Return status and body of the answer to whoever has a valid key."""
    match path.strip("/"):
        case "ISteamUser/ResolveVanityURL/v1":
            ids = [user.steam_id for user in users.values() if user.vanity == query["vanityurl"]]
            known = {"steamid": ids[0], "success": 1} if ids else {"success": 42, "message": "No match"}
            return 200, json.dumps({"response": known})
        case "ISteamUser/GetPlayerSummaries/v2":
            asked = [users[each] for each in query["steamids"].split(",") if each in users]
            players = [{"steamid": user.steam_id, "personaname": user.name} for user in asked]
            return 200, json.dumps({"response": {"players": players}})
        case "IPlayerService/GetOwnedGames/v1":
            return _owned(users.get(query["steamid"]), query)
    return 404, "<html><head><title>Not Found</title></head><body><h1>Not Found</h1></body></html>"


def _owned(user: SteamUser | None, query: Mapping[str, str]) -> tuple[int, str]:
    if user is None:
        return 400, BAD_REQUEST
    if user.is_private:
        return 200, '{"response":{}}'
    names = query.get("include_appinfo") == "1"
    games = [game if names else {k: v for k, v in game.items() if k != "name"} for game in user.games.values()]
    return 200, json.dumps({"response": {"game_count": len(games), "games": games}})
