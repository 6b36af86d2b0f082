"""`up` while as many of its services drip as it has processes: how often another is asked meanwhile."""

import itertools
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime

from pipeline.demo.services import DemoServices
from tests.bad_answers import kinds
from tests.campaigns.every_source import Front
from tests.campaigns.installation import UpAsProcess, hurried
from tests.processes import free_port, living
from tests.waiting import folder_of_processes, wait_for

# Each is asked by a process of its own, of which there are two.
DRIPPING, OTHERS = ("mirror", "kick"), ("chzzk",)
DRIPS = "headers drip"
_SOON = 60.0


class _Fronted(DemoServices):
    """The demo's services, of which some are asked through a front."""

    front: Front

    @property
    def addresses(self) -> Mapping[str, str]:
        """The variables that put every service on this machine."""
        names = {"mirror": "LOOTWIRE_DROPS_MIRROR_URL", "kick": "LOOTWIRE_KICK_URL", "chzzk": "LOOTWIRE_CHZZK_URL"}
        return {**super().addresses, **{names[name]: self.front.address(name, name) for name in names}}


def pauses(seconds: float) -> tuple[float, float]:
    """Return the longest pause between two requests to one that is well, in seconds: before, and while others drip."""
    with _Fronted(datetime.now(UTC)) as services:
        behind = {"mirror": services.mirror_url, "kick": services.kick_url, "chzzk": services.chzzk_url}
        with Front(behind, "http://127.0.0.1:9/") as front:
            services.front = front
            with _up(services):
                wait_for(lambda: all(front.asked[name] for name in OTHERS), _SOON)
                before = _longest_pause(front, seconds / 2)
                asked = {name: len(front.asked[name]) for name in DRIPPING}
                front.bad.update(dict.fromkeys(DRIPPING, kinds()[DRIPS]))
                wait_for(lambda: all(len(front.asked[name]) > count for name, count in asked.items()), _SOON)
                return before, _longest_pause(front, seconds)


def _longest_pause(front: Front, seconds: float) -> float:
    began = time.monotonic()
    time.sleep(seconds)
    ended = time.monotonic()
    return max(_longest([began, *(at for at in front.asked[name] if at > began), ended]) for name in OTHERS)


def _longest(times: Sequence[float]) -> float:
    return max(later - earlier for earlier, later in itertools.pairwise(times))


@contextmanager
def _up(services: DemoServices) -> Iterator[UpAsProcess]:
    with folder_of_processes() as folder:
        running = UpAsProcess(folder / "data", free_port(), hurried(services))
        running.start()
        try:
            yield running
        finally:
            before = set(running.processes())
            running.kill()
            wait_for(lambda: not living(before))
