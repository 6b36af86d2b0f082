"""The demo's rules, as a person writes them into a file, and the night after which its held messages go out."""

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import Connection, select

from models import Delivery, Event, Target
from notifiers.deliver import Sender
from notifiers.inbox import load_inbox
from notifiers.reasons import why_not
from notifiers.rules.difference import in_words
from pipeline.demo.sinks import MailSink, WebhookSink
from pipeline.programs.sources import register
from pipeline.rules.applying import apply_files, compare_files
from pipeline.rules.files import read_rules_file
from pipeline.runtime.runtime import Runtime

MAILBOX, WEBHOOK, SLEEPER, READER, COLLECTOR = "mailbox", "webhook", "sleeper", "reader of digests", "collector"
GAME = "Gloomtide Trawlers"
COMING = "Paper Dragon Tactics"
RULES = f"""\
# Where messages go. Addresses are secrets, so they stand in variables; these are on this machine.
[defaults]
private = true

[[target]]
name = "{MAILBOX}"
url = "env:DEMO_MAILBOX"

[[target]]
name = "{WEBHOOK}"
url = "env:DEMO_WEBHOOK"

[[target]]
name = "{SLEEPER}"
url = "env:DEMO_SLEEPER"
quiet = "{{night}}-{{morning}}"
urgent = []

[[target]]
name = "{READER}"
url = "env:DEMO_READER"
digest = "daily at {{breakfast}}"
urgent = []

[[target]]
name = "{COLLECTOR}"
url = "env:DEMO_COLLECTOR"

# Games that are waited for.
[[follow]]
games = ["{COMING}", "Whisker Protocol"]

# What each of them wants.
[[subscription]]
name = "campaigns, rewards and streams"
to = "{MAILBOX}"
kinds = ["campaign.*", "reward.*", "stream.*"]

[[subscription]]
name = "everything"
to = "{WEBHOOK}"

[[subscription]]
name = "one game"
to = "{SLEEPER}"
games = ["{GAME}"]

[[subscription]]
name = "what is new"
to = "{READER}"
kinds = ["*.added"]

[[subscription]]
name = "loot for what I have and have not finished"
to = "{COLLECTOR}"
kinds = ["campaign.*", "release.*", "game.added"]
library = ["owned"]
library_except = ["finished", "abandoned"]
"""


@dataclass(frozen=True)
class Held:
    """What waited for a target until when, and the titles of the messages that it became."""

    target: str
    events: int
    until: datetime
    messages: tuple[str, ...]


def apply_rules(runtime: Runtime, folder: Path, mail: MailSink, hook: WebhookSink, now: datetime) -> None:
    """Write the demo's rules into a folder and apply them, as `lootwire apply` does; the night began an hour ago."""
    hours = {"night": -1, "morning": 1, "breakfast": 2}
    times = {name: f"{now.astimezone(UTC) + timedelta(hours=hour):%H:%M}" for name, hour in hours.items()}
    path = folder / "lootwire.toml"
    path.write_text(RULES.format(**times), encoding="utf-8")
    addresses = {
        "DEMO_MAILBOX": _mail_address(mail, "you"),
        "DEMO_WEBHOOK": f"json{hook.url.removeprefix('http')}",
        "DEMO_SLEEPER": _mail_address(mail, "sleeper"),
        "DEMO_READER": _mail_address(mail, "reader"),
        "DEMO_COLLECTOR": _mail_address(mail, COLLECTOR),
    }
    file = read_rules_file(path, addresses)
    with runtime.engine.begin() as connection:
        # What IGDB says of the followed games is kept under its source.
        register(connection, runtime, now)
        by_file = compare_files(connection, runtime.vault, [file])
    apply_files(runtime, by_file, now)


def _mail_address(mail: MailSink, name: str) -> str:
    return f"mailto://{mail.host}:{mail.port}/?from=lootwire@demo.example&to={name}@demo.example&mode=insecure"


def let_the_night_pass(runtime: Runtime, mail: MailSink, now: datetime) -> list[Held]:
    """Send what was held, by a clock that shows the next morning; returns what it was and what it became."""
    held: Counter[str] = Counter()
    until: dict[str, datetime] = {}
    with runtime.engine.connect() as connection:
        for target in (SLEEPER, READER):
            for line in load_inbox(connection, target, now):
                if line.at is not None and line.held_for:
                    held[target] += 1
                    until[target] = max(line.at, until.get(target, line.at))
    if not until:
        return []
    sender = Sender(runtime.engine, runtime.vault, lambda: max(until.values()), lanes=2)
    try:
        sender.send_due()
    finally:
        sender.finish()
    names = {SLEEPER: "sleeper", READER: "reader"}
    messages = {
        target: [m.subject for m in mail.messages if f"{names[target]}@demo.example" in m.to] for target in held
    }
    return [Held(target, count, until[target], tuple(messages[target])) for target, count in held.items()]


def why_the_sleeper_was_not_told(connection: Connection, now: datetime) -> tuple[str, str] | None:
    """Return an event that one target was not told of, and why, as `lootwire why-not` says it."""
    its_own = select(Delivery.event_id).join(Target).where(Target.name == SLEEPER)
    event_id = connection.scalar(
        select(Event.id).where(Event.id.not_in(its_own), Event.silent.is_(False), Event.game_id.is_not(None)).limit(1)
    )
    return None if event_id is None else why_untold(connection, SLEEPER, event_id, now)


def why_untold(connection: Connection, target: str, event_id: int, now: datetime) -> tuple[str, str]:
    """Return an event's title, and why a target was not told of it, as `lootwire why-not` says it."""
    answer = why_not(connection, target, event_id, now)
    verdicts = [f"{verdict.failed} does not fit (wants {in_words(verdict.wanted)})" for verdict in answer.verdicts]
    return answer.title, "; ".join([answer.reason, *verdicts])
