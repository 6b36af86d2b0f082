"""The data directory, looked at before anything that works with it is loaded."""

import os

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
