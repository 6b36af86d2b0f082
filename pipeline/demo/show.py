"""Play the demo: invented services and their history, the real pipeline, and a summary of what it made.

Only the services and the two sinks are invented; servers, workers, beat, mail and feeds are the real ones. Hours of
history pass in a minute because the pipeline goes by the time that the mirror gives for its data.
"""

import fcntl
import os
import shutil
import socket
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text
from sqlalchemy import Engine, func, select

from models import DropCampaign, Event, Extraction, Feed, Rendition
from models.errors import LootwireError
from models.events import EventKind
from pipeline.channels.following.adding import add_channels
from pipeline.channels.following.names import parse_name
from pipeline.demo import api, library, live, roms, rules, sound
from pipeline.demo.clock import STEPS
from pipeline.demo.services import DemoServices
from pipeline.demo.sinks import MailSink, WebhookSink
from pipeline.embedded import check_installed
from pipeline.embedded.layout import Layout, is_locked, open_lock, try_lock
from pipeline.fetch.http import Client
from pipeline.library.importing.files import Imported
from pipeline.programs import programs
from pipeline.programs.ports import HOST
from pipeline.runtime.logs import configure_logging
from pipeline.runtime.output import console, errors, show
from pipeline.runtime.page import problem_of
from pipeline.runtime.runtime import Runtime, open_runtime, utc_now
from pipeline.runtime.settings import load_settings
from pipeline.runtime.supervisor import Supervisor

# On a slow machine a step may take minutes: only where nothing at all moves for so long something is wrong.
STANDSTILL_SECONDS = 300.0
LOOK_SECONDS = 1.0
REMOVE_WITHIN = 60.0
# A real installation's variables must not reach the demo.
UNPREFIXED = ("DATABASE_URL", "REDIS_URL", "TWITCH_CLIENT_ID", "TWITCH_CLIENT_SECRET")
FOREIGN = tuple(name + ending for name in UNPREFIXED for ending in ("", "_FILE"))
SERVED = ("/mirror/v2/drops", "/mirror/v2/rewards", "/kick/", "/chzzk/", "/twitch/helix/streams")
PREFIX, LOCK = "lootwire-demo-", "demo.lock"


def run_demo(*, keep: bool) -> int:
    """Run the demo and print what it made; returns 0 if mail, webhook and feeds were all seen."""
    configure_logging("ERROR")
    # It never touches servers of yours.
    check_installed("see the real thing with servers of your own: DATABASE_URL, REDIS_URL and `lootwire up`")
    with ExitStack() as stack:
        folder = stack.enter_context(_throw_away_folder())
        services = stack.enter_context(DemoServices(utc_now()))
        mail, hook = stack.enter_context(MailSink()), stack.enter_context(WebhookSink())
        stack.enter_context(_environment(demo_variables(services, folder.path)))
        progress = stack.enter_context(_progress())
        task = progress.add_task("starting PostgreSQL and Valkey", total=STEPS + 2)
        runtime = open_runtime(load_settings().settings)
        rules.apply_rules(runtime, folder.path, mail, hook, utc_now())
        _follow(runtime)
        silent = sound.prepare(runtime, services, utc_now())
        progress.update(task, advance=1, description="starting workers and web server")

        def say(waits_for: str) -> None:
            progress.update(task, description=f"waiting for {waits_for}")

        with _running(runtime):
            programs.wake(runtime)
            for step in range(STEPS):
                if step == library.STEP:
                    brought = library.bring(runtime, folder.path, utc_now())
                _play(services, step, say)
                progress.update(task, advance=1, description=f"hour {step + 1} of {STEPS} has passed")
            say("a folder of ROMs to be looked at")
            collected = roms.collect(runtime, folder.path, utc_now())
            say("a show to have its episodes")
            heard = sound.Heard(lacking=silent) if silent else sound.listen(runtime, _sound_patience(runtime).is_over)
            missing = _settle(runtime, mail, hook, say)
            say("the web server to answer programs")
            _wait_until_served(runtime)
            asked = api.ask(runtime)
            if heard.lacking and not silent:
                missing.append(f"the show has no episodes: {heard.lacking}")
        say("the night to pass, for those who were not to be woken")
        # With nothing else running: to a sender of the present, what is claimed in the morning is so by a wrong clock.
        held = rules.let_the_night_pass(runtime, mail, utc_now())
        folder.is_for_keeps = keep and not missing
        running = stack.enter_context(_running(runtime)) if keep else None
        if running is not None:
            say("the page to be served again")
            _wait_until_served(runtime)
        progress.update(task, advance=1, description="done")
        progress.stop()
        _print_summary(runtime, mail, hook, held, brought, collected, heard, asked, keep=keep)
        for what in missing:
            errors.print(f"lootwire: {what}")
        if running is not None:
            console.print("\nIt stays up; Ctrl-C ends it.")
            return running.run_until_signal()
    return 1 if missing else 0


def _wait_until_served(runtime: Runtime) -> None:
    """Wait for the web server, for as long as it may take on a slow machine; without it the summary names files."""
    until = time.monotonic() + STANDSTILL_SECONDS
    while not _is_served(runtime) and time.monotonic() < until:
        time.sleep(LOOK_SECONDS)


def _running(runtime: Runtime) -> Supervisor:
    """Return a supervisor of all programs but EventSub's, which the demo's Twitch has not: it is polled."""
    listed = [program for program in programs.programs(runtime) if program.name != "eventsub"]
    return programs.supervisor(runtime, listed, say=lambda _: None, grace=10)


@dataclass
class _Folder:
    """A folder of which nothing stays, but for its published files where somebody wants to keep them."""

    path: Path
    is_for_keeps: bool = False


@contextmanager
def _throw_away_folder() -> Iterator[_Folder]:
    """Give a folder; afterwards its published files stay, to be looked at, or nothing at all."""
    _remove_dead(Path(tempfile.gettempdir()))
    folder = _Folder(Path(tempfile.mkdtemp(prefix=PREFIX)))
    lock = _hold(folder.path)
    try:
        yield folder
    finally:
        os.close(lock)
        unwanted = [path for path in folder.path.iterdir() if path.name != "public"]
        for path in unwanted if folder.is_for_keeps else [*unwanted, folder.path]:
            _remove(path)


def _hold(folder: Path) -> int:
    """Mark a folder as that of a demo which lives; the kernel drops the mark however this process ends."""
    lock = open_lock(folder / "demo.lock.new")
    try_lock(lock, fcntl.LOCK_EX)
    # Under its name only when it is held: another demo takes one that is not for that of a dead one.
    (folder / "demo.lock.new").rename(folder / LOCK)
    return lock


def _remove_dead(temporary: Path) -> None:
    """Remove what demos left that were killed; a folder that is not surely one, or surely dead, is left alone."""
    for folder in temporary.glob(f"{PREFIX}*"):
        if not folder.is_symlink() and (folder / LOCK).is_file() and folder.stat().st_uid == os.geteuid():
            layout = Layout.of(folder / "data")
            locks = (folder / LOCK, layout.host_lock, layout.servers_lock)
            # Servers of a killed demo may need some seconds to end: the next demo finds them gone.
            if not any(map(is_locked, locks)):
                _remove(folder)


def _remove(path: Path) -> None:
    """Remove a file or a folder; servers that end because their folder is gone may still write into it."""
    path.unlink(missing_ok=True) if path.is_file() else None
    until = time.monotonic() + REMOVE_WITHIN
    while path.exists() and time.monotonic() < until:
        shutil.rmtree(path, ignore_errors=True)
        time.sleep(0.1 if path.exists() else 0)


def demo_variables(services: DemoServices, folder: Path) -> Mapping[str, str]:
    """Return all settings that the demo needs; no service of another machine is in them."""
    port = _free_port()
    return {
        "LOOTWIRE_DATA_DIR": str(folder / "data"),
        "LOOTWIRE_PUBLISH_DIR": str(folder / "public"),
        "LOOTWIRE_HTTP_PORT": str(port),
        "LOOTWIRE_RECEIVER_PORT": "0",
        "LOOTWIRE_PUBLIC_URL": f"http://127.0.0.1:{port}",
        **services.addresses,
        **sound.variables(services),
        "LOOTWIRE_DROPS_MIRROR_POLL_SECONDS": "1",
        "LOOTWIRE_KICK_POLL_SECONDS": "1",
        "LOOTWIRE_CHZZK_POLL_SECONDS": "1",
        "LOOTWIRE_CHZZK_FIRST_NUMBER": "1204",
        "TWITCH_CLIENT_ID": live.CLIENT_ID,
        "TWITCH_CLIENT_SECRET": live.CLIENT_SECRET,
        "LOOTWIRE_STREAMS_POLL_SECONDS": "1",
        "LOOTWIRE_STREAMS_IN_CAMPAIGNS_POLL_SECONDS": "1",
        "LOOTWIRE_STREAM_FLAP_SECONDS": "1",
        "LOOTWIRE_BADGES_POLL_SECONDS": "1",
        "LOOTWIRE_LOG_LEVEL": "ERROR",
        "NO_PROXY": "127.0.0.1",
        "no_proxy": "127.0.0.1",
    }


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
    return port


@contextmanager
def _environment(variables: Mapping[str, str]) -> Iterator[None]:
    """Set the demo's variables, for this process and its children, in a folder that has no settings files."""
    before, cwd = dict(os.environ), Path.cwd()
    ours = [name for name in os.environ if name.startswith("LOOTWIRE_") or name in FOREIGN]
    for name in ours:
        del os.environ[name]
    os.environ.update(variables)
    os.chdir(Path(variables["LOOTWIRE_DATA_DIR"]).parent)
    try:
        yield
    finally:
        os.chdir(cwd)
        os.environ.clear()
        os.environ.update(before)


def _follow(runtime: Runtime) -> None:
    with Client() as client:
        add_channels(
            runtime.engine, runtime.needed_helix(client), [parse_name(login) for login in live.SHOWS], utc_now()
        )


def _play(services: DemoServices, step: int, say: Callable[[str], object]) -> None:
    """Wait until the workers have fetched this hour from every service, then let the next one begin."""
    for path in SERVED:
        patience = _Patience(lambda: services.served)
        while (lacking := _lacking(services, path, step)) is not None:
            say(f"the workers to fetch {path}, hour {step + 1} of {STEPS}")
            if patience.is_over():
                raise LootwireError(f"the demo stands still for {STANDSTILL_SECONDS / 60:.0f} minutes: {lacking}")
    if step + 1 < STEPS:
        services.advance()


def _lacking(services: DemoServices, path: str, step: int) -> str | None:
    """Wait a moment until a path was fetched at a step; returns None once it was, and else what is lacking."""
    try:
        services.wait_served(path, step, LOOK_SECONDS)
    except TimeoutError as error:
        return str(error)
    return None


class _Patience:
    """Lasts while a sign of progress changes, and for some minutes more."""

    def __init__(self, sign: Callable[[], object], clock: Callable[[], float] = time.monotonic) -> None:
        self._sign = sign
        self._clock = clock
        self._last: object = None
        self._moved_at = clock()

    def is_over(self) -> bool:
        """Whether the sign has been the same for too long."""
        sign = self._sign()
        if sign != self._last:
            self._last, self._moved_at = sign, self._clock()
        return self._clock() - self._moved_at > STANDSTILL_SECONDS


def _settle(runtime: Runtime, mail: MailSink, hook: WebhookSink, say: Callable[[str], object]) -> list[str]:
    """Wait until everything is sent and published; returns what was not seen."""
    patience = _Patience(lambda: (len(mail.messages), len(hook.messages), programs.unsettled(runtime.engine)))
    wanted: dict[str, Callable[[], bool]] = {
        "no mail arrived": lambda: bool(mail.messages),
        "no webhook was called": lambda: bool(hook.messages),
        # Another poll tells it, since one that lacks a stream may be mistaken.
        "no stream was seen to end": lambda: _has_happened(runtime.engine, EventKind.STREAM_OFFLINE),
        "not everything was sent and published in time": lambda: programs.settled(runtime.engine),
        "the web server does not serve the page": lambda: _is_served(runtime),
    }
    return _wait_for(wanted, patience, say)


def _sound_patience(runtime: Runtime) -> _Patience:
    """Return what lasts as long as fetching and rendering go on."""

    def sign() -> object:
        with runtime.engine.connect() as connection:
            columns = (Extraction.id, Extraction.stage, Extraction.progress, Extraction.fence)
            extractions = [tuple(row) for row in connection.execute(select(*columns).order_by(Extraction.id))]
            renditions = connection.scalars(select(Rendition.state).order_by(Rendition.id)).all()
        return extractions, renditions, programs.unsettled(runtime.engine)

    return _Patience(sign)


def _wait_for(wanted: Mapping[str, Callable[[], bool]], patience: _Patience, say: Callable[[str], object]) -> list[str]:
    """Wait until all is seen in one look, or nothing moves any more; returns what the last look did not see."""
    # The services go on meanwhile: what one look has seen, another a moment later may find at work again.
    while (missing := [what for what, seen in wanted.items() if not seen()]) and not patience.is_over():
        say("mail, webhook and feeds")
        time.sleep(0.1)
    return missing


def _has_happened(engine: Engine, kind: EventKind) -> bool:
    with engine.connect() as connection:
        return connection.scalar(select(Event.id).where(Event.kind == kind).limit(1)) is not None


def _is_served(runtime: Runtime) -> bool:
    return problem_of(HOST, runtime.settings.http_port) is None


def _print_summary(
    runtime: Runtime,
    mail: MailSink,
    hook: WebhookSink,
    held: Sequence[rules.Held],
    brought: Imported,
    collected: roms.Collected,
    heard: sound.Heard,
    asked: api.Asked,
    *,
    keep: bool,
) -> None:
    with runtime.engine.connect() as connection:
        campaigns = connection.execute(select(DropCampaign.service, func.count()).group_by(DropCampaign.service))
        by_service = dict(campaigns.all())
        kinds: Counter[str] = Counter(
            dict(connection.execute(select(Event.kind, func.count()).group_by(Event.kind)).all())
        )
        latest = connection.execute(select(Event.title).order_by(Event.id.desc()).limit(5)).scalars().all()
        feeds = connection.scalar(select(func.count()).select_from(Feed)) or 0
        untold = rules.why_the_sleeper_was_not_told(connection, utc_now())
        finished = library.why_the_collector_was_not_told(connection, utc_now())
    services = ", ".join(f"{count} on {name}" for name, count in sorted(by_service.items()))
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="bold")
    table.add_column(overflow="fold")
    table.add_row("campaigns", f"{sum(by_service.values())} ({services})")
    table.add_row("events", f"{kinds.total()}: " + ", ".join(f"{count} {kind}" for kind, count in kinds.most_common()))
    table.add_row("for example", Text("\n".join(map(show, latest))))
    table.add_row("mail", Text(_received(len(mail.messages), "message", [m.subject for m in mail.messages])))
    titles = [str((message.json or {}).get("title")) for message in hook.messages]
    table.add_row("webhook", Text(_received(len(hook.messages), "call", titles)))
    for each in held:
        became = f"{each.events} events waited until {each.until:%H:%M} UTC and came as: "
        table.add_row(each.target, Text(became + show("; ".join(each.messages))))
    if untold is not None:
        title, reason = untold
        table.add_row("why not?", Text(show(f"The {rules.SLEEPER} was not told “{title}”: {reason}.")))
    counts = ", ".join(f"{count} {verdict.replace('_', ' ')}" for verdict, count in brought.counts.items() if count)
    table.add_row("library", Text(f"{brought.taken_for}, {len(brought.lines)} lines: {counts}"))
    subjects = [message.subject for message in mail.messages if f"{rules.COLLECTOR}@demo.example" in message.to]
    table.add_row(rules.COLLECTOR, Text(_received(len(subjects), "message", subjects)))
    if finished is not None:
        title, reason = finished
        table.add_row("why not?", Text(show(f"The {rules.COLLECTOR} was not told “{title}”: {reason}.")))
    known = f"{collected.files} files read, {collected.verified} of {collected.roms} ROMs verified by a DAT"
    lacks = f", which lists {show(', '.join(collected.lacking))} too" if collected.lacking else ""
    table.add_row("ROMs", Text(f"{known}{lacks}; {collected.matched} are games of IGDB"))
    table.add_row("show", Text(show(_of_show(heard))))
    table.add_row("API", Text(show(_of_api(asked))))
    published = runtime.settings.published
    calendars = sum(1 for _ in published.rglob("*.ics"))
    made = f"{feeds} feeds as RSS, Atom and JSON Feed, each with a page; {calendars} of them as calendars"
    table.add_row("feeds", made + (f", in {published}" if keep else ""))
    if keep:
        base = runtime.settings.public_url if _is_served(runtime) else published.as_uri()
        podcast = [] if heard.path is None else [f"{heard.path}.html", f"{heard.path}.rss.xml"]
        for name in ("index.html", "feeds.html", "all.rss.xml", "all.json", "all.ics", "feeds.opml", *podcast):
            table.add_row("open" if name == "index.html" else "", f"{base}/{name}")
    console.print(table)
    if not keep:
        console.print(
            "\nAll of it is gone again. `lootwire demo --keep` stays up, so that you can open its page and its feeds; "
            "`lootwire up` is the real thing.",
            soft_wrap=True,
        )


def _of_show(heard: sound.Heard) -> str:
    if heard.lacking is not None:
        return f"none: {heard.lacking}"
    episodes = ", ".join(f"“{title}”" for title in heard.episodes)
    chapters = f", with chapters {', '.join(heard.chapters)}" if heard.chapters else ""
    loud = f"; from {heard.before:.1f} to {heard.after:.1f} LUFS" if heard.before is not None and heard.after else ""
    return f"{sound.SHOW}: {len(heard.episodes)} episodes to hear, {episodes}{chapters}{loud}"


def _of_api(asked: api.Asked) -> str:
    share = f"{asked.targets} targets are the owner's, {asked.targets_of_other} are {api.PERSON}'s"
    return f"{asked.campaigns} running campaigns, the newest event “{asked.newest}”; with a key of each: {share}"


def _received(count: int, noun: str, titles: list[str]) -> str:
    last = f", the last: {show(titles[-1])}" if titles else ""
    return f"{count} {noun}{'' if count == 1 else 's'} received{last}"


def _progress() -> Progress:
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        TimeElapsedColumn(),
        console=errors,
        transient=True,
        disable=not errors.is_terminal,
    )
