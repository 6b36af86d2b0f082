"""Applies the usual files of rules at the start, and again when they have changed."""

import itertools
from collections.abc import Sequence
from datetime import datetime
from hashlib import blake2b
from pathlib import Path

import msgspec

from notifiers.errors import TargetError
from notifiers.rules.reading import RulesError
from pipeline.games.finding.names import LARGEST_LIST
from pipeline.programs.sources import register
from pipeline.rules.applying import apply_files, compare_files, refused_targets
from pipeline.rules.files import look_at_rules_file, named_files, rules_files
from pipeline.rules.names import names_to_wait_for
from pipeline.rules.small_files import UnreadableFileError, read_bytes
from pipeline.runtime.runtime import Runtime


class Applied(msgspec.Struct, frozen=True):
    """What applying came to: how many changes were made, and what could not be done, a line each.

    `warnings` say which names nothing has yet, and to which targets nothing is sent.
    """

    changes: int = 0
    problems: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


class RulesFiles:
    """The usual files of rules, with what they said when they were last applied by this process."""

    def __init__(self) -> None:
        """Know nothing of them yet."""
        self._applied: bytes | None = None

    def apply_if_changed(self, runtime: Runtime, now: datetime) -> Applied | None:
        """Apply the files where they say something else than last time; None where they do not.

        A mistake leaves all as it was, and is told once.
        """
        paths = rules_files(None)
        digest = _digest(paths)
        if digest == self._applied:
            return None
        self._applied = digest
        try:
            applied = _apply(runtime, paths, now)
            if applied.problems:
                # A service may answer the next time.
                self._applied = None
            return applied
        except (RulesError, TargetError) as error:
            return Applied(problems=tuple(str(error).splitlines()))


def _apply(runtime: Runtime, paths: Sequence[Path], now: datetime) -> Applied:
    files = [look_at_rules_file(path) for path in paths]
    with runtime.engine.begin() as connection:
        register(connection, runtime, now)
        by_file = compare_files(connection, runtime.vault, files)
        refused = refused_targets(connection, runtime.vault, by_file)
    changes = sum(len(each.changes) for each in by_file)
    if not changes:
        return Applied()
    problems = tuple(apply_files(runtime, by_file, now))
    with runtime.engine.connect() as connection:
        return Applied(changes, problems, (*refused, *names_to_wait_for(connection, by_file)))


def _digest(paths: Sequence[Path]) -> bytes:
    """Return what tells what the files say from what they said, with the lists and secrets that they name."""
    digest = blake2b()
    for path in (*paths, *itertools.chain.from_iterable(map(named_files, paths))):
        digest.update(f"{path}\0".encode())
        try:
            digest.update(read_bytes(path, LARGEST_LIST))
        except UnreadableFileError as error:
            digest.update(str(error).encode())
    return digest.digest()
