"""Open a file below a folder: to read it alone, and without following a link on the way."""

import ctypes
import errno
import os
import stat
import sys

_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
# A reading leaves no trace in the file's time of access. Linux alone has this.
_NO_ACCESS_TIME: int = getattr(os, "O_NOATIME", 0)


class _How(ctypes.Structure):
    """The kernel's `struct open_how`: https://man7.org/linux/man-pages/man2/openat2.2.html."""

    _fields_ = (("flags", ctypes.c_uint64), ("mode", ctypes.c_uint64), ("resolve", ctypes.c_uint64))


# RESOLVE_NO_SYMLINKS and RESOLVE_BENEATH.
_HOW = _How(_FILE | _NO_ACCESS_TIME, 0, 0x04 | 0x08)
# The call's number is the same on all of Linux's processors but Alpha; Python has no name for it.
_OPENAT2 = 437


def open_below(root: int, path: bytes) -> tuple[int, os.stat_result]:
    """Return a descriptor of the regular file at `path`, relative to the open folder `root`, and the file's status.

    The caller closes it. No link is followed, whenever it was put there, and a path may be longer than the system's
    4,096 bytes. Raises `OSError`, also for a link, a pipe or a device.
    """
    file = _open_at_once(root, path)
    if file < 0:
        file = _open_step_by_step(root, path)
    status = os.fstat(file)
    if not stat.S_ISREG(status.st_mode):
        os.close(file)
        raise OSError(errno.EINVAL, "not a regular file")
    return file, status


if sys.platform == "linux":
    _syscall = ctypes.CDLL(None).syscall
    _syscall.restype = ctypes.c_long
    _syscall.argtypes = (ctypes.c_long, ctypes.c_int, ctypes.c_char_p, ctypes.c_void_p, ctypes.c_size_t)

    def _open_at_once(root: int, path: bytes) -> int:
        """Return a descriptor, or a negative number where the kernel refuses: the way by steps says why."""
        if b"\0" in path:
            return -1
        descriptor: int = _syscall(_OPENAT2, root, path, ctypes.byref(_HOW), ctypes.sizeof(_HOW))
        return descriptor

else:

    def _open_at_once(root: int, path: bytes) -> int:  # noqa: ARG001 - other systems have no such call
        return -1


def _open_step_by_step(root: int, path: bytes) -> int:
    *between, name = path.split(b"/")
    at = root
    try:
        for part in between:
            within = _open_part(part, _FOLDER, at)
            if at != root:
                os.close(at)
            at = within
        try:
            return _open_part(name, _FILE | _NO_ACCESS_TIME, at)
        except PermissionError:
            # Only a file's owner may leave its time of access as it was.
            return _open_part(name, _FILE, at)
    finally:
        if at != root:
            os.close(at)


def _open_part(part: bytes, flags: int, at: int) -> int:
    if part in {b"", b".", b".."} or b"\0" in part:
        raise OSError(errno.EINVAL, "not a path below the folder")
    try:
        return os.open(part, flags, dir_fd=at)
    except OSError as error:
        if error.errno in {errno.ELOOP, errno.ENOTDIR}:
            raise OSError(error.errno, "a link, or something else in place of a folder, is on the way") from error
        raise
