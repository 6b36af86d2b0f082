"""Every part of an installation is killed again and again, `up` and the servers too, while the world goes on.

The full form changes no time of the product: sources are asked at their own pace, leases and pauses are what they are.
Two hundred campaigns appear each minute, each for ten minutes, streams begin and end, and every ten seconds something
dies by SIGKILL: a program, a process of a worker's pool, a server, the servers' host, or all of it with `up`. In the
end every campaign and every stream has its event, every event has been sent, and kills of those that send explain what
came twice.
"""

import json
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median

from tests.campaigns.campaign import Claim, Size, Trial, at_least, at_most, figure, none_of
from tests.campaigns.installation import PROCESSES, UpAsProcess
from tests.campaigns.trouble import HURRIED, World, world
from tests.campaigns.world import came_true
from tests.processes import kill, living
from tests.waiting import wait_for

# Two of the ticks by which the supervisor judges whether a worker works (pipeline/runtime/watchdog.py).
TWO_TICKS = 60.0
# How long a part may take before the campaign goes on without it; the claim has failed long before.
LIMIT = 300.0


ON_DEMAND = "sender's child"


@dataclass(frozen=True, kw_only=True)
class Kills(Size):
    """`rounds` times so many campaigns appear, and so many kills fall; a round lasts so many seconds at least."""

    rounds: int
    changes_a_round: int
    kills_a_round: int
    seconds_a_round: float
    streamers: int
    campaign_minutes: float


FULL = Kills(rounds=50, changes_a_round=200, kills_a_round=6, seconds_a_round=62, streamers=60, campaign_minutes=10)
SHORT = Kills(
    shortens=HURRIED,
    rounds=2,
    changes_a_round=60,
    kills_a_round=1,
    seconds_a_round=0,
    streamers=2,
    campaign_minutes=600,
)


@dataclass
class Progress:
    """What a run has killed so far, written down after each round, so that another one can go on."""

    rounds: int = 0
    back_after: list[tuple[str, float]] = field(default_factory=list)
    of_senders: int = 0

    @classmethod
    def load(cls, file: Path) -> "Progress":
        """Read what an earlier run wrote, or begin anew."""
        return cls(**json.loads(file.read_text())) if file.exists() else cls()

    def save(self, file: Path) -> None:
        """Write it down."""
        file.write_text(json.dumps(asdict(self)))


def run(size: Kills, trial: Trial) -> Sequence[Claim]:
    """Kill, wait until all is quiet, and compare what is known and what was sent with what happened."""
    file = trial.folder / "progress.json"
    progress = Progress.load(file)
    with world(trial, is_hurried=bool(size.shortens), streamers=size.streamers) as living_world:
        while progress.rounds < size.rounds:
            _round(size, trial, progress, living_world)
            progress.rounds += 1
            living_world.write_down()
            progress.save(file)
            if progress.rounds % 5 == 0:
                trial.say(f"round {progress.rounds}: {len(progress.back_after)} kills, {_slowest(progress)}")
        settled_after = living_world.settle()
        claims = living_world.claims(may_repeat=progress.of_senders * PROCESSES)
        installation = living_world.installation
        left = _die(installation)
    seconds = [after for _, after in progress.back_after]
    slow = [f"{part} {after:.0f} s" for part, after in progress.back_after if after > TWO_TICKS]
    return [
        *claims,
        none_of("back later than after two ticks", slow),
        none_of("processes that outlive `up`", left),
        at_least("kills", len(seconds), size.rounds * size.kills_a_round),
        figure("kills of those that send", progress.of_senders),
        figure("back after, at the median", median(seconds), "s"),
        at_most("back after, at most", max(seconds), TWO_TICKS, "s"),
        figure("all quiet after the last kill", settled_after, "s"),
    ]


def _round(size: Kills, trial: Trial, progress: Progress, living_world: World) -> None:
    began = time.monotonic()
    living_world.change(size.changes_a_round, minutes=size.campaign_minutes)
    pause = size.seconds_a_round / size.kills_a_round
    for number in range(size.kills_a_round):
        part = trial.dice.choice(sorted({*living_world.installation.parts(), "up"}))
        progress.of_senders += part in living_world.installation.senders()
        progress.back_after.append((part, _strike(living_world.installation, part)))
        living_world.streamers.turn()
        # Not a wait for anything: the world takes its time.
        time.sleep(max(0.0, began + (number + 1) * pause - time.monotonic()))
    if living_world.is_hurried:
        wait_for(living_world.has_noticed, LIMIT)


def _strike(installation: UpAsProcess, part: str) -> float:
    """Kill a part; returns after how many seconds another one is there and works."""
    if part == "up":
        installation.kill()
        # At once, as an init system would: what the dead one has left is on its way out, or goes on.
        began = time.monotonic()
        installation.start()
        return time.monotonic() - began
    struck = installation.find(part)
    began = time.monotonic()
    if struck is None:
        # It is on its way up from an earlier kill, which has been counted.
        return 0.0
    kill(struck)
    if part == ON_DEMAND:
        # There is another as soon as there is a message that needs it.
        return 0.0
    came_true(lambda: installation.lives(part, struck), LIMIT)
    return time.monotonic() - began


def _die(installation: UpAsProcess) -> list[str]:
    """Kill `up`, and wait until all that it has started is gone; returns what is not."""
    before = installation.processes()
    installation.kill()
    came_true(lambda: not living(set(before)), TWO_TICKS)
    return [before[pid] for pid in living(set(before))]


def _slowest(progress: Progress) -> str:
    part, seconds = max(progress.back_after, key=lambda back: back[1])
    return f"the slowest was {part}, back after {seconds:.1f} s"
