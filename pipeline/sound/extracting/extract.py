"""Carries an extraction from where it is to its end: probe, download, measure, render, publish.

Each stage may be killed and goes on: what a stage has brought is in the workspace or in its row before the next one
begins. No transaction is open while a service is asked, or while ffmpeg works.
"""

import logging
import random
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta

from sqlalchemy.exc import SQLAlchemyError

from models.errors import LootwireError, UsageError
from pipeline.events.append import append_events
from pipeline.people.store.plans import QuotaError
from pipeline.sound.details import failed_event
from pipeline.sound.downloading import ChildEnded, FetchTroubled
from pipeline.sound.extracting.deciding import MOST_ATTEMPTS, judge, pause_after
from pipeline.sound.extracting.fetching import download_sound, probe_address
from pipeline.sound.extracting.holding import Holding, Stopping
from pipeline.sound.extracting.making import make_sound, publish_sound, render_sound
from pipeline.sound.extracting.surroundings import Surroundings
from pipeline.sound.extracting.working import PutOff, Work, given_up
from pipeline.sound.extracting.workspaces import WorkspaceBusy, remove_workspace, working_in, workspace_of
from pipeline.sound.media.running import MediaFailed
from pipeline.sound.records import MediaInfo, Stage, Trouble
from pipeline.sound.store.charges import refund_extraction
from pipeline.sound.store.extractions import (
    Claimed,
    ExtractionLost,
    claim_next,
    fail,
    load_extraction,
    postpone,
    release,
)
from pipeline.sound.store.hosts import let_rest, note_fetched
from pipeline.sound.store.showing import shown_extraction

logger = logging.getLogger(__name__)
# Until a process that has lost its lease has noticed it.
BUSY_PAUSE = timedelta(seconds=5)
# What fetches the next stage: none, where the extraction is over.
_STAGES: dict[Stage, Callable[[Work], Claimed | None]] = {
    "probe": probe_address,
    "download": download_sound,
    "measure": make_sound,
    "render": render_sound,
}


@dataclass
class Extracted:
    """What became of a claimed extraction: `completed`, `failed`, `put off`, `cancelled`, `lost` or `interrupted`."""

    id: int
    outcome: str
    trouble: Trouble | None = None
    events: Counter[str] = field(default_factory=Counter)


def extract_next(around: Surroundings, *, only: int | None = None) -> Extracted | None:
    """Claim the extraction that is due and carry it as far as it goes; None where none may begin now.

    With `only`, that one alone. Safe to call from several threads and processes at once.
    """
    with around.engine.begin() as connection:
        claimed = claim_next(connection, around.clock(), pause=around.pause, lease=around.lease, only=only)
    if claimed is None:
        return None
    try:
        with (
            working_in(workspace_of(around.data_dir, claimed.id)) as folder,
            Holding(around.engine, claimed, around.clock, around.lease, around.is_stopping) as holding,
        ):
            extracted = _carry_on(Work(around=around, claimed=claimed, folder=folder, holding=holding))
    except WorkspaceBusy:
        return _give_back(around, claimed, BUSY_PAUSE, "interrupted")
    except OSError as error:
        extracted = _end(around, claimed, _read(error))
    if extracted.outcome in {"completed", "cancelled"} or _is_of_no_more_use(extracted.trouble):
        remove_workspace(workspace_of(around.data_dir, claimed.id))
    return extracted


def _carry_on(work: Work) -> Extracted:
    around = work.around
    try:
        return _through_stages(work)
    except ExtractionLost:
        return Extracted(work.claimed.id, _state_of(around, work.claimed))
    except Stopping:
        return _give_back(around, work.claimed, timedelta(0), "interrupted", spent=work.holding.spent)
    except PutOff as reason:
        return _give_back(around, work.claimed, reason.pause, "put off", spent=work.holding.spent)
    except (LootwireError, OSError) as error:
        return _end(around, work.claimed, _read(error), spent=work.holding.spent)
    except Exception:
        # A fault of ours, or the database is away: it must be due again, and not at once.
        pause = pause_after(work.claimed.attempts)
        _give_back(around, work.claimed, pause, "interrupted", is_try=True, spent=work.holding.spent)
        raise


def _through_stages(work: Work) -> Extracted:
    """Carry it from stage to stage; what is left of one that ended on the way is told by its state."""
    if work.claimed.attempts > MOST_ATTEMPTS:
        raise given_up(f"no process lived to end its stage {work.claimed.stage!r}")
    while work.claimed.stage != "publish":
        work.holding.begin(counts_time=work.claimed.stage == "download")
        following = _STAGES[work.claimed.stage](work)
        if following is None:
            return Extracted(work.claimed.id, _state_of(work.around, work.claimed))
        work.claimed = following
    events = publish_sound(work)
    return Extracted(work.claimed.id, "completed", events=events)


@dataclass(frozen=True)
class _Met:
    """What a stage met: a trouble, what is known of the sound, and whether the service said so."""

    trouble: Trouble
    media: MediaInfo | None = None
    is_of_host: bool = False


def _read(error: LootwireError | OSError) -> _Met:
    if isinstance(error, ChildEnded):
        # It may go well the next time; what kills each child is given up after three days.
        return _Met(Trouble(kind="server", reason=error.trouble.reason))
    if isinstance(error, FetchTroubled):
        return _Met(error.trouble, error.media, is_of_host=True)
    if isinstance(error, QuotaError):
        return _Met(Trouble(kind="quota", reason=str(error), way_out="then `lootwire sounds retry`"))
    if isinstance(error, MediaFailed):
        # What was killed, say, may go well the next time.
        trouble = Trouble(kind="server", reason=error.trouble.reason) if error.is_passing else error.trouble
        return _Met(trouble)
    if isinstance(error, OSError):
        way_out = "free some space, or set LOOTWIRE_SOUND_MB; then `lootwire sounds retry`"
        reason = f"the data directory takes no file: {error.strerror}"
        return _Met(Trouble(kind="disk", reason=reason, way_out=way_out))
    return _Met(Trouble(kind="tool", reason=str(error), way_out="see `lootwire doctor`"))


def _end(around: Surroundings, claimed: Claimed, met: _Met, *, spent: float | None = None) -> Extracted:
    """Put an extraction off or end it because of a trouble, with the event of one that a person must know of."""
    now, trouble = around.clock(), met.trouble
    again = judge(
        trouble,
        attempts=claimed.attempts,
        added_at=claimed.added_at,
        now=now,
        media=met.media,
        fraction=random.random(),  # noqa: S311 - it is no secret
    )
    try:
        with around.engine.begin() as connection:
            if met.is_of_host:
                note_fetched(connection, claimed.host, now, works=trouble.kind not in {"rate", "server", "network"})
            if again is not None:
                due_at = again.due_at
                if again.host_rests:
                    wanted = None if trouble.retry_after is None else timedelta(seconds=trouble.retry_after)
                    rested = let_rest(connection, claimed.host, now, reason=trouble.reason, retry_after=wanted)
                    due_at = max(due_at, rested)
                postpone(connection, claimed, trouble, due_at, spent=spent)
                return Extracted(claimed.id, "put off", trouble)
            fail(connection, claimed, trouble, now)
            event = failed_event(
                shown_extraction(connection, claimed, met.media), claimed.id, claimed.fence, trouble, now
            )
            events = append_events(connection, [event], source_id=None, silent=False, now=now)
            refund_extraction(connection, claimed.id, now)
            return Extracted(claimed.id, "failed", trouble, events)
    except ExtractionLost:
        return Extracted(claimed.id, _state_of(around, claimed), trouble)


def _give_back(
    around: Surroundings,
    claimed: Claimed,
    pause: timedelta,
    outcome: str,
    *,
    is_try: bool = False,
    spent: float | None = None,
) -> Extracted:
    # Without a database its lease ends by itself.
    with suppress(ExtractionLost, SQLAlchemyError), around.engine.begin() as connection:
        release(connection, claimed, around.clock() + pause, is_try=is_try, spent=spent)
    return Extracted(claimed.id, outcome)


def _state_of(around: Surroundings, claimed: Claimed) -> str:
    try:
        with around.engine.connect() as connection:
            state = load_extraction(connection, claimed.id).state
    except UsageError:
        # Its person was deleted, and it went with them.
        return "lost"
    return state if state in {"completed", "cancelled"} else "lost"


def _is_of_no_more_use(trouble: Trouble | None) -> bool:
    """Whether nothing would go on in the workspace: it is permanent, or the disk needs the room."""
    return trouble is not None and (trouble.cure == "never" or trouble.kind in {"disk", "quota"})
