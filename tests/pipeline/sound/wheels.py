"""Wheels of yt-dlp that tests write themselves."""

import zipfile
from pathlib import Path

NEWER = "2099.1.2"


def wheel(folder: Path, its_version: str, code: str = "") -> Path:
    """Write a wheel of a yt-dlp that can do nothing but say its version."""
    path = folder / f"yt_dlp-{its_version}-py3-none-any.whl"
    about = f"yt_dlp-{its_version}.dist-info"
    files = {
        "yt_dlp/__init__.py": f"from yt_dlp import version\n{code}\n",
        "yt_dlp/version.py": f"__version__ = {its_version!r}\n",
        f"{about}/METADATA": f"Metadata-Version: 2.1\nName: yt-dlp\nVersion: {its_version}\n",
        f"{about}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{name},,\n" for name in (*files, f"{about}/RECORD"))
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in {**files, f"{about}/RECORD": record}.items():
            archive.writestr(name, content)
    return path
