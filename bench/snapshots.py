"""Made-up snapshots of drop campaigns in the shape of the mirror's list, for sizes that do without recordings."""

from datetime import datetime, timedelta
from pathlib import Path

from tests.pipeline import builders
from tests.pipeline.importer import archives

EVERY = timedelta(minutes=30)
GAMES, CHANNELS = 40, 10


def snapshot(campaigns: int, revision: int = 0) -> bytes:
    """Return the list of drops; each revision has another name for one campaign in ten, and one campaign more."""
    return builders.drops(*(_campaign(number, revision) for number in range(campaigns + revision)))


def _campaign(number: int, revision: int) -> builders.Json:
    game = str(8000 + number % GAMES)
    name = f"Season {number}" if number % 10 else f"Season {number}, take {revision}"
    drops = [_drop(f"{number}-{n}", 60 * (n + 1)) for n in range(3)]
    channels = [100 * (number % GAMES) + n for n in range(CHANNELS)]
    return builders.campaign(str(number), name=name, game_id=game, channels=channels, drops=drops)


def _drop(key: str, minutes: int) -> builders.Json:
    begin, end = builders.stamp(builders.START), builders.stamp(builders.END)
    drop = builders.drop(key, minutes, f"Item {key}", startAt=begin, endAt=end)
    for edge in drop["benefitEdges"]:
        edge["benefit"] |= {"imageAssetURL": f"https://art.example.org/{key}.png", "isIosAvailable": False}
        edge["benefit"]["createdAt"] = begin
    return drop


def archive(folder: Path, snapshots: int, campaigns: int) -> Path:
    """Write an archive of snapshots as history is kept: one file for each, named after its time."""
    first = builders.NOON
    files = {f"drops/{_stamp(first + n * EVERY)}.json": snapshot(campaigns, n) for n in range(snapshots)}
    path = folder / "made_up.tar.xz"
    path.write_bytes(archives.PACKERS["tar.xz"](files))
    return path


def _stamp(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H%M%SZ}"
