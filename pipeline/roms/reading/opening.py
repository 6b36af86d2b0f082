"""Open a file below a folder: to read it alone, and without following a link on the way."""

import errno
import os
import stat

_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
# A reading leaves no trace in the file's time of access. Linux alone has this.
_NO_ACCESS_TIME: int = getattr(os, "O_NOATIME", 0)


def open_below(root: int, path: bytes) -> int:
    """Return a descriptor of the regular file at `path`, relative to the open folder `root`; the caller closes it.

    Each folder on the way is opened by itself, so that no link is followed, whenever it was put there, and a path may
    be longer than the system's 4,096 bytes. Raises `OSError`, also for a link, a pipe or a device.
    """
    *between, name = path.split(b"/")
    at = root
    try:
        for part in between:
            if part in {b"", b".", b".."}:
                raise OSError(errno.EINVAL, "not a path below the folder")
            within = os.open(part, _FOLDER, dir_fd=at)
            if at != root:
                os.close(at)
            at = within
        return _open_file(at, name)
    finally:
        if at != root:
            os.close(at)


def _open_file(folder: int, name: bytes) -> int:
    # Without O_NONBLOCK the mere opening of a pipe waits for a writer.
    try:
        descriptor = os.open(name, _FILE | _NO_ACCESS_TIME, dir_fd=folder)
    except PermissionError:
        # Only a file's owner may leave its time of access as it was.
        descriptor = os.open(name, _FILE, dir_fd=folder)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "not a regular file")
    return descriptor
