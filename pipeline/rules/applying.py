"""Makes the database agree with files of rules."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path

import msgspec
from sqlalchemy import Connection

from models.vault import Vault
from notifiers.apprise_urls import is_private
from notifiers.rules import applying as targets
from notifiers.rules.difference import Change, Wanted, WantedFollow, compare, follow_name
from notifiers.rules.reading import Mistake, RulesError, listed
from notifiers.timing.settings import TargetSettings
from pipeline.rules.files import KEYS_OF_FOLLOWS, RulesFile, deleted_file, follows_of, subscriptions_of
from pipeline.rules.follows import Follows, load_follows, named
from pipeline.rules.mistakes import raise_mistakes
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

    Raises RulesError, which names all mistakes of all files: those that were read with them, conditions that are none,
    subscriptions to a target that is not there, and names that two files have, these or one that something came from
    and that names it still.
    """
    present = targets.load_present(connection, vault)
    present = Wanted(targets=present.targets, subscriptions=present.subscriptions, follows=load_follows(connection))
    raise_mistakes(connection, files, present)
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
        for target in each.file.wanted.targets:
            before = settings.get(target.name, TargetSettings())
            if target.name in changed and not target.settings_over(before).private and is_private(target.url):
                where = f"{each.file.path}:{each.file.read.line('target', _number(each.file, target.name))}"
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
    return _follow(runtime, by_file, now, Follows.apply)


def rehearse_files(runtime: Runtime, by_file: Sequence[FileChanges], now: datetime) -> list[str]:
    """Do and raise what `apply_files` does, and change nothing: the transaction is rolled back, no service is asked."""
    with runtime.engine.connect() as connection:
        _carry_out(connection, runtime.vault, by_file, now)
        connection.rollback()
    return _follow(runtime, by_file, now, Follows.rehearse)


Following = Callable[[Follows, Iterable[Change], Mapping[str, WantedFollow]], list[tuple[str, str]]]


def _follow(runtime: Runtime, by_file: Sequence[FileChanges], now: datetime, following: Following) -> list[str]:
    """Return what cannot be followed, each with its line."""
    problems = []
    for each in by_file:
        follows = Follows(runtime, each.file.path.parent, each.file.origin, now)
        changes = [change for change in each.changes if change.what == "follow"]
        for name, reason in following(follows, changes, named(each.file.wanted.follows)):
            mistake = Mistake(_line_of_follow(each.file, name), f"{name}: {reason}")
            problems.append(listed(str(each.file.path), [mistake]))
    return problems


def _line_of_follow(file: RulesFile, name: str) -> int:
    for number, block in enumerate(file.rules.follow):
        for follow in follows_of(block, file.path.parent):
            if follow_name(follow) == name:
                return file.read.line("follow", number, KEYS_OF_FOLLOWS[follow.kind])
    # What is followed no more stands nowhere.
    return 0


def _carry_out(connection: Connection, vault: Vault, by_file: Sequence[FileChanges], now: datetime) -> None:
    """Change targets and subscriptions as all files want them together: a target may stand in another file."""
    checked = [_checked(connection, each.file) for each in by_file]
    for what, is_removal in _STEPS:
        for each, wanted in zip(by_file, checked, strict=True):
            changes = [c for c in each.changes if c.what == what and (c.action == "remove") is is_removal]
            try:
                targets.apply(connection, vault, changes, wanted, each.file.origin, now)
            except targets.RefusedChange as error:
                line = _line_of_change(each.file, error.change)
                raise RulesError(listed(str(each.file.path), [Mistake(line, str(error))])) from None


def _line_of_change(file: RulesFile, change: Change) -> int:
    if change.what == "target":
        return file.read.line("target", _number(file, change.name))
    blocks = enumerate(file.rules.subscription)
    numbers = (n for n, block in blocks if any(each.name == change.name for each in subscriptions_of(block)))
    return file.read.line("subscription", next(numbers, 0))


def _number(file: RulesFile, target: str) -> int:
    """Return which of its blocks is that of a target."""
    return next((number for number, block in enumerate(file.rules.target) if block.name == target), 0)


def _checked(connection: Connection, file: RulesFile) -> Wanted:
    """Return what a file without mistakes wants as it is stored."""
    subscriptions = targets.check_wanted(connection, file.wanted.subscriptions)
    return Wanted(targets=file.wanted.targets, subscriptions=subscriptions, follows=file.wanted.follows)
