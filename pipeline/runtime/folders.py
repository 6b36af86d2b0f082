"""The data directory and the published one, looked at before anything that works with them is loaded."""

import os
import tempfile
from pathlib import Path

from feeds.write import make_folders
from models.errors import LootwireError
from pipeline.runtime.settings import Settings


def make_private(settings: Settings) -> None:
    """Create the data directory, readable by its owner alone; raises `LootwireError` where it cannot be written."""
    try:
        settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise LootwireError(
            f"cannot create {settings.data_dir}: {error.strerror}. "
            "Set LOOTWIRE_DATA_DIR to a folder that this user may write"
        ) from error
    if not os.access(settings.data_dir, os.W_OK | os.X_OK):
        raise LootwireError(
            f"cannot write to {settings.data_dir}. Set LOOTWIRE_DATA_DIR to a folder that this user may write"
        )


def try_folder(folder: Path) -> None:
    """Write a file into a folder and remove it; raises `LootwireError`, which says why that cannot be done."""
    try:
        make_folders(folder)
        with tempfile.NamedTemporaryFile(dir=folder, prefix=".doctor-") as draft:
            # On a full disk an empty file can still be made.
            draft.write(bytes(64 * 1024))
    except OSError as error:
        raise LootwireError(f"it cannot be written: {error.strerror}; see LOOTWIRE_PUBLISH_DIR") from error
