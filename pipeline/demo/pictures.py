"""Draws the demo's pictures as SVG text: the same path always gives the same picture."""

import re
from html import escape

from pipeline.demo.world import GAMES, Game, stable_number

MOTIFS = {
    "bolt": "M56 4 20 58h24l-8 38 44-58H54z",
    "crown": "M10 82V28l22 20 18-34 18 34 22-20v54z",
    "flame": "M50 4c4 22 30 30 30 58a30 32 0 0 1-60 0c0-14 8-22 14-30 2 8 6 12 10 12C40 30 42 16 50 4z",
    "gem": "M28 12h44l22 26-44 54L6 38z",
    "key": "M28 26a22 22 0 1 0 21 30h21v14h12V56h10V44H49A22 22 0 0 0 28 26zm0 14a8 8 0 1 1 0 16 8 8 0 0 1 0-16z",
    "leaf": "M12 88C8 40 34 10 90 10c0 52-26 78-62 72L16 94z",
    "moon": "M62 6a46 46 0 1 0 32 66A38 38 0 0 1 62 6z",
    "shield": "M50 4 90 18v30c0 26-18 40-40 48C28 88 10 74 10 48V18z",
    "star": "m50 4 13 30 33 3-25 22 8 33-29-18-29 18 8-33L4 37l33-3z",
    "wave": "M2 40c16-24 32-24 48 0s32 24 48 0v24c-16 24-32 24-48 0s-32-24-48 0z",
}

_BOX_ART = re.compile(r"/ttv-boxart/(?P<id>\d{1,12})(?:_IGDB)?-(?P<width>\d{1,4})x(?P<height>\d{1,4})\.jpg")
_BANNER = re.compile(r"/(?:kick|chzzk)-files/banner/(?P<key>[a-z0-9-]{1,80})\.jpg")
_ICON = re.compile(
    r"/(?:twitch-quests-assets/(?:CAMPAIGN|REWARD)|(?:kick|chzzk)-files/(?:logo|reward|user))"
    r"/(?P<key>[a-z0-9-]{1,120})\.png"
)
_GAMES_BY_ID = {game.id: game for game in GAMES.values()}


def box_art_url(base_url: str, game: Game) -> str:
    """The address of a game's box art in the size that the mirror names, in Twitch's form."""
    return f"{base_url}/ttv-boxart/{game.id}_IGDB-120x160.jpg"


def banner_url(base_url: str, service: str, game: Game) -> str:
    """The address of a game's picture on Kick or CHZZK."""
    return f"{base_url}/{service}-files/banner/{game.key}.jpg"


def icon_url(base_url: str, folder: str, key: str) -> str:
    """The address of an icon, for example in the folder `twitch-quests-assets/REWARD`."""
    return f"{base_url}/{folder}/{key}.png"


def picture(path: str) -> str | None:
    """Return the SVG text of a path of the demo server, None if it is not a picture's."""
    if match := _BOX_ART.fullmatch(path):
        game = _GAMES_BY_ID.get(match["id"])
        return box_art(game, int(match["width"]), int(match["height"])) if game else None
    if match := _BANNER.fullmatch(path):
        game = GAMES.get(match["key"])
        return box_art(game) if game else None
    if match := _ICON.fullmatch(path):
        return icon(match["key"])
    return None


def box_art(game: Game, width: int = 120, height: int = 160) -> str:
    """A game's box as SVG: its motif on its colour, and its title underneath."""
    lines = _lines(game.name)
    first = 148 - 14 * (len(lines) - 1)
    title = "".join(f'<text x="10" y="{first + 14 * row}">{escape(line)}</text>' for row, line in enumerate(lines))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 120 160">'
        f"{_gradient(game.hue)}"
        '<rect width="120" height="160" fill="url(#g)"/>'
        '<circle cx="60" cy="54" r="44" fill="#fff" opacity=".12"/>'
        f'<path transform="translate(28 22) scale(.64)" d="{MOTIFS[game.motif]}" fill="#fff" opacity=".9"/>'
        f'<rect y="{first - 20}" width="120" height="160" fill="#000" opacity=".35"/>'
        f'<g fill="#fff" font-family="sans-serif" font-size="12" font-weight="700">{title}</g>'
        f"</svg>"
    )


def icon(key: str) -> str:
    """Return a reward's icon as SVG: the motif that its key names, else one chosen by the key."""
    names = sorted(MOTIFS)
    chosen = next((name for name in names if name in key), names[stable_number(key, 0, len(names) - 1)])
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" width="80" height="80" viewBox="0 0 80 80">'
        f"{_gradient(stable_number(f'hue/{key}', 0, 359))}"
        '<rect width="80" height="80" rx="14" fill="url(#g)"/>'
        f'<path transform="translate(18 18) scale(.44)" d="{MOTIFS[chosen]}" fill="#fff"/>'
        "</svg>"
    )


def _gradient(hue: int) -> str:
    return (
        '<defs><linearGradient id="g" x1="0" y1="0" x2="1" y2="1">'
        f'<stop offset="0" stop-color="hsl({hue},62%,46%)"/>'
        f'<stop offset="1" stop-color="hsl({(hue + 40) % 360},58%,22%)"/>'
        "</linearGradient></defs>"
    )


def _lines(title: str, longest: int = 14) -> list[str]:
    """The title's words in lines that fit on a box."""
    lines = [""]
    for word in title.split():
        joined = f"{lines[-1]} {word}".strip()
        lines[-1:] = [joined] if len(joined) <= longest or not lines[-1] else [lines[-1], word]
    return lines
