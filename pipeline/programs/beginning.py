"""The first minutes of an installation: its page and its feeds are there before anything has been read."""

from feeds.looks import Look
from feeds.publish import PublishSummary, publish
from pipeline.programs.sources import register
from pipeline.programs.waiting import describe, is_empty, load_waiting, switched_off
from pipeline.runtime.runtime import Runtime, utc_now


def publish_now(runtime: Runtime, *, wait: bool = True, everything: bool = False) -> PublishSummary:
    """Write the feeds that events touched and the pages, in this process; another run is waited for, or left alone.

    With `everything`, all feeds and pages are rendered again.
    """
    settings = runtime.settings
    with runtime.engine.connect() as connection:
        off = switched_off(connection, settings)
    return publish(
        runtime.engine,
        settings.published,
        settings.public_url,
        utc_now(),
        wait=wait,
        hubs=settings.websub_hubs,
        packings=settings.publish_compressed,
        pictures=settings.local_pictures,
        off=off,
        items=settings.feed_items,
        style=Look(settings.pages),
        vault=lambda: runtime.vault,
        everything=everything,
        data=settings.data_dir,
    )


def publish_where_empty(runtime: Runtime) -> list[str]:
    """Write the page and the empty feeds of an installation that has seen nothing; returns what it waits for, in lines.

    Does nothing elsewhere, where workers write what is due: it may be much. Raises PublishError where the folder
    cannot be used.
    """
    with runtime.engine.begin() as connection:
        register(connection, runtime, utc_now())
        if not is_empty(connection):
            return []
        lines = list(describe(load_waiting(connection), switched_off(connection, runtime.settings)))
    publish_now(runtime)
    return lines
