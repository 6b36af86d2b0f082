"""Fetch, render and publish sounds, list what shows take, and let go of what they do not keep.

Only `sound.due` and `sound.sweep` are carried out by other workers: the one of the queue `sound` runs while there is
something to do. A task carries one thing to its end, which may take hours; a message that comes a second time meanwhile
finds its lease.
"""

import logging
from collections.abc import Iterable

from celery import current_app, shared_task

from feeds.podcasts.marking import mark_sounds
from pipeline.operations import sound_folders
from pipeline.programs.sounds import look_for_work, surroundings
from pipeline.runtime.celery_app import hint
from pipeline.runtime.runtime import utc_now
from pipeline.sound import clock
from pipeline.sound.extracting.extract import Extracted, extract_next
from pipeline.sound.extracting.holding import Stopping
from pipeline.sound.extracting.surroundings import Surroundings
from pipeline.sound.extracting.sweeping import sweep as sweep_files
from pipeline.sound.following.shows import look_at_lists
from pipeline.sound.media.ffmpeg import FfmpegMissing
from pipeline.sound.rendering.due import Outcome, render_due
from pipeline.sound.scanning.scan import FolderGone, ScanBusy
from pipeline.sound.store import renditions
from pipeline.sound.store.folders import folders_to_scan, give_up_scan, load_folder
from tasks.send import is_stopping
from tasks.surroundings import runtime
from tasks.ticks import hint_of_news

logger = logging.getLogger(__name__)
# As long as the tick that says the same again.
EXPIRES = 15


@shared_task(name="sound.due")
def due() -> None:
    """Look for sounds that are to be fetched or rendered, and for lists of shows; hint the tasks for them."""
    waiting = look_for_work(runtime(), utc_now())
    at_once = runtime().settings.sound_processes
    _hint(["sound.follow"] if waiting.is_list_due else [])
    _hint(["sound.scan"] if waiting.folders else [])
    _hint(["sound.render"] * min(waiting.renditions, at_once))
    _hint(["sound.extract"] * min(waiting.extractions, at_once))


def _hint(tasks: Iterable[str]) -> None:
    for task in tasks:
        hint(current_app, task, expires=EXPIRES)


@shared_task(name="sound.extract", soft_time_limit=None, time_limit=None)
def extract() -> None:
    """Carry the next extraction as far as it goes, and ask for another worker's turn at the one after it."""
    extracted = extract_next(surroundings(runtime(), is_stopping=is_stopping))
    if extracted is None:
        return
    _log(extracted)
    if extracted.events:
        hint_of_news(current_app)
    if extracted.outcome == "completed":
        _let_go()
    if not is_stopping():
        _hint(["sound.extract"])


def _log(extracted: Extracted) -> None:
    fields = {"extraction": extracted.id, "outcome": extracted.outcome, "events": dict(extracted.events)}
    if extracted.trouble is not None:
        fields["kind"] = extracted.trouble.kind
        level = logging.WARNING if extracted.outcome == "failed" else logging.INFO
        logger.log(level, "sound %s: %s", extracted.outcome, extracted.trouble.reason, extra=fields)
    else:
        logger.info("sound %s", extracted.outcome, extra=fields)


def _beat(_progress: float) -> None:
    if is_stopping():
        raise Stopping("this worker ends, and a rendition goes on elsewhere")


@shared_task(name="sound.render", soft_time_limit=None, time_limit=None)
def render() -> None:
    """Render the next sound that is due, and ask for a turn at the one after it."""
    around = surroundings(runtime(), is_stopping=is_stopping)
    with around.engine.connect() as connection:
        ids = renditions.due(connection, around.clock())
    for rendition_id in ids:
        try:
            outcome = _render(around, rendition_id)
        except Stopping:
            return
        if outcome == "nothing":
            continue
        logger.info("sound %s", outcome, extra={"rendition": rendition_id, "outcome": outcome})
        if outcome == "rendered":
            hint(current_app, "publish.marked", expires=EXPIRES)
        if not is_stopping():
            _hint(["sound.render"])
        return


def _render(around: Surroundings, rendition_id: int) -> Outcome:
    return render_due(
        around.engine,
        rendition_id,
        ffmpeg=around.ffmpeg(),
        profiles=around.profiles,
        data_dir=around.data_dir,
        clock=around.clock,
        on_progress=_beat,
        on_ready=lambda connection, sound_id: mark_sounds(connection, [sound_id]),
    )


@shared_task(name="sound.follow", soft_time_limit=None, time_limit=None)
def follow() -> None:
    """Ask for the lists of shows that are due, and for clips."""
    around = surroundings(runtime(), is_stopping=is_stopping)
    looked = look_at_lists(
        around.engine,
        around.data_dir,
        around.clock,
        pause=around.pause,
        open_helix=runtime().open_helix,
        limits=around.limits,
        is_stopping=is_stopping,
    )
    for listed in looked:
        if listed.problem is not None:
            logger.warning("a show was not listed: %s", listed.problem, extra={"show": listed.show})
        elif listed.wanted:
            logger.info("a show wants more", extra={"show": listed.show, "wanted": listed.wanted})
    if any(listed.wanted for listed in looked):
        _hint(["sound.due"])


@shared_task(name="sound.scan", soft_time_limit=None, time_limit=None)
def scan() -> None:
    """Scan the folders that a person has asked for."""
    with runtime().engine.connect() as connection:
        waiting = [load_folder(connection, folder_id) for folder_id in folders_to_scan(connection)]
    for folder in waiting:
        try:
            report = sound_folders.scan(runtime(), folder, utc_now(), full=False)
        except ScanBusy:
            # Another worker is at it, since an earlier hint.
            continue
        except (FolderGone, FfmpegMissing) as error:
            logger.warning("a folder of sounds was not scanned: %s", error, extra={"folder": folder.id})
            with runtime().engine.begin() as connection:
                give_up_scan(connection, folder.id)
            continue
        fields = {"folder": folder.id, "listed": report.listed, "read": report.read}
        logger.info("sounds scanned", extra=fields)
        _hint(["sound.due"])
        hint(current_app, "publish.marked", expires=EXPIRES)


@shared_task(name="sound.sweep")
def sweep() -> None:
    """Let go of what shows do not keep, and free files that nothing needs."""
    _let_go()
    swept = sweep_files(runtime().engine, runtime().settings.data_dir, utc_now())
    if swept.workspaces or swept.sounds or swept.orphans:
        fields = {"workspaces": swept.workspaces, "sounds": swept.sounds, "orphans": swept.orphans}
        logger.info("sounds swept", extra=fields)


def _let_go() -> None:
    events, removed = clock.advance(runtime().engine, utc_now(), surroundings(runtime()).page_of)
    if removed:
        logger.info("sounds let go", extra={"sounds": len(removed)})
    if events or removed:
        hint_of_news(current_app)
