"""An extraction that is worked on, and what ends a stage before its end."""

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from models.errors import LootwireError
from pipeline.sound.downloading import FetchTroubled
from pipeline.sound.extracting.holding import Holding
from pipeline.sound.extracting.surroundings import Surroundings
from pipeline.sound.records import Trouble
from pipeline.sound.store.extractions import Claimed


@dataclass(kw_only=True)
class Work:
    """A claimed extraction, its workspace, and what holds its lease; `claimed` changes from stage to stage."""

    around: Surroundings
    claimed: Claimed
    folder: Path
    holding: Holding


class PutOff(LootwireError):
    """The stage cannot go on now, for no fault of the sound: it is tried again after a pause."""

    def __init__(self, pause: timedelta) -> None:
        super().__init__("it cannot go on now")
        self.pause = pause


def given_up(reason: str, way_out: str | None = None) -> FetchTroubled:
    """Return the error that ends an extraction for good."""
    return FetchTroubled(Trouble(kind="tool", reason=reason, way_out=way_out))
