"""Carries out renditions that are due: claims one, renders it with no transaction open, and settles it by its fence."""

import contextlib
import errno
import os
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

from sqlalchemy import Connection, Engine

from models.errors import LootwireError
from models.privacy import PRIVATE_FILE
from pipeline.sound.loudness.deciding import SHORT, Measured
from pipeline.sound.media.ffmpeg import Ffmpeg
from pipeline.sound.media.running import MediaFailed
from pipeline.sound.records import Profile, Rendered, Trouble
from pipeline.sound.rendering.render import measure, render
from pipeline.sound.store import renditions
from pipeline.sound.store.originals import Original, original_of
from pipeline.sound.store.renditions import LEASE, Claim

# `lost` says that the lease ran out meanwhile, or that the rendition was wanted anew; `nothing`, that somebody else has
# it or that it is done.
Outcome = Literal["rendered", "put off", "failed", "lost", "nothing"]

FOLDER = "sounds/renditions"
_RENEW_EVERY = LEASE.total_seconds() / 5
# Of the progress, the share that measuring is.
_MEASURING = 0.15


class _Lost(LootwireError):
    """The claim is somebody else's by now."""


def render_due(
    engine: Engine,
    rendition_id: int,
    *,
    ffmpeg: Ffmpeg,
    profiles: Mapping[str, Profile],
    data_dir: Path,
    clock: Callable[[], datetime],
    is_one_pass: bool = False,
    on_progress: Callable[[float], None] | None = None,
    on_ready: Callable[[Connection, int], object] | None = None,
) -> Outcome:
    """Render a rendition that is due, from its sound's original to `sounds/renditions/ab/<sha256>.<ext>`.

    `on_progress` gets a share from 0 to 1, about twice a second; what it raises ends the rendering, gives the claim
    back and comes out here. `on_ready` gets the sound's id in the transaction that settles it, to have feeds written.
    """
    with engine.begin() as connection:
        claim = renditions.claim(connection, rendition_id, clock())
        original = None if claim is None else original_of(connection, claim.sound_id, data_dir)
    if claim is None or original is None:
        return "nothing"
    holding = _Holding(engine, claim, clock, on_progress)
    work = _Work(engine, holding, ffmpeg, data_dir, original, is_one_pass, on_ready)
    try:
        return _render(work, claim, profiles.get(claim.profile))
    except _Lost:
        return "lost"
    except MediaFailed as error:
        return _put_off(holding, error.trouble, is_passing=error.is_passing or error.trouble.cure != "never")
    except OSError as error:
        return _put_off(holding, _of_disk(error), is_passing=True)
    except BaseException:
        # The caller ends the work, or dies of something else: whoever comes next begins at once.
        with contextlib.suppress(Exception), engine.begin() as connection:
            renditions.release(connection, claim, clock())
        raise


class _Holding:
    """A claim while it is worked on; hears how far the work is, and renews the lease now and then."""

    def __init__(
        self, engine: Engine, claim: Claim, clock: Callable[[], datetime], report: Callable[[float], None] | None
    ) -> None:
        self.engine, self.claim, self.clock = engine, claim, clock
        self._report = report
        self._renewed_at = time.monotonic()

    def beat(self, share: float) -> None:
        """Note how far the work is, from 0 to 1; raises `_Lost`."""
        if self._report is not None:
            self._report(share)
        if time.monotonic() - self._renewed_at < _RENEW_EVERY:
            return
        with self.engine.begin() as connection:
            self.keep(renditions.renew(connection, self.claim, self.clock()))
        self._renewed_at = time.monotonic()

    @staticmethod
    def keep(is_ours: bool) -> None:
        if not is_ours:
            raise _Lost


@dataclass(frozen=True)
class _Work:
    engine: Engine
    holding: _Holding
    ffmpeg: Ffmpeg
    data_dir: Path
    original: Original
    is_one_pass: bool
    on_ready: Callable[[Connection, int], object] | None


def _render(work: _Work, claim: Claim, profile: Profile | None) -> Outcome:
    path = work.original.path
    if path is None or not path.is_file():
        raise MediaFailed(Trouble(kind="gone", reason="its original is not there any more"))
    if profile is None:
        way_out = "set it with LOOTWIRE_SOUND_PROFILES, or render the sound with another"
        raise MediaFailed(Trouble(kind="unsupported", reason=f"there is no profile {claim.profile}", way_out=way_out))
    with _draft(work.data_dir, claim) as draft:
        measured = None if profile.is_copied else _measured(work, claim, path)
        rendered = render(
            work.ffmpeg,
            path,
            profile,
            draft,
            measured=measured,
            tags=work.original.tags,
            chapters=work.original.chapters,
            cover=_there(work.original.cover),
            is_one_pass=work.is_one_pass,
            on_progress=lambda share: work.holding.beat(_MEASURING + (1 - _MEASURING) * share),
        )
        place = _keep(draft, work.data_dir, rendered)
    with work.engine.begin() as connection:
        work.holding.keep(renditions.settle(connection, claim, rendered, place, work.holding.clock()))
        if work.on_ready is not None:
            work.on_ready(connection, claim.sound_id)
    return "rendered"


def _measured(work: _Work, claim: Claim, path: Path) -> Measured:
    """Return what is known of the original's loudness, or measure it and write that down."""
    seconds = work.original.seconds
    if claim.before is not None and seconds:
        return Measured(loudness=claim.before, seconds=seconds, is_repeated=seconds < SHORT)
    whole = seconds or 0.0
    measured = measure(
        work.ffmpeg,
        path,
        on_progress=lambda done: work.holding.beat(_MEASURING * min(done / whole, 1) if whole else 0.0),
    )
    with work.engine.begin() as connection:
        work.holding.keep(renditions.note_measured(connection, claim, measured.loudness, measured.seconds))
    return measured


def _put_off(holding: _Holding, trouble: Trouble, *, is_passing: bool) -> Outcome:
    with holding.engine.begin() as connection:
        is_kept = renditions.put_off(connection, holding.claim, trouble, holding.clock(), is_passing=is_passing)
    if not is_kept:
        return "lost"
    return "put off" if is_passing else "failed"


@contextlib.contextmanager
def _draft(data_dir: Path, claim: Claim) -> Iterator[Path]:
    """Give the path of a file to be written, which is removed at the end, with those of earlier claims that died."""
    folder = data_dir / FOLDER
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for left in folder.glob(f".{claim.id}-*"):
        # Of an older fence, or of this one's tags; whoever lost the claim finds nothing to settle.
        _remove(left)
    with tempfile.TemporaryDirectory(dir=folder, prefix=f".{claim.id}-{claim.fence}-") as own:
        yield Path(own) / "rendition"


def _remove(left: Path) -> None:
    with contextlib.suppress(OSError):
        for file in left.iterdir():
            file.unlink(missing_ok=True)
        left.rmdir()


def _keep(draft: Path, data_dir: Path, rendered: Rendered) -> str:
    """Move a rendition to its place, whole or not at all; returns the place, below the data directory."""
    name = rendered.digest.hex()
    place = f"{FOLDER}/{name[:2]}/{name}.{rendered.codec}"
    target = data_dir / place
    target.parent.mkdir(mode=0o700, exist_ok=True)
    draft.chmod(PRIVATE_FILE)
    with draft.open("rb") as file:
        # The bytes are on the disk before the row that names them is.
        os.fsync(file.fileno())
    draft.replace(target)
    descriptor = os.open(target.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    return place


def _there(path: Path | None) -> Path | None:
    return path if path is not None and path.is_file() else None


def _of_disk(error: OSError) -> Trouble:
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return Trouble(kind="disk", reason="the disk is full", way_out="free some space")
    return Trouble(
        kind="tool", reason=f"the data directory cannot be written: {error.strerror}", way_out="see `lootwire doctor`"
    )
