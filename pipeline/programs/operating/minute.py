"""Looks after an installation once a minute: what is wrong is told, and an address outside is pinged."""

import logging
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime

import msgspec
from pydantic import SecretStr
from sqlalchemy import Engine

from models.events import EventKind
from pipeline.errors import SourceError
from pipeline.programs.operating.alive import tell_alive
from pipeline.programs.operating.incidents import report, settle
from pipeline.programs.operating.looking import load_facts, look_at_machine
from pipeline.programs.operating.ping import ping
from pipeline.programs.operating.troubles import Machine, Trouble, judge, judge_machine, ping_failed
from pipeline.runtime.settings import Settings

logger = logging.getLogger(__name__)


class Minute(msgspec.Struct, frozen=True):
    """What a look came to: what is wrong, and the events that were appended, of each kind."""

    troubles: tuple[Trouble, ...]
    events: Counter[str]

    @property
    def is_sender_stalled(self) -> bool:
        """Whether what operators are to hear would wait for a program that stands still."""
        return any(
            trouble.kind == EventKind.OPERATOR_STALLED and trouble.subject in {"sender", "messages"}
            for trouble in self.troubles
        )


def look_after(
    engine: Engine, settings: Settings, clock: Callable[[], datetime], *, is_clock_doubted: Callable[[], bool]
) -> Minute:
    """Judge the installation, tell operators what is new, and ping; safe to run twice, and at any time.

    Where the database takes nothing, what is wrong with this machine is logged, the ping says so, and the error is
    raised.
    """
    machine = look_at_machine(settings, try_publishing=True)
    try:
        minute = _look(engine, settings, machine, clock(), is_clock_doubted=is_clock_doubted())
    except Exception as error:
        own = [trouble.headline for trouble in judge_machine(machine)]
        for headline in own:
            logger.error("%s", headline)  # noqa: TRY400 - the error itself is raised
        _ping(engine, settings.ping_url, [*own, f"The database takes nothing: {type(error).__name__}"], clock)
        raise
    _ping(engine, settings.ping_url, [t.headline for t in minute.troubles if t.stops_work], clock)
    return minute


def _look(engine: Engine, settings: Settings, machine: Machine, now: datetime, *, is_clock_doubted: bool) -> Minute:
    streams = not settings.missing_of_application
    with engine.begin() as connection:
        facts = load_facts(connection, machine, now, streams=streams, is_clock_doubted=is_clock_doubted)
        troubles = judge(facts)
        events = settle(connection, troubles, now, host=machine.host, ticking_since=facts.ticking_since)
        if not is_clock_doubted:
            events += tell_alive(connection, troubles, now)
    return Minute(troubles, events)


def _ping(engine: Engine, address: SecretStr | None, troubles: Sequence[str], clock: Callable[[], datetime]) -> None:
    """Ping where that is wanted; a failure is noted and counted, and stops nothing."""
    if address is None:
        return
    try:
        ping(address.get_secret_value(), troubles)
    except SourceError as error:
        logger.warning("the ping failed: %s", error)
        _note_failure(engine, str(error), clock())


def _note_failure(engine: Engine, reason: str, now: datetime) -> None:
    try:
        with engine.begin() as connection:
            report(connection, ping_failed(reason), now)
    except Exception as error:  # noqa: BLE001 - a ping that fails must stop nothing, whatever the database says
        logger.warning("the failure of the ping was not noted: %s", type(error).__name__)
