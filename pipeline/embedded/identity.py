"""The account that PostgreSQL runs under, since it refuses to run as root.

A plain user runs it as themselves. Root runs it in a user namespace of its own, where root appears as an ordinary
account and the files stay root's; where the kernel refuses that, as in many containers, as user `nobody` in a group of
its own. Without that group no process of `nobody` gets past the data directory, and the kernel lets none look into the
memory of another that is not in its own group.
"""

import contextlib
import ctypes
import grp
import os
import pwd
import subprocess
import sys
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

from pipeline.embedded.layout import EmbeddedError

_CLONE_NEWUSER = 0x10000000
# No distribution gives the first of these to anybody: https://systemd.io/UIDS-GIDS/. The others are for containers
# that have fewer numbers.
_FREE_GROUPS = (range(60578, 61184), range(60577, 1000, -1))
# The folder is root's, and only users of its group may pass through it.
_GATE = 0o710


class Identity(NamedTuple):
    """The user that owns PostgreSQL's files, and how a child process becomes that user."""

    uid: int
    gid: int
    becomes_other_user: bool = False
    appears_as: tuple[int, int] | None = None

    def popen_options(self) -> dict[str, Any]:
        """Return the arguments of `subprocess.Popen` that change the user."""
        if not self.becomes_other_user:
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": []}

    def enter(self) -> None:
        """Enter the user namespace, if this identity has one; call between fork and exec."""
        if self.appears_as is not None:
            _enter_namespace(*self.appears_as)

    def can_run(self, program: Path) -> bool:
        """Whether this identity can reach and execute a program, or enter a folder."""
        test = ["/bin/sh", "-c", 'test -x "$1"', "sh", str(program)]
        return subprocess.run(test, cwd="/", check=False, **self.popen_options()).returncode == 0

    def adopt(self, folder: Path) -> None:
        """Give a folder and all in it to this identity, if root left it to another one."""
        if (
            os.geteuid() != 0
            or not folder.exists()
            or (folder.stat().st_uid, folder.stat().st_gid)
            == (
                self.uid,
                self.gid,
            )
        ):
            return
        # The folder itself comes last: until then its owner says that the work is not done.
        for path in [*folder.rglob("*"), folder]:
            os.chown(path, self.uid, self.gid, follow_symlinks=False)

    def let_through(self, folder: Path) -> None:
        """Let this identity, and no other user, pass through a folder of ours to what in it is its own."""
        os.chown(folder, os.geteuid(), self.gid)
        folder.chmod(_GATE)


def postgres_identity() -> Identity:
    """Return the identity that PostgreSQL can run under for the user that this process has."""
    uid, gid = os.geteuid(), os.getegid()
    # initdb wants its user to have a name, which an arbitrary container user may not have.
    if uid != 0 and _has_name(uid):
        return Identity(uid, gid)
    account = _unprivileged_account()
    namespaced = Identity(uid, gid, appears_as=(account.pw_uid, account.pw_gid))
    if os.environ.get("LOOTWIRE_NO_USERNS") != "1" and _works(namespaced):
        return namespaced
    if uid == 0:
        return Identity(account.pw_uid, _group_of_its_own(), becomes_other_user=True)
    return Identity(uid, gid)


def _group_of_its_own() -> int:
    taken = {group.gr_gid for group in grp.getgrall()}
    known = _known_groups()
    for number in chain(*_FREE_GROUPS):
        if number not in taken and any(number in each for each in known):
            return number
    raise EmbeddedError(
        "PostgreSQL will not run as root, and no group is free for it. Run Lootwire as an ordinary user."
    )


def _known_groups() -> list[range]:
    """Return the numbers of groups that there are in this container; on a machine all of them."""
    try:
        lines = [line.split() for line in Path("/proc/self/gid_map").read_text().splitlines()]
    except OSError:
        return [range(2**31)]
    return [range(int(first), int(first) + int(count)) for first, _, count in lines]


def _has_name(uid: int) -> bool:
    try:
        return bool(pwd.getpwuid(uid).pw_name)
    except KeyError:
        return False


def _unprivileged_account() -> pwd.struct_passwd:
    name = os.environ.get("LOOTWIRE_POSTGRES_USER", "nobody")
    accounts = {account.pw_name: account for account in pwd.getpwall() if account.pw_uid != 0}
    if name not in accounts:
        raise EmbeddedError(
            f"PostgreSQL will not run as root, and there is no user {name!r}. Run Lootwire as an ordinary user, or "
            "set LOOTWIRE_POSTGRES_USER to one."
        )
    return accounts[name]


def _works(identity: Identity) -> bool:
    if sys.platform != "linux":
        return False
    try:
        # The host has one thread, so code between fork and exec is safe; nothing else can enter a namespace there.
        test = subprocess.run(["/bin/true"], preexec_fn=identity.enter, timeout=20, check=False)
    except (OSError, subprocess.SubprocessError):
        return False
    return test.returncode == 0


def _enter_namespace(uid: int, gid: int) -> None:
    outer_uid, outer_gid = os.geteuid(), os.getegid()
    if ctypes.CDLL(None, use_errno=True).unshare(_CLONE_NEWUSER) != 0:
        raise OSError(ctypes.get_errno(), "unshare")
    Path("/proc/self/uid_map").write_text(f"{uid} {outer_uid} 1\n")
    with contextlib.suppress(OSError):
        # Without privileges the kernel accepts a group map only once setgroups is given up.
        Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/gid_map").write_text(f"{gid} {outer_gid} 1\n")
