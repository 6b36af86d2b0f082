"""Real payloads, which are the full-size input where this machine has them."""

from pathlib import Path

from bench.results import NoRecording

RECORDINGS = Path(__file__).resolve().parents[2] / "shared" / "recordings"


def existing(path: Path) -> Path:
    """Return the path; raises `NoRecording` where there is no such file."""
    if not path.exists():
        raise NoRecording(f"needs {path}, which is not here; --tiny makes its own data")
    return path
