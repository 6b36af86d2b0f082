"""Makes the database agree with files of rules."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import msgspec
from sqlalchemy import Connection

from models.vault import Vault
from notifiers.errors import TargetError
from notifiers.rules import applying as targets
from notifiers.rules.difference import Change, Wanted, WantedSubscription, compare
from notifiers.rules.reading import RulesError, line_of
from pipeline.rules.files import RulesFile, deleted_file
from pipeline.rules.follows import Follows, load_follows, named
from pipeline.runtime.runtime import Runtime


class FileChanges(msgspec.Struct, frozen=True):
    """What a file asks for: the file, and the changes that are left to be done."""

    file: RulesFile
    changes: list[Change]


def deleted_files(connection: Connection, vault: Vault, given: Path | None) -> list[RulesFile]:
    """Return the files that things came from and that are gone from where rules are looked for; each wants nothing."""
    present = targets.load_present(connection, vault)
    origins = {each.origin for each in present.targets} | {each.origin for each in present.subscriptions}
    origins |= {each.origin for each in load_follows(connection)}
    files = (deleted_file(origin, given) for origin in sorted(filter(None, origins)))
    return [file for file in files if file is not None]


def compare_files(connection: Connection, vault: Vault, files: Sequence[RulesFile]) -> list[FileChanges]:
    """Return what is to be changed so that the database agrees with files; changes nothing.

    Raises RulesError where two files name the same thing, or a subscription goes to a target that is not there.
    """
    present = targets.load_present(connection, vault)
    present = Wanted(targets=present.targets, subscriptions=present.subscriptions, follows=load_follows(connection))
    _check(files, present)
    return [FileChanges(file, compare(_checked(connection, file), present, file.origin)) for file in files]


def apply_files(runtime: Runtime, by_file: Sequence[FileChanges], now: datetime) -> list[str]:
    """Carry out changes, those of targets and subscriptions in one transaction; returns what could not be followed."""
    with runtime.engine.begin() as connection:
        for is_removal in (False, True):
            for each in by_file:
                changes = [change for change in each.changes if (change.action == "remove") is is_removal]
                wanted = _checked(connection, each.file)
                targets.apply(connection, runtime.vault, changes, wanted, each.file.origin, now)
    problems = []
    for each in by_file:
        follows = Follows(runtime, Path(each.file.path).parent, each.file.origin, now)
        changes = [change for change in each.changes if change.what == "follow"]
        problems += follows.apply(changes, named(each.file.wanted.follows))
    return problems


def _checked(connection: Connection, file: RulesFile) -> Wanted:
    """Return what a file wants as it is stored; raises RulesError, which names the line of a condition that is none."""
    subscriptions: list[WantedSubscription] = []
    for each in file.wanted.subscriptions:
        try:
            subscriptions += targets.check_wanted(connection, [each])
        except TargetError as error:
            raise RulesError(f"{file.path}:{_line_of(file, each.name)}: {error}") from None
    return Wanted(targets=file.wanted.targets, subscriptions=tuple(subscriptions), follows=file.wanted.follows)


def _line_of(file: RulesFile, name: str) -> int:
    """Return the line of a subscription's block; of several targets each has its own name behind the block's."""
    numbers = (
        n for n, block in enumerate(file.rules.subscription) if name in {block.name, f"{block.name} ({_to(name)})"}
    )
    return line_of(file.text, "subscription", next(numbers, 0))


def _to(name: str) -> str:
    return name.rpartition(" (")[2].removesuffix(")")


def _check(files: Sequence[RulesFile], present: Wanted) -> None:
    names: dict[tuple[str, str], Path] = {}
    for file in files:
        pairs = [("target", target.name) for target in file.wanted.targets]
        pairs += [("subscription", subscription.name) for subscription in file.wanted.subscriptions]
        for pair in pairs:
            if pair in names:
                raise RulesError(f"{file.path}: {pair[1]!r} is the name of a {pair[0]} in {names[pair]} too")
            names[pair] = file.path
    gone = {target.name for target in present.targets if target.origin in {file.origin for file in files}}
    there = ({target.name for target in present.targets} - gone) | {name for what, name in names if what == "target"}
    for file in files:
        for subscription in file.wanted.subscriptions:
            if subscription.target not in there:
                listed = f"; there are: {', '.join(sorted(there))}" if there else ""
                missing = f"{subscription.name!r} goes to {subscription.target!r}, and no target is called so"
                raise RulesError(f"{file.path}: {missing}{listed}")
