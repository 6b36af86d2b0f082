"""Disks that are full or read-only, of the data and of what is published, each in turn, and then with room again.

While it lasts a command must say in one line, and soon, which place it is. Whatever is published stays whole, and as
soon as there is room the next run does what the last one could not, with no step by hand.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from lxml import etree

from pipeline.demo import history
from pipeline.runtime.runtime import utc_now
from tests.campaigns.campaign import CannotRun, Claim, Size, Trial, at_least, at_most, figure, none_of
from tests.waiting import processes_with, wait_for

# A cluster takes some 60 MB.
DATA_MEGABYTES, PUBLISHED_MEGABYTES = 160, 24
COMMAND = [sys.executable, "-P", "-c", "from pipeline.cli import main; main()"]
PLACES, TROUBLES = ("data", "published"), ("full", "read-only")


@dataclass(frozen=True, kw_only=True)
class DiskSize(Size):
    """How often each place is in each trouble, and in how many seconds a command must say so."""

    rounds: int
    clear_within: float


FULL = DiskSize(rounds=10, clear_within=5)
# The machine of a short run may have much else to do.
SHORT = DiskSize(rounds=1, clear_within=60)


@dataclass
class Seen:
    """What the rounds came to."""

    slowest: float = 0.0
    unclear: list[str] = field(default_factory=list)
    torn: list[str] = field(default_factory=list)
    unhealed: list[str] = field(default_factory=list)
    left_over: list[str] = field(default_factory=list)
    healed: int = 0


class Disks:
    """An installation whose data and published folder are small disks of their own."""

    def __init__(self, folder: Path) -> None:
        self.places = {place: folder / place for place in PLACES}
        self._environment = {
            "PATH": os.environ["PATH"],
            "LOOTWIRE_DATA_DIR": str(self.places["data"] / "lootwire"),
            "LOOTWIRE_PUBLISH_DIR": str(self.places["published"] / "www"),
            "LOOTWIRE_EMBEDDED_LINGER": "0.1",
        }

    @property
    def published(self) -> Path:
        """The published folder."""
        return self.places["published"] / "www"

    def run(self, *arguments: str) -> tuple[int, str, float]:
        """Run a command; returns its exit code, what it said and how many seconds it took."""
        began = time.monotonic()
        run = subprocess.run(
            [*COMMAND, *arguments], env=self._environment, capture_output=True, text=True, check=False, cwd="/"
        )
        return run.returncode, run.stdout + run.stderr, time.monotonic() - began

    def rest(self) -> None:
        """Return when the servers of the last command have stopped."""
        wait_for(lambda: not processes_with(self.places["data"] / "lootwire"))

    @contextmanager
    def trouble(self, place: str, trouble: str) -> Iterator[None]:
        """Have a place in trouble for the length of a `with` block."""
        disk = self.places[place]
        if trouble == "read-only":
            _call("mount", "-o", "remount,ro", disk)
            yield
            _call("mount", "-o", "remount,rw", disk)
            return
        status = os.statvfs(disk)
        with (disk / "fill").open("wb") as file:
            file.write(bytes(status.f_bavail * status.f_frsize))
        yield
        (disk / "fill").unlink()


def run(size: DiskSize, trial: Trial) -> Sequence[Claim]:
    """Try each place in each trouble, in an order that chance decides."""
    with _mounted(trial.folder) as disks:
        now = utc_now()
        _take_in(disks, trial.folder, now=0)
        seen = Seen()
        rounds = [(place, trouble) for place in PLACES for trouble in TROUBLES for _ in range(size.rounds)]
        trial.dice.shuffle(rounds)
        for number, (place, trouble) in enumerate(rounds, start=1):
            trial.say(f"{number} of {len(rounds)}: {place} {trouble}")
            _try(disks, place, trouble, seen, publishes_anew=number)
        trial.say(f"{(utc_now() - now).total_seconds():.0f} s")
    return [
        at_most("slowest to say what is wrong", round(seen.slowest, 2), size.clear_within, "s"),
        none_of("troubles that were not named in one line with their place", seen.unclear),
        none_of("published files that were not whole", seen.torn),
        none_of("temporary files left when all was well again", seen.left_over),
        none_of("runs that did not heal by themselves", seen.unhealed),
        at_least("troubles healed", seen.healed, len(rounds)),
        figure("troubles", len(rounds)),
    ]


def _try(disks: Disks, place: str, trouble: str, seen: Seen, *, publishes_anew: int) -> None:
    name = f"{place} {trouble}"
    disks.rest()
    # Something is to be written: what was published is gone in part.
    for path in sorted(disks.published.rglob("*.rss.xml"))[:publishes_anew]:
        path.unlink()
    before = _files(disks.published)
    with disks.trouble(place, trouble):
        code, said, seconds = disks.run("publish")
        seen.slowest = max(seen.slowest, seconds)
        lines = said.strip().splitlines()
        if code != 1 or len(lines) != 1 or str(disks.places[place]) not in said:
            seen.unclear.append(f"{name}: {code}, {said.strip()[-200:]!r}")
        seen.torn += [f"{name}: {path}" for path, data in _files(disks.published).items() if before.get(path) != data]
    code, said, _ = disks.run("publish")
    if code != 0:
        seen.unhealed.append(f"{name}: {code}, {said.strip()[-200:]!r}")
    else:
        seen.healed += 1
    seen.torn += [f"{name}: {path}" for path, data in _files(disks.published).items() if not _is_whole(path, data)]
    seen.left_over += [str(path) for path in disks.published.rglob(".lootwire-*")]


def _take_in(disks: Disks, folder: Path, *, now: int) -> None:
    """Import an hour of the demo's history and publish it."""
    taken_at = utc_now() - timedelta(hours=1)
    kept = folder / f"{taken_at:%Y-%m-%dT%H%M%SZ}_drops.json"
    kept.write_text(json.dumps(history.mirror_drops(utc_now(), now, "http://127.0.0.1:1")))
    for command in (("import", str(kept)), ("publish",)):
        code, said, _ = disks.run(*command)
        assert code == 0, said


def _files(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file() and not path.name.startswith(".")}


def _is_whole(path: Path, data: bytes) -> bool:
    if path.suffix == ".html":
        return data.rstrip().endswith(b"</html>")
    if path.suffix != ".xml":
        return True
    try:
        etree.fromstring(data)
    except etree.XMLSyntaxError:
        return False
    return True


@contextmanager
def _mounted(folder: Path) -> Iterator[Disks]:
    with ExitStack() as stack:
        for place, megabytes in zip(PLACES, (DATA_MEGABYTES, PUBLISHED_MEGABYTES), strict=True):
            disk = folder / place
            disk.mkdir(exist_ok=True)
            mount: list[str | Path] = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", disk]
            if subprocess.run(mount, capture_output=True, check=False).returncode:
                raise CannotRun("this user may not mount a small disk; run it as root, outside of a container")
            stack.callback(_call, "umount", "--lazy", disk)
        disks = Disks(folder)
        stack.callback(disks.rest)
        yield disks


def _call(*command: object) -> None:
    subprocess.run(list(map(str, command)), check=True, capture_output=True)
