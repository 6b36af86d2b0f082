"""A newer yt-dlp than the installed one, in the data directory: the child that fetches looks there first."""

import importlib.metadata
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tempfile
from datetime import date
from pathlib import Path

import msgspec

from models.errors import LootwireError, UsageError

# Below the data directory; a folder of it is a version's, `2026.10.26`.
FOLDER = Path("sounds") / "extractors"
SECONDS = 300
_VERSION = re.compile(r"\d+(?:\.\d+){1,5}")
# That it can be loaded, and what it calls itself.
_TRY = "import sys; sys.path.insert(0, sys.argv[1]); import yt_dlp; print(yt_dlp.version.__version__)"


class Extractors(msgspec.Struct, frozen=True, kw_only=True):
    """A yt-dlp: its version (`2026.10.26`), and its folder where it is not the installed one."""

    version: str
    folder: Path | None = None


def newest(data_dir: Path) -> Extractors | None:
    """Return the newest yt-dlp that there is here, None where the group `sound` is not installed."""
    installed = _installed()
    if installed is None:
        return None
    folders = [path for path in (data_dir / FOLDER).glob("*") if _VERSION.fullmatch(path.name)]
    newer = max(folders, key=lambda path: _numbers(path.name), default=None)
    if newer is None or _numbers(newer.name) <= _numbers(installed):
        return Extractors(version=installed)
    return Extractors(version=newer.name, folder=newer)


def days_old(version: str, today: date) -> int | None:
    """Return how many days ago a yt-dlp of a version was published, which is its day; None for what is no day."""
    numbers = _numbers(version) if _VERSION.fullmatch(version) else ()
    try:
        return (today - date(*numbers[:3])).days
    except (TypeError, ValueError):
        return None


def update(data_dir: Path, wheel: Path | None = None) -> Extractors:
    """Fetch the newest yt-dlp of the package index, or take a wheel's file; try it, and keep it where it is newer.

    Return the newest one that there is then. The package index is the one that uv or pip is set to. A download that
    runs meanwhile goes on with the one that it began with: older folders than the last two are removed.

    Raises:
        UsageError: the wheel is no file of yt-dlp.
        LootwireError: neither uv nor pip is there, the index cannot be reached, or what came cannot be loaded.

    """
    before = newest(data_dir)
    if before is None:
        raise LootwireError("yt-dlp is not installed: uv sync without --no-group sound installs it")
    if wheel is not None and not (wheel.is_file() and re.match(r"yt[_-]dlp-.*\.whl$", wheel.name)):
        raise UsageError(f"{wheel} is no wheel of yt-dlp: its name is yt_dlp-VERSION-py3-none-any.whl")
    folder = data_dir / FOLDER
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    # What a killed update has left.
    for left in folder.glob(".new-*"):
        shutil.rmtree(left, ignore_errors=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".new-") as draft:
        _install(Path(draft), wheel)
        version = _tried(Path(draft))
        if _numbers(version) > _numbers(before.version):
            Path(draft).rename(folder / version)
            # What `with` removes at its end.
            Path(draft).mkdir()
    after = newest(data_dir) or before
    _forget_old(folder)
    return after


def _install(draft: Path, wheel: Path | None) -> None:
    # Alone, a wheel brings no more than itself: without the index, the rest of the group is the installed one.
    wanted = ["--no-deps", "--no-index", os.fspath(wheel.absolute())] if wheel is not None else ["yt-dlp[default]"]
    options = ["--quiet", "--only-binary", ":all:", "--upgrade", "--target", os.fspath(draft)]
    try:
        done = subprocess.run(
            [*_installer(), *options, *wanted],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise LootwireError(f"the package index did not answer within {SECONDS} seconds: try again later") from error
    if done.returncode:
        raise LootwireError(
            f"{wheel} could not be installed: is it the whole file?"
            if wheel is not None
            else "the newest yt-dlp could not be fetched from the package index: look whether this machine reaches it, "
            "or bring a wheel yourself and name its file by --wheel"
        )


def _installer() -> list[str]:
    """Return the beginning of the command that installs: that of uv, which installed Lootwire, else of pip."""
    if (uv := shutil.which("uv")) is not None:
        return [uv, "pip", "install", "--python", sys.executable]
    if importlib.util.find_spec("pip") is not None:
        return [sys.executable, "-m", "pip", "install", "--disable-pip-version-check"]
    raise LootwireError("neither uv nor pip is there to fetch yt-dlp: install uv, or uv sync --upgrade-package yt-dlp")


def _tried(draft: Path) -> str:
    """Return the version of what was installed, loaded as the child will; raises `LootwireError` where that fails."""
    done = subprocess.run(
        [sys.executable, "-I", "-c", _TRY, os.fspath(draft)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=SECONDS,
        check=False,
        text=True,
    )
    version = done.stdout.strip()
    if done.returncode or not _VERSION.fullmatch(version):
        raise LootwireError("the yt-dlp that came cannot be loaded by this Python: the one before it stays")
    return version


def _installed() -> str | None:
    try:
        return importlib.metadata.version("yt-dlp")
    except importlib.metadata.PackageNotFoundError:
        return None


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", version))


def _forget_old(folder: Path) -> None:
    kept = sorted((path for path in folder.glob("*") if _VERSION.fullmatch(path.name)), key=lambda p: _numbers(p.name))
    for path in kept[:-2]:
        shutil.rmtree(path, ignore_errors=True)
