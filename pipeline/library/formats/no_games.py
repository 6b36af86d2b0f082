"""Which products of shops are no games: tools, servers, engines, soundtracks, DLC. Pure."""

import re
from collections.abc import Mapping

TOOL = "a tool, no game"
DLC = "DLC: it belongs to another game"
SERVER = "a server, no game"
MUSIC = "a soundtrack or a book, no game"
RUNTIME = "a part of the store's own program"

# https://steamdb.info/app/ID/ names each; none of them is in IGDB.
_STEAM: Mapping[int, str] = {
    **dict.fromkeys((0, 7, 760, 228980, 241100, 250820, 1070560, 1391110, 1628350, 1161040, 1826330, 4183110), RUNTIME),
    **dict.fromkeys((858280, 930400, 961940, 996510, 1054830, 1113280, 1245040, 1420170, 1493710, 1580130), RUNTIME),
    **dict.fromkeys((1887720, 2180100, 2230260, 2348590, 2805730, 3086180, 3658110), RUNTIME),
    # Source Filmmaker, 3DMark, Wallpaper Engine, Soundpad, Aseprite, VTube Studio, Lossless Scaling, OBS, Krita.
    **dict.fromkeys((1840, 223850, 431960, 629520, 431730, 1325860, 993090, 1905180, 1371010), TOOL),
}
_NAMES = {
    r"\bdedicated server(?: tool)?$": SERVER,
    r"\b(?:soundtrack|ost|original score|art ?book)$": MUSIC,
    r"\b(?:season|expansion|year \d) pass$|\bDLC\b": DLC,
    r"^(?:proton (?:\d|experimental|hotfix|next|battleye|easyanticheat)|steam linux runtime)": RUNTIME,
    r"^(?:steamvr|steamworks (?:common|sdk).*|.* redistributables?)$": RUNTIME,
    r"^(?:unreal engine|unity hub|.* sdk|.* authoring tools.*)$": TOOL,
    r"^(?:wallpaper engine|source filmmaker|obs studio|aseprite|3dmark|lossless scaling)$": TOOL,
}
_BY_NAME = [(re.compile(pattern, re.IGNORECASE), reason) for pattern, reason in _NAMES.items()]


def no_game_of_steam(appid: int) -> str | None:
    """Return why an app of Steam is no game; None where it may be."""
    return _STEAM.get(appid)


def no_game_by_name(title: str) -> str | None:
    """Return why a shop's product is no game, by its name alone; None where it may be."""
    return next((reason for pattern, reason in _BY_NAME if pattern.search(title)), None)
