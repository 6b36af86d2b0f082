"""What this program writes is for its own user alone, whatever umask the program was started with."""

import os

PRIVATE_FILE = 0o600
_OWNER_ALONE = 0o077


def keep_files_private() -> None:
    """Have this process, and all that it starts, make files and folders that no other user may read or write.

    Every entry point calls it first. What is published gets its modes one by one (feeds/write.py).
    """
    os.umask(_OWNER_ALONE)
