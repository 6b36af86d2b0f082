"""A clock that a test sets for the processes that it starts, while the machine's own stays as it is."""

import shutil
import struct
import subprocess
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

SOURCE = Path(__file__).with_suffix(".c")
WITHOUT = "there is no C compiler (`cc`), which makes what shifts the clock"


def compiler() -> str | None:
    """Return the C compiler of this machine, if there is one."""
    return shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")


class ShiftedClock:
    """The clock of processes that have its `environment`; needs a `compiler`."""

    def __init__(self, folder: Path) -> None:
        command = compiler()
        assert command, WITHOUT
        self._library, self._file = folder / "shifted_clock.so", folder / "ahead"
        subprocess.run(
            [command, "-shared", "-fPIC", "-O1", "-o", str(self._library), str(SOURCE), "-ldl"],
            check=True,
            capture_output=True,
        )
        self.ahead = timedelta(0)
        self._write()

    @property
    def environment(self) -> Mapping[str, str]:
        """The variables by which a process, and all that it starts, has this clock."""
        return {"LD_PRELOAD": str(self._library), "LOOTWIRE_TEST_CLOCK": str(self._file)}

    def jump(self, by: timedelta) -> None:
        """Set the clock of all processes that have it, in whole seconds."""
        self.ahead += by
        self._write()

    def now(self) -> datetime:
        """Return what those processes take the time to be."""
        return datetime.now(UTC) + self.ahead

    def _write(self) -> None:
        # In place, for the processes have it mapped.
        with self._file.open("r+b" if self._file.exists() else "w+b") as file:
            file.write(struct.pack("=q", round(self.ahead.total_seconds())))
