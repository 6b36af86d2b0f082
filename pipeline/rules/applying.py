"""Makes the database agree with files of rules."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path

import msgspec
from sqlalchemy import Connection

from models.vault import Vault
from notifiers.apprise_urls import is_private
from notifiers.errors import TargetError
from notifiers.rules import applying as targets
from notifiers.rules.difference import Change, Wanted, WantedFollow, WantedSubscription, compare
from notifiers.rules.reading import RulesError, line_of
from notifiers.timing.settings import TargetSettings
from pipeline.rules.files import RulesFile, deleted_file, names_in
from pipeline.rules.follows import Follows, load_follows, named
from pipeline.runtime.runtime import Runtime

# What is to be done in all files before the next is begun in any, and whether that is to remove things.
_STEPS = (("target", False), ("subscription", False), ("subscription", True), ("target", True))


class FileChanges(msgspec.Struct, frozen=True):
    """What a file asks for: the file, and the changes that are left to be done."""

    file: RulesFile
    changes: list[Change]


def deleted_files(connection: Connection, vault: Vault, given: Path | None) -> list[RulesFile]:
    """Return the files that things came from and that are gone from where rules are looked for; each wants nothing."""
    origins = _origins(connection, vault, load_follows(connection))
    files = (deleted_file(origin, given) for origin in origins)
    return [file for file in files if file is not None]


def missing_files(connection: Connection, vault: Vault, given: Path | None) -> list[Path]:
    """Return the files that things came from and that are gone from elsewhere than where rules are looked for."""
    # A list that somebody handed in came from a file of its own.
    origins = _origins(connection, vault, (each for each in load_follows(connection) if each.kind != "list"))
    return [Path(origin) for origin in origins if not Path(origin).exists() and not deleted_file(origin, given)]


def _origins(connection: Connection, vault: Vault, follows: Iterable[WantedFollow]) -> list[str]:
    present = targets.load_present(connection, vault)
    origins = {each.origin for each in present.targets} | {each.origin for each in present.subscriptions}
    origins |= {each.origin for each in follows}
    return sorted(origin for origin in origins if origin is not None)


def compare_files(connection: Connection, vault: Vault, files: Sequence[RulesFile]) -> list[FileChanges]:
    """Return what is to be changed so that the database agrees with files; changes nothing.

    Raises RulesError where two files name the same thing, these or one that it came from and that names it still, or
    where a subscription goes to a target that is not there.
    """
    present = targets.load_present(connection, vault)
    present = Wanted(targets=present.targets, subscriptions=present.subscriptions, follows=load_follows(connection))
    _check(files, present)
    _check_taken(files, present)
    checked = [_checked(connection, file) for file in files]
    return [
        FileChanges(
            file, compare(wanted, present, file.origin, elsewhere=[other for other in checked if other is not wanted])
        )
        for file, wanted in zip(files, checked, strict=True)
    ]


def refused_targets(connection: Connection, vault: Vault, by_file: Sequence[FileChanges]) -> list[str]:
    """Return a sentence for each target that is about to change and to which nothing would be sent: it is private."""
    settings = {target.name: target.settings for target in targets.load_present(connection, vault).targets}
    sentences = []
    for each in by_file:
        changed = {change.name for change in each.changes if change.what == "target" and change.action != "remove"}
        for number, target in enumerate(each.file.wanted.targets):
            before = settings.get(target.name, TargetSettings())
            if target.name in changed and not target.settings_over(before).private and is_private(target.url):
                where = f"{each.file.path}:{line_of(each.file.text, 'target', number)}"
                sentences.append(
                    f"{where}: the address of {target.name!r} is in a private network, and nothing is sent there until "
                    "its block says `private = true`"
                )
    return sentences


def apply_files(runtime: Runtime, by_file: Sequence[FileChanges], now: datetime) -> list[str]:
    """Carry out changes, those of targets and subscriptions in one transaction; returns what could not be followed.

    Raises RulesError, which names file and line, where a target or subscription cannot be as it is wanted.
    """
    with runtime.engine.begin() as connection:
        _carry_out(connection, runtime.vault, by_file, now)
    problems = []
    for each in by_file:
        follows = Follows(runtime, Path(each.file.path).parent, each.file.origin, now)
        changes = [change for change in each.changes if change.what == "follow"]
        problems += follows.apply(changes, named(each.file.wanted.follows))
    return problems


def rehearse_files(runtime: Runtime, by_file: Sequence[FileChanges], now: datetime) -> None:
    """Raise the RulesError that applying would raise, and change nothing: the transaction is rolled back."""
    with runtime.engine.connect() as connection:
        _carry_out(connection, runtime.vault, by_file, now)
        connection.rollback()


def _carry_out(connection: Connection, vault: Vault, by_file: Sequence[FileChanges], now: datetime) -> None:
    """Change targets and subscriptions as all files want them together: a target may stand in another file."""
    checked = [_checked(connection, each.file) for each in by_file]
    for what, is_removal in _STEPS:
        for each, wanted in zip(by_file, checked, strict=True):
            changes = [c for c in each.changes if c.what == what and (c.action == "remove") is is_removal]
            try:
                targets.apply(connection, vault, changes, wanted, each.file.origin, now)
            except targets.RefusedChange as error:
                raise RulesError(f"{each.file.path}:{_line_of_change(each.file, error.change)}: {error}") from None


def _line_of_change(file: RulesFile, change: Change) -> int:
    if change.what == "subscription":
        return _line_of(file, change.name)
    number = next((n for n, block in enumerate(file.rules.target) if block.name == change.name), 0)
    return line_of(file.text, "target", number)


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


def _subscriptions_of(file: RulesFile) -> list[tuple[str, str]]:
    return [("subscription", subscription.name) for subscription in file.wanted.subscriptions]


def _check_taken(files: Sequence[RulesFile], present: Wanted) -> None:
    """Raise RulesError where a file wants what another has that names it still: they would take it from each other."""
    origins = {file.origin for file in files}
    there = {("target", each.name): each.origin for each in present.targets}
    there |= {("subscription", each.name): each.origin for each in present.subscriptions}
    elsewhere = {pair: origin for pair, origin in there.items() if origin is not None and origin not in origins}
    named_by = {origin: names_in(Path(origin)) for origin in set(elsewhere.values())}
    taken = {pair: origin for pair, origin in elsewhere.items() if pair in named_by[origin]}
    for file in files:
        for what, name in [*(("target", each.name) for each in file.wanted.targets), *_subscriptions_of(file)]:
            if origin := taken.get((what, name)):
                came = f"{name!r} is the name of a {what} in {origin} too, from which it came"
                raise RulesError(f"{file.path}: {came}; remove it from one of the two files")


def _check(files: Sequence[RulesFile], present: Wanted) -> None:
    names: dict[tuple[str, str], Path] = {}
    for file in files:
        pairs = [("target", target.name) for target in file.wanted.targets]
        pairs += _subscriptions_of(file)
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
