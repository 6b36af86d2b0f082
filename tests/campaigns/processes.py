"""The processes that a process has started, as /proc tells."""

from collections import defaultdict
from pathlib import Path


def children(pid: int) -> dict[int, str]:
    """The living processes that a process has started itself, with their command lines."""
    return {child: command_line(child) for child in _by_parent()[pid]}


def descendants(pid: int) -> dict[int, str]:
    """The living processes that a process has started, that these have started, and so on, with their command lines."""
    by_parent = _by_parent()
    found: dict[int, str] = {}
    unseen = [pid]
    while unseen:
        born = by_parent[unseen.pop()]
        found.update({child: command_line(child) for child in born})
        unseen += born
    return found


def living(pids: set[int]) -> set[int]:
    """Those of the processes that have not ended."""
    return {pid for pid in pids if command_line(pid)}


def command_line(pid: int) -> str:
    """A process's command line, empty when it has ended."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""


def _by_parent() -> defaultdict[int, list[int]]:
    found: defaultdict[int, list[int]] = defaultdict(list)
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue  # it has ended meanwhile
        found[parent].append(int(folder.name))
    return found
