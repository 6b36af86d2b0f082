"""The inputs at which a parser was at fault, one of each kind, kept in a folder."""

import traceback
from hashlib import blake2b
from pathlib import Path


class Faults:
    """Faults by where they were raised: a second input of the same kind is no news."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "faults"
        self._known: set[str] = set()

    def keep(self, data: bytes, fault: BaseException) -> None:
        """Write an input down, with what the parser raised, if it is the first of its kind."""
        kind = kind_of(fault)
        if kind in self._known:
            return
        self._known.add(kind)
        self._folder.mkdir(parents=True, exist_ok=True)
        name = blake2b(kind.encode(), digest_size=6).hexdigest()
        (self._folder / f"{name}.input").write_bytes(data)
        (self._folder / f"{name}.txt").write_text(f"{kind}\n{fault!r}\n", "utf-8", "backslashreplace")

    def listed(self) -> list[str]:
        """Return what kinds there are, those of earlier runs too."""
        return [path.read_text("utf-8").splitlines()[0] for path in sorted(self._folder.glob("*.txt"))]


def kind_of(fault: BaseException) -> str:
    """Return the error's type with the last line of the product's that it passed."""
    frames = traceback.extract_tb(fault.__traceback__)
    own = [frame for frame in frames if "/tests/" not in frame.filename and "site-packages" not in frame.filename]
    frame = (own or frames)[-1]
    return f"{type(fault).__name__} in {Path(frame.filename).name}, line {frame.lineno}: {fault}"[:200]
