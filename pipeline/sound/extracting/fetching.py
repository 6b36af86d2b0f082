"""The stages that ask a service: what an address holds, and its sound."""

import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

import msgspec

from pipeline.people.store.plans import gauge_of
from pipeline.sound.downloading import FetchTroubled, Job, Limits, Listing, Progress, download, probe
from pipeline.sound.downloading.cookies import cookies_for
from pipeline.sound.downloading.updating import newest
from pipeline.sound.extracting.working import PutOff, Work
from pipeline.sound.extracting.workspaces import SOUNDS, bytes_in, note_download, noted_download
from pipeline.sound.records import MediaInfo, Trouble
from pipeline.sound.store import renditions
from pipeline.sound.store.charges import reserve_extraction
from pipeline.sound.store.episodes import note_sound
from pipeline.sound.store.extractions import (
    Claimed,
    begin_stage,
    complete,
    is_fetched_for_another,
    keep_info,
    with_listed,
)
from pipeline.sound.store.hosts import load_cookies, note_fetched, note_stale_cookies
from pipeline.sound.store.sounds import share_sound, sound_by_source, used_bytes

# While another person's extraction fetches the same.
OTHERS_PAUSE = timedelta(seconds=15)
Answer = TypeVar("Answer")
Ask = Callable[[Job, Callable[[Progress | None], None]], Answer]


def probe_address(work: Work) -> Claimed | None:
    """Ask what an address holds; None where the same is fetched by another extraction, or is here already."""
    url = work.claimed.url
    answer = _ask(work, probe, url)
    if isinstance(answer, Listing):
        if len(answer.entries) != 1:
            raise FetchTroubled(_of_list(answer))
        url = answer.entries[0].url
        answer = _ask(work, probe, url)
        if isinstance(answer, Listing):
            raise FetchTroubled(_of_list(answer))
    now = work.around.clock()
    with work.around.engine.begin() as connection:
        note_fetched(connection, work.claimed.host, now, works=True)
        claimed = keep_info(connection, work.claimed, answer)
        if claimed is None:
            return None
        known = sound_by_source(connection, answer.service, answer.external_id, person_id=work.claimed.person_id)
        if known is not None:
            note_sound(connection, claimed.id, known)
            complete(connection, begin_stage(connection, claimed, "publish", sound_id=known), now)
            return None
        return claimed if url == claimed.url else begin_stage(connection, claimed, "download", url=url)


def _of_list(listing: Listing) -> Trouble:
    return Trouble(
        kind="unsupported",
        reason=f"this address holds a list of {len(listing.entries)} sounds, and not one",
        way_out="make it a show, which takes what is new: `lootwire shows add ADDRESS`",
    )


def download_sound(work: Work) -> Claimed | None:
    """Fetch a sound into the workspace, from where the last try ended; what another person has is theirs at once.

    Raises `QuotaError` where its person's plan does not pay for it.
    """
    claimed = work.claimed
    seconds = None if claimed.info is None else claimed.info.seconds
    with work.around.engine.begin() as connection:
        reserve_extraction(connection, claimed.id, claimed.person_id, seconds, work.around.clock())
    if noted_download(work.folder) is None:
        if (shared := _share(work)) is not None:
            return shared
        downloaded = _ask(work, download, work.claimed.url)
        note_download(work.folder, downloaded)
        info: MediaInfo | None = with_listed(downloaded.media, work.claimed.info)
    else:
        info = work.claimed.info
    now = work.around.clock()
    with work.around.engine.begin() as connection:
        note_fetched(connection, work.claimed.host, now, works=True)
        values = {} if info is None else {"info": msgspec.to_builtins(info)}
        return begin_stage(connection, work.claimed, "measure", spent_seconds=work.holding.spent, **values)


def _share(work: Work) -> Claimed | None:
    """Go on with the sound that another person has; raises `PutOff` while it is fetched for them."""
    claimed = work.claimed
    if claimed.service is None or claimed.external_id is None:
        return None
    now = work.around.clock()
    with work.around.engine.begin() as connection:
        sound_id = share_sound(connection, claimed.service, claimed.external_id, claimed.person_id, now)
        if sound_id is not None:
            renditions.want(connection, [sound_id], claimed.profile, now)
            return begin_stage(connection, claimed, "render", sound_id=sound_id)
        if is_fetched_for_another(connection, claimed):
            raise PutOff(OTHERS_PAUSE)
    return None


def _ask(work: Work, ask: "Ask[Answer]", url: str) -> Answer:
    """Ask a service without cookies, and where it wants a sign-in, once more with those of its host."""
    job = Job(url=url, workspace=work.folder, extractors=_extractors(work), limits=_limits(work))

    def beat(progress: Progress | None) -> None:
        if progress is None:
            work.holding.beat()
        else:
            work.holding.beat(progress.part, progress.size)

    try:
        return ask(job, beat)
    except FetchTroubled as error:
        if error.trouble.kind != "sign_in":
            raise
        cookies = _cookies(work)
        if cookies is None:
            raise
    try:
        return ask(msgspec.structs.replace(job, cookies=cookies), beat)
    except FetchTroubled as error:
        if error.trouble.kind in {"sign_in", "cookies"}:
            with work.around.engine.begin() as connection:
                note_stale_cookies(connection, work.claimed.host, work.around.clock())
        raise


def _cookies(work: Work) -> bytes | None:
    host = work.claimed.host
    with work.around.engine.connect() as connection:
        cookies = load_cookies(connection, work.around.vault(), host)
    return None if cookies is None else cookies_for(cookies.encode(), host)


def _extractors(work: Work) -> Path | None:
    extractors = newest(work.around.data_dir)
    return None if extractors is None else extractors.folder


def _limits(work: Work) -> Limits:
    """Return what this try may take: what is left of the wall clock, of LOOTWIRE_SOUND_MB, and of the disk."""
    around = work.around
    left = around.limits.seconds - work.holding.spent
    if left <= 0:
        raise FetchTroubled(
            Trouble(kind="too_long", reason=f"its download took {around.limits.seconds / 3600:.1f} hours")
        )
    free = shutil.disk_usage(work.folder).free
    if free < around.limits.keep_free:
        way_out = "free some space, then `lootwire sounds retry`"
        raise FetchTroubled(
            Trouble(kind="disk", reason="the disk of the data directory is nearly full", way_out=way_out)
        )
    size = around.limits.size
    with around.engine.connect() as connection:
        megabytes = gauge_of(connection, work.claimed.person_id, "sound_mb")
        own = 0 if megabytes is None else used_bytes(connection, work.claimed.person_id)
    if megabytes is not None:
        room = megabytes * 1_000_000 - own
        if room <= 0:
            raise FetchTroubled(of_plan(megabytes))
        size = room if size is None else min(size, room)
    if around.most_bytes is not None:
        with around.engine.connect() as connection:
            kept = used_bytes(connection)
        others = bytes_in(around.data_dir / SOUNDS / "work") - bytes_in(work.folder)
        room = around.most_bytes - kept - others
        if room <= 0:
            raise FetchTroubled(of_quota(around.most_bytes))
        size = room if size is None else min(size, room)
    return msgspec.structs.replace(around.limits, seconds=left, size=size)


def of_plan(megabytes: int) -> Trouble:
    """Return the trouble that a person's sounds take all the room that their plan allows."""
    return Trouble(
        kind="quota",
        reason=f"your sounds take the {megabytes:,} MB that your plan allows",
        way_out="remove some: `lootwire sounds remove`; then `lootwire sounds retry`",
    )


def of_quota(most_bytes: int) -> Trouble:
    """Return the trouble that sounds take all the room that they may."""
    return Trouble(
        kind="quota",
        reason=f"sounds take the {most_bytes / 1e6:,.0f} MB that LOOTWIRE_SOUND_MB allows",
        way_out="raise LOOTWIRE_SOUND_MB, or remove some: `lootwire sounds remove`; then `lootwire sounds retry`",
    )
