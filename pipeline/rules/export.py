"""Writes what there is as a file of rules."""

import re
from collections.abc import Iterable, Mapping
from itertools import groupby
from pathlib import Path

import tomlkit
from sqlalchemy import Connection, select
from tomlkit import TOMLDocument
from tomlkit.items import AoT, Table

from models import Target
from models.people import OWNER_ID
from models.vault import Vault
from notifiers.conditions.conditions import conditions_to_json
from notifiers.rules.applying import load_present
from notifiers.rules.difference import WantedFollow, WantedSubscription, WantedTarget
from notifiers.rules.reading import RulesError, read_rules
from notifiers.rules.words import written
from pipeline.rules.follows import load_follows
from pipeline.rules.small_files import LARGEST_RULES, UnreadableFileError, read_text

_HEAD = (
    "What Lootwire tells, to whom, and what it watches: `lootwire apply FILE` makes the database agree with this file.",
    "Names are keys. A block that you remove removes its thing, if it came from this file.",
    "`lootwire rules schema` prints a JSON Schema with which editors complete and check it.",
)
_FIELDS = {"channel": "channels", "category": "categories", "game": "games"}


def export_rules(connection: Connection, vault: Vault) -> str:
    """Return the text of a file that says what the database has; addresses stand as variables, never in clear."""
    present = load_present(connection, vault)
    labels: dict[str, str] = dict(
        connection.execute(
            select(Target.name, Target.label).where(Target.removed_at.is_(None), Target.person_id == OWNER_ID)
        ).all()
    )
    document = tomlkit.document()
    for line in _HEAD:
        document.add(tomlkit.comment(line))
    addresses = _written_addresses(present.targets)
    _add(document, "target", (_target(each, labels[each.name], addresses) for each in present.targets))
    _add(document, "subscription", map(_subscription, present.subscriptions))
    _add(document, "follow", _follows(load_follows(connection)))
    return tomlkit.dumps(document)


def _add(document: TOMLDocument, name: str, tables: Iterable[Table]) -> None:
    array = AoT(list(tables))
    if array:
        document.add(tomlkit.nl())
        document.add(name, array)


def _written_addresses(targets: Iterable[WantedTarget]) -> Mapping[str, str]:
    """Return how the files that targets came from write their addresses, where that is no secret itself.

    A file beside one of them is named in full: nobody knows where the text will be written.
    """
    written: dict[str, str] = {}
    for origin in {target.origin for target in targets if target.origin}:
        try:
            rules = read_rules(read_text(Path(origin), LARGEST_RULES), origin)
        except (UnreadableFileError, RulesError):
            continue
        folder = Path(origin).parent
        written |= {b.name: _in_full(b.url, folder) for b in rules.target if b.url.startswith(("env:", "file:"))}
    return written


def _in_full(url: str, folder: Path) -> str:
    kind, _, name = url.partition(":")
    # `~` is as right elsewhere.
    return f"file:{folder / name}" if kind == "file" and not name.startswith("~") else url


def _target(target: WantedTarget, label: str, addresses: Mapping[str, str]) -> Table:
    table = tomlkit.table()
    table.add("name", target.name)
    table.add("url", addresses.get(target.name) or f"env:{variable(target.name)}")
    table["url"].comment(label)
    table.add("timezone", target.timezone)
    if target.role:
        table.add("role", target.role)
    for key, value in written(target.settings).items():
        table.add(key, value)
    if target.is_paused:
        table.add("paused", value=True)
    return table


def variable(name: str) -> str:
    """Return the variable that holds a target's address: `PHONE_URL`."""
    return f"{re.sub(r'[^A-Z0-9]+', '_', name.upper()).strip('_') or 'TARGET'}_URL"


def _subscription(subscription: WantedSubscription) -> Table:
    table = tomlkit.table()
    table.add("name", subscription.name)
    table.add("to", subscription.target)
    for key, value in conditions_to_json(subscription.conditions).items():
        table.add(key, list(value) if isinstance(value, list | tuple) else value)
    return table


def _follows(follows: Iterable[WantedFollow]) -> Iterable[Table]:
    """Yield a block for each kind of follow, and for each number of streams; lists stay with their files."""
    kept = sorted((each for each in follows if each.kind != "list"), key=lambda each: (each.kind, each.top or 0))
    for (kind, top), group in groupby(kept, key=lambda each: (each.kind, each.top)):
        table = tomlkit.table()
        if kind == "drops":
            table.add("drops", value=True)
        else:
            table.add(_FIELDS[kind], [each.name for each in group])
        if top is not None:
            table.add("top", top)
        yield table
