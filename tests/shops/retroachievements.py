"""What RetroAchievements' web API answers for invented accounts."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

KEY = "aBcDeFgHiJkLmNoPqRsTuVwXyZ012345"
UNAUTHENTICATED = '{"message":"Unauthenticated.","errors":[{"status":401,"code":"unauthorized"}]}'


@dataclass
class Player:
    """An account, with its games by their ids; those with the newest award come first."""

    name: str
    ulid: str
    games: dict[int, dict[str, Any]] = field(default_factory=dict)
    # Called before each page: something may happen while a list is read.
    before_page: Callable[[], object] = lambda: None

    def earn(self, game_id: int, title: str, console: str, at: datetime, *, award: str | None = None) -> None:
        """Earn an achievement of a game, and with it an award."""
        before = self.games.pop(game_id, {"NumAwarded": 0, "HighestAwardKind": None, "HighestAwardDate": None})
        self.games[game_id] = {
            "GameID": game_id,
            "Title": title,
            "ImageIcon": f"/Images/{game_id:06}.png",
            "ConsoleID": 1,
            "ConsoleName": console,
            "MaxPossible": 40,
            "NumAwarded": before["NumAwarded"] + 1,
            "NumAwardedHardcore": before["NumAwarded"] + 1,
            "MostRecentAwardedDate": at.isoformat(),
            "HighestAwardKind": award or before["HighestAwardKind"],
            "HighestAwardDate": at.isoformat() if award else before["HighestAwardDate"],
        }


def answer(players: Mapping[str, Player], path: str, query: Mapping[str, str]) -> tuple[int, str]:
    """Return status and body of the answer to whoever has a valid key."""
    asked = query.get("u", "").casefold()
    player = next((p for p in players.values() if asked in {p.name.casefold(), p.ulid.casefold()}), None)
    match path.strip("/"):
        case "API/API_GetUserProfile.php":
            if player is None:
                return 404, json.dumps({"ID": None, "User": query.get("u")})
            return 200, json.dumps({"User": player.name, "ULID": player.ulid, "TotalPoints": 12, "Untracked": 0})
        case "API/API_GetUserCompletionProgress.php":
            return 200, json.dumps(_page(player, int(query.get("c", "100")), int(query.get("o", "0"))))
    return 404, '{"message":"Not Found"}'


def _page(player: Player | None, count: int, offset: int) -> dict[str, Any]:
    if player is None:
        return {"Count": 0, "Total": 0, "Results": []}
    player.before_page()
    newest_first = sorted(player.games.values(), key=lambda game: game["MostRecentAwardedDate"], reverse=True)
    results = newest_first[offset : offset + min(count, 500)]
    return {"Count": len(results), "Total": len(player.games), "Results": results}
