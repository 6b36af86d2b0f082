"""Read every version of one file from a git history, oldest first, through one `git cat-file --batch`."""

import hashlib
import os
import re
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import IO

import msgspec
from sqlalchemy import Connection, select
from sqlalchemy.dialects.postgresql import insert

from models import Heartbeat
from models.errors import LootwireError, UsageError
from pipeline.fetch.limits import TooMuch
from pipeline.importer.entries import Entry, modified, problem
from pipeline.importer.limits import MAX_BYTES
from pipeline.importer.streams import unpack
from pipeline.importer.times import Moment
from pipeline.importer.walking import shown

# A repository may be hostile: none of its settings may start a program (hooks, pagers, signature checks, fetching
# missing objects from remotes). Only plumbing is called, which knows neither aliases nor `log.*`.
_OPTIONS = ("--no-pager", "--literal-pathspecs", "-c", "safe.directory=*", "-c", "core.fsmonitor=false")
_SURROUNDINGS = {
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_ATTR_NOSYSTEM": "1",
    "GIT_ALLOW_PROTOCOL": "none",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
    "LC_ALL": "C",
}
_MOST_COMMITS = 1_000_000
_TICK = timedelta(microseconds=1)
_CHUNK = 2**20


class Commit(msgspec.Struct, frozen=True):
    """A commit that touched the file, and the time at which its content counts as taken."""

    name: str
    at: datetime


class History:
    """The versions of one file in a repository, bare or not; raises `LootwireError` where there are none.

    A version was taken when it was committed; commits of one second follow each other by a microsecond.
    """

    def __init__(self, repository: Path, path: str) -> None:
        self._repository = repository
        self._path = os.path.normpath(path)
        if self._path.startswith(("/", "..")) or "\n" in self._path or self._path == ".":
            raise UsageError(f"--path {shown(path)}: give the file's path inside the repository, such as drops.json")
        self.commits = self._list()
        # Named by its history and not by its folder: an import of another clone goes on where this one stopped.
        first = f"{self.commits[0].name}\0{self._path}"
        self.name = f"import of {hashlib.blake2b(first.encode(errors='replace'), digest_size=8).hexdigest()}"

    def imported_until(self, connection: Connection) -> datetime | None:
        """Return the time of the last commit that an earlier import took in."""
        return connection.scalar(select(Heartbeat.at).where(Heartbeat.name == self.name))

    def entries(self, after: datetime | None = None) -> Iterator[Entry]:
        """Yield the versions committed after a time that differ from the one before, oldest first."""
        commits = [commit for commit in self.commits if after is None or commit.at > after]
        while commits:
            read = 0
            with tempfile.TemporaryFile() as complaints:
                for entry in self._versions(commits, complaints):
                    read += 1
                    if entry is not None:
                        yield entry
                complaints.seek(0)
                complaint = _last_line(complaints.read())
            if read < len(commits):
                # A damaged object ends the git process; a new one reads what follows.
                yield self._settling(problem(self._name_of(commits[read]), complaint), commits[read])
            commits = commits[read + 1 :]

    def _versions(self, commits: Sequence[Commit], complaints: IO[bytes]) -> Iterator[Entry | None]:
        """Yield an entry for each commit, None where it brings nothing new; ends early where git does."""
        last_blob = None
        with self._start("cat-file", "--batch", stdin=subprocess.PIPE, stderr=complaints) as git:
            if git.stdin is None or git.stdout is None:
                return
            try:
                self._ask(git.stdin, commits[0])
                for number, commit in enumerate(commits):
                    if number + 1 < len(commits):
                        # One ahead, so that git unpacks the next version while this one is stored.
                        self._ask(git.stdin, commits[number + 1])
                    blob, size = _header(git.stdout)
                    yield self._version(commit, size, git.stdout, new=blob != last_blob)
                    last_blob = blob
            except (EOFError, BrokenPipeError):
                return
            finally:
                git.kill()

    def _version(self, commit: Commit, size: int | None, answers: IO[bytes], *, new: bool) -> Entry | None:
        if size is None:
            return self._missing(commit)
        if not new or size > MAX_BYTES:
            _skip(answers, size)
            if not new:
                return None
            refused = TooMuch(f"{size:,} bytes: larger than {MAX_BYTES // 2**20} MiB")
            return self._settling(problem(self._name_of(commit), refused), commit)
        payload = _exactly(answers, size + 1)[:-1]
        entry = Entry(path=self._name_of(commit), moment=None, modified_at=commit.at, read=lambda: unpack(payload))
        return self._settling(entry, commit)

    def _missing(self, commit: Commit) -> Entry | None:
        """Return None where the commit removed the file, and an entry that says so where its object is damaged."""
        with tempfile.TemporaryFile() as complaints:
            arguments = ("rev-parse", "--verify", "--quiet", "--end-of-options", f"{commit.name}:{self._path}")
            with self._start(*arguments, stderr=complaints) as git:
                blob, _ = git.communicate()
        if not blob:
            return None
        damaged = f"the object {blob.decode().strip()} is missing or damaged"
        return self._settling(problem(self._name_of(commit), damaged), commit)

    def _settling(self, entry: Entry, commit: Commit) -> Entry:
        def settle(connection: Connection) -> None:
            row = insert(Heartbeat).values(name=self.name, at=commit.at)
            connection.execute(row.on_conflict_do_update(index_elements=[Heartbeat.name], set_={"at": commit.at}))

        return msgspec.structs.replace(entry, moment=Moment(commit.at, commit.at), settle=settle)

    def _name_of(self, commit: Commit) -> str:
        return f"{shown(self._repository)}:{commit.name[:12]}:{shown(self._path)}"

    def _ask(self, requests: IO[bytes], commit: Commit) -> None:
        requests.write(f"{commit.name}:{self._path}\n".encode(errors="surrogateescape"))
        requests.flush()

    def _list(self) -> list[Commit]:
        limit = f"--max-count={_MOST_COMMITS}"
        arguments = ("rev-list", "--topo-order", "--reverse", "--timestamp", limit, "HEAD", "--", self._path)
        with tempfile.TemporaryFile() as complaints, self._start(*arguments, stderr=complaints) as git:
            listed, _ = git.communicate()
            complaints.seek(0)
            complaint = _last_line(complaints.read())
        if git.returncode:
            raise UsageError(f"--git {shown(self._repository)}: {_explained(complaint)}")
        commits: list[Commit] = []
        # Stable: commits of one second stay in the order of their history.
        for seconds, name in sorted((_pair(line) for line in listed.decode().splitlines()), key=lambda pair: pair[0]):
            at = modified(seconds)
            commits.append(Commit(name, max(at, commits[-1].at + _TICK) if commits else at))
        if not commits:
            raise UsageError(f"--git {shown(self._repository)}: no commit has a file {shown(self._path)}")
        return commits

    def _start(self, *arguments: str, stdin: int = subprocess.DEVNULL, stderr: IO[bytes]) -> "subprocess.Popen[bytes]":
        folder = self._repository.expanduser().absolute()
        if not folder.is_dir():
            raise UsageError(f"--git {shown(self._repository)}: no such folder")
        # The ceiling: a folder inside another repository is no repository itself.
        environment = {
            "PATH": os.environ.get("PATH", os.defpath),
            "GIT_CEILING_DIRECTORIES": str(folder.resolve().parent),
            **_SURROUNDINGS,
        }
        try:
            return subprocess.Popen(
                ["git", *_OPTIONS, *arguments],
                cwd=folder.resolve(),
                env=environment,
                stdin=stdin,
                stdout=subprocess.PIPE,
                stderr=stderr,
            )
        except FileNotFoundError as error:
            raise LootwireError("--git needs the program git, which is not installed (or not in PATH)") from error


def _pair(line: str) -> tuple[int, str]:
    seconds, name = line.split()
    return int(seconds), name


def _header(answers: IO[bytes]) -> tuple[bytes, int | None]:
    """Return the blob's name and size from the line before its content; no size where there is no such file."""
    line = answers.readline()
    if not line.endswith(b"\n"):
        raise EOFError
    fields = line.split(b" ")
    if len(fields) != 3 or not re.fullmatch(rb"[0-9]{1,18}", fields[2].strip()):
        return b"", None
    if fields[1] != b"blob":
        _skip(answers, int(fields[2]))
        return b"", None
    return fields[0], int(fields[2])


def _exactly(stream: IO[bytes], size: int) -> bytes:
    data = stream.read(size)
    if len(data) < size:
        raise EOFError
    return data


def _skip(stream: IO[bytes], size: int) -> None:
    left = size + 1  # and the line feed after the content
    while left:
        left -= len(_exactly(stream, min(left, _CHUNK)))


def _explained(complaint: str) -> str:
    if "not a git repository" in complaint:
        return "not a git repository"
    if "ambiguous argument 'HEAD'" in complaint or "bad revision 'HEAD'" in complaint:
        return "a git repository without commits"
    return complaint


def _last_line(output: bytes) -> str:
    lines = output.decode(errors="replace").strip().splitlines()
    return shown(lines[-1].removeprefix("fatal: ")) if lines else "git ended without saying why"
