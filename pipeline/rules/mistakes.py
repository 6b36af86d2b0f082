"""Finds all that is wrong in files of rules: in each of them, between them, and by what the database knows."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from sqlalchemy import Connection

from models.names import nearest
from notifiers.rules.difference import Wanted
from notifiers.rules.reading import Mistake, RulesError, listed
from notifiers.subscriptions import mistakes_of_conditions
from pipeline.rules.files import RulesFile, names_in, subscriptions_of

# What something is, and its name.
Named = tuple[str, str]


def raise_mistakes(connection: Connection, files: Sequence[RulesFile], present: Wanted) -> None:
    """Raise RulesError with all that is wrong in files, line by line; nothing where nothing is."""
    names: dict[Named, Path] = {}
    elsewhere = _names_elsewhere(files, present)
    targets = _targets(files, present)
    lines = []
    for file in files:
        mistakes = [
            *file.mistakes,
            *_of_conditions(connection, file),
            *_of_names(file, names, elsewhere),
            *_of_targets(file, targets),
        ]
        lines += [listed(str(file.path), mistakes)] if mistakes else []
        names |= dict.fromkeys((named for named, _ in _named(file)), file.path)
    if lines:
        raise RulesError("\n".join(lines))


def _of_conditions(connection: Connection, file: RulesFile) -> Iterator[Mistake]:
    for number, block in enumerate(file.rules.subscription):
        for key, reason in mistakes_of_conditions(connection, block.conditions):
            yield Mistake(file.read.line("subscription", number, key), f"`{key}`: {reason}")


def _of_names(file: RulesFile, names: Mapping[Named, Path], elsewhere: Mapping[Named, str]) -> Iterator[Mistake]:
    """Yield names that another file has: one of those that are applied, or one from which the thing came.

    Of the latter they would take it from each other.
    """
    for (what, name), line in _named(file):
        if before := names.get((what, name)):
            yield Mistake(line, f"{name!r} is the name of a {what} in {before} too")
        elif origin := elsewhere.get((what, name)):
            came = f"{name!r} is the name of a {what} in {origin} too, from which it came"
            yield Mistake(line, f"{came}; remove it from one of the two files")


def _of_targets(file: RulesFile, targets: Collection[str]) -> Iterator[Mistake]:
    """Yield targets of subscriptions that nothing is called."""
    for number, block in enumerate(file.rules.subscription):
        for target in dict.fromkeys(block.to):
            if target not in targets:
                missing = f"{block.name!r} goes to {target!r}, and no target is called so{_meant(target, targets)}"
                yield Mistake(file.read.line("subscription", number, "to"), missing)


def _meant(target: str, targets: Collection[str]) -> str:
    near = nearest(target, sorted(targets), 1)
    meant = f"; did you mean `{near[0]}`?" if near else ""
    return meant or (f"; there are: {', '.join(sorted(targets))}" if targets else "")


def _targets(files: Iterable[RulesFile], present: Wanted) -> set[str]:
    """Return the names of the targets that there are once files are applied; those with a mistake count."""
    origins = {file.origin for file in files}
    stays = {target.name for target in present.targets if target.origin not in origins}
    return stays.union(*(file.read.targets for file in files))


def _named(file: RulesFile) -> Iterator[tuple[Named, int]]:
    """Yield the targets and subscriptions that a file names, with the lines of their names."""
    for number, target in enumerate(file.rules.target):
        yield ("target", target.name), file.read.line("target", number, "name")
    for number, block in enumerate(file.rules.subscription):
        for each in subscriptions_of(block):
            yield ("subscription", each.name), file.read.line("subscription", number, "name")


def _names_elsewhere(files: Iterable[RulesFile], present: Wanted) -> Mapping[Named, str]:
    """Return what came from other files that name it still, and from which."""
    origins = {file.origin for file in files}
    there = {("target", each.name): each.origin for each in present.targets}
    there |= {("subscription", each.name): each.origin for each in present.subscriptions}
    elsewhere = {named: origin for named, origin in there.items() if origin is not None and origin not in origins}
    named_by = {origin: names_in(Path(origin)) for origin in set(elsewhere.values())}
    return {named: origin for named, origin in elsewhere.items() if named in named_by[origin]}
