"""Made-up answers of IGDB, as large and as varied as its real ones: titles, scripts, shops, dates of all precisions.

A document is made of its number alone, so that any page can be made again, and never from anybody's catalogue.
"""

import random
from typing import Any

import msgspec

PAGE = 500
_ADJECTIVES = (
    *("Ashen", "Silent", "Crimson", "Hollow", "Iron", "Lost", "Frozen", "Golden", "Broken", "Wild", "Last", "Deep"),
    *("Neon", "Pixel", "Tiny", "Grand", "Dark", "Radiant", "Forgotten", "Endless", "Super", "Hyper", "Royal", "Final"),
)
_NOUNS = (
    *("Harbor", "Kingdom", "Odyssey", "Protocol", "Garden", "Legends", "Tactics", "Raiders", "Orbit", "Chronicle"),
    *("Forge", "Signal", "Horizon", "Dungeon", "Circuit", "Empire", "Vale", "Rally", "Warden", "Echoes", "Drift"),
    *("Colony", "Siege", "Requiem", "Pilgrim", "Ballad", "Machina", "Reef", "Citadel", "Frontier", "Nomad", "Spire"),
)
_NAMES = ("Aldric", "Mirelle", "Tomoe", "Yggdra", "Kestrel", "Pompom", "Zephyr", "Bruno", "Lantern", "Ophelia")
_SUFFIXES = (
    "",
    "",
    "",
    "",
    " II",
    " III",
    " 2",
    " 3",
    ": Remastered",
    ": Definitive Edition",
    " - Prologue",
    " Online",
)
_HAN, _KANA = "影灯星海竜剣城夜風火龙传说战纪无双天空", "アカサタナハマヤラワイキシチニヒミリ"
_WORDS = (
    *("explore", "a", "vast", "world", "where", "every", "choice", "matters", "and", "the", "night", "belongs", "to"),
    *("those", "who", "dare", "build", "your", "party", "of", "unlikely", "heroes", "fight", "through", "procedurally"),
    *(
        "generated",
        "dungeons",
        "trade",
        "with",
        "rival",
        "factions",
        "solve",
        "puzzles",
        "in",
        "an",
        "ancient",
        "temple",
    ),
)
_GENRES = ("Shooter", "Platform", "Puzzle", "Racing", "Role-playing (RPG)", "Simulator", "Sport", "Strategy", "Indie")
_THEMES = ("Action", "Fantasy", "Science fiction", "Horror", "Survival", "Comedy", "Open world", "Mystery")
_MODES = ("Single player", "Multiplayer", "Co-operative", "Split screen")
_VIEWS = ("First person", "Third person", "Side view", "Bird view / Isometric")
_PLATFORMS = (
    (6, "PC (Microsoft Windows)", "PC", "win", None, None),
    (14, "Mac", "Mac", "mac", None, None),
    (3, "Linux", "Linux", "linux", None, "Linux"),
    (48, "PlayStation 4", "PS4", "ps4--1", 8, "PlayStation"),
    (167, "PlayStation 5", "PS5", "ps5", 9, "PlayStation"),
    (49, "Xbox One", "XONE", "xboxone", 8, "Xbox"),
    (169, "Xbox Series X|S", "Series X|S", "series-x-s", 9, "Xbox"),
    (130, "Nintendo Switch", "Switch", "switch", 8, "Nintendo"),
    (508, "Nintendo Switch 2", "Switch 2", "switch-2", 9, "Nintendo"),
)
_SHOPS = {1: "https://store.steampowered.com/app/{}", 5: "https://www.gog.com/game/{}", 14: "https://www.twitch.tv/{}"}
_LANGUAGES = ("English", "French", "German", "Japanese", "Korean", "Spanish (Spain)", "Chinese (Simplified)")
_DAY = 86_400


def page(number: int, size: int = PAGE, *, revision: int = 0) -> bytes:
    """Return the answer to one request: documents `number * size + 1` and on, laid out as IGDB does.

    Another revision has the same games with other ratings, and a moved date here and there.
    """
    documents = [document(igdb_id, revision) for igdb_id in range(number * size + 1, (number + 1) * size + 1)]
    return msgspec.json.format(msgspec.json.encode(documents), indent=2)


def document(igdb_id: int, revision: int = 0) -> dict[str, Any]:
    """Return one game with everything that is asked for expanded."""
    dice = random.Random(igdb_id)
    name = _name(dice)
    slug = "-".join("".join(c if c.isalnum() else " " for c in name.lower()).split())
    platforms = dice.sample(_PLATFORMS, dice.choices((1, 2, 3, 4, 6), (40, 25, 15, 10, 10))[0])
    first = 1_000_000_000 + dice.randrange(9_500) * _DAY
    game: dict[str, Any] = {
        "id": igdb_id,
        "age_ratings": [
            {
                "id": igdb_id * 3 + n,
                "organization": {"id": n + 1, "name": ("ESRB", "PEGI", "CERO")[n]},
                "rating_category": {"id": n * 7 + 3, "rating": ("T", "12", "B")[n]},
            }
            for n in range(dice.randrange(4))
        ],
        "alternative_names": [
            {"id": igdb_id * 4 + n, "comment": "Other", "name": other}
            for n, other in enumerate(_other_names(dice, name))
        ],
        "artworks": [{"id": igdb_id + n, "image_id": _image(dice, "ar")} for n in range(dice.randrange(4))],
        "cover": {"id": igdb_id, "height": 800, "image_id": _image(dice, "co"), "width": 600},
        "created_at": first - 90 * _DAY,
        "external_games": [_external(dice, igdb_id, slug, n) for n in range(dice.randrange(1, 5))],
        "first_release_date": first,
        "game_modes": _named(dice, _MODES, 2),
        "game_type": dice.choices((0, 1, 2, 3, 10), (80, 8, 3, 5, 4))[0],
        "genres": _named(dice, _GENRES, 3),
        "involved_companies": [_company(dice, igdb_id, n) for n in range(dice.randrange(1, 4))],
        "language_supports": [
            {"id": igdb_id * 9 + n, "language": {"id": n + 1, "name": language}, "language_support_type": 1 + n % 3}
            for n, language in enumerate(_LANGUAGES[: dice.randrange(1, 7)])
        ],
        "name": name,
        "platforms": [_platform(*platform) for platform in platforms],
        "player_perspectives": _named(dice, _VIEWS, 1),
        "release_dates": [_release(dice, igdb_id, n, p[0], first, revision) for n, p in enumerate(platforms)],
        "slug": slug if dice.random() < 0.9 else f"{slug}--{dice.randrange(1, 9)}",
        "summary": _sentences(dice, 4),
        "themes": _named(dice, _THEMES, 2),
        "total_rating": round(dice.uniform(30, 95), 12) + revision,
        "total_rating_count": dice.randrange(1, 900),
        "updated_at": 1_790_000_000 + revision,
        "url": f"https://www.igdb.com/games/{slug}",
        "videos": [
            {"id": igdb_id + n, "name": "Trailer", "video_id": _image(dice, "vi")} for n in range(dice.randrange(3))
        ],
        "websites": [_website(igdb_id, slug, n) for n in range(dice.randrange(1, 5))],
    }
    if dice.random() < 0.3:
        game["franchises"] = [{"id": igdb_id % 900, "name": f"{dice.choice(_NAMES)} Saga"}]
        game["collections"] = [{"id": igdb_id % 700, "name": f"{dice.choice(_NAMES)} Series"}]
    if dice.random() < 0.4:
        game["storyline"] = _sentences(dice, 3)
    if game["game_type"]:
        game["parent_game"] = dice.randrange(1, igdb_id + 1)
    return game


def _name(dice: random.Random) -> str:
    pattern = dice.randrange(4)
    adjective, noun, hero = dice.choice(_ADJECTIVES), dice.choice(_NOUNS), dice.choice(_NAMES)
    stem = (f"{adjective} {noun}", f"{noun} of {hero}", f"{hero}'s {adjective} {noun}", f"{adjective} {noun}: {hero}")[
        pattern
    ]
    number = f" {dice.randrange(2, 2030)}" if dice.random() < 0.15 else ""
    return stem + number + dice.choice(_SUFFIXES)


def _other_names(dice: random.Random, name: str) -> list[str]:
    initials = "".join(word[0] for word in name.split())
    script = dice.choice((_HAN, _KANA))
    written = "".join(dice.choice(script) for _ in range(dice.randrange(3, 10)))
    return dice.sample(
        [f"{name.split(maxsplit=1)[0]}.exe", initials, written, name.replace(":", " -") + " (2024)"], dice.randrange(4)
    )


def _sentences(dice: random.Random, count: int) -> str:
    return " ".join(" ".join(dice.choices(_WORDS, k=dice.randrange(10, 24))).capitalize() + "." for _ in range(count))


def _named(dice: random.Random, names: tuple[str, ...], most: int) -> list[dict[str, Any]]:
    return [{"id": names.index(name) + 1, "name": name} for name in dice.sample(names, dice.randrange(1, most + 1))]


def _image(dice: random.Random, prefix: str) -> str:
    return prefix + format(dice.randrange(36**4), "x")


def _external(dice: random.Random, igdb_id: int, slug: str, nth: int) -> dict[str, Any]:
    source = (1, 14, 5, 26)[nth]
    uid = str(dice.randrange(10_000, 4_000_000)) if source != 26 else format(dice.getrandbits(128), "032x")
    url = _SHOPS.get(source, "https://store.epicgames.com/p/{}").format(slug)
    return {"id": igdb_id * 5 + nth, "external_game_source": source, "uid": uid, "url": url}


def _company(dice: random.Random, igdb_id: int, nth: int) -> dict[str, Any]:
    number = int(dice.paretovariate(0.6)) % 20_000
    return {
        "id": igdb_id * 3 + nth,
        "company": {"id": number, "name": f"{_NOUNS[number % len(_NOUNS)]} Studio {number}"},
        "developer": nth == 0,
        "porting": False,
        "publisher": nth == 1,
        "supporting": nth == 2,
    }


def _platform(
    number: int, name: str, short: str, slug: str, generation: int | None, family: str | None
) -> dict[str, Any]:
    row: dict[str, Any] = {"id": number, "abbreviation": short, "name": name, "slug": slug}
    if generation:
        row["generation"] = generation
    if family:
        row["platform_family"] = {"id": number % 7, "name": family}
    return row


def _release(dice: random.Random, igdb_id: int, nth: int, platform: int, first: int, revision: int) -> dict[str, Any]:
    form = dice.choices((0, 1, 2, 3, 4, 5, 6, 7), (80, 3, 8, 1, 1, 1, 3, 3))[0]
    release: dict[str, Any] = {"id": igdb_id * 10 + nth, "date_format": form, "platform": platform}
    if form != 7:
        moved = 30 * _DAY if revision and igdb_id % 50 == 0 else 0
        years, months = first // 31_557_600, first // 2_629_800
        release |= {"date": first + nth * _DAY + moved, "y": 1970 + years, "m": 1 + months % 12}
    release["release_region"] = dice.choice((8, 8, 8, 1, 2, 5))
    if dice.random() < 0.6:
        release["status"] = 6
    return release


def _website(igdb_id: int, slug: str, nth: int) -> dict[str, Any]:
    kind, url = (
        (1, "https://{}.example"),
        (13, "https://store.example/{}"),
        (5, "https://x.example/{}"),
        (18, "https://d.example/{}"),
    )[nth]
    return {"id": igdb_id * 4 + nth, "type": kind, "url": url.format(slug)}
