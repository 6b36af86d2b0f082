"""Makes yt-dlp go on with streams in parts (HLS, DASH) after a kill at any moment. For the child alone.

yt-dlp appends a part to the file and then notes that it did (`.ytdl`). Killed in between, it appends the part again;
out of room in the middle of it, it notes the part that is half there; killed after the last part, it takes the whole
file for the beginning of one. So the note holds the size too, and what is beyond it is cut off first.
"""

import json
import os
from pathlib import Path
from typing import Any

from yt_dlp.downloader.fragment import FragmentFD

_OWN = "lootwire_size"


def mend_resuming() -> None:
    """Replace what yt-dlp 2026.10 does there; raises `AttributeError` where a newer one has no such methods."""
    prepare = FragmentFD._prepare_frag_download  # noqa: SLF001 - there is no public way
    _ = FragmentFD._append_fragment, FragmentFD._write_ytdl_file  # noqa: SLF001

    def prepare_frag_download(self: Any, ctx: dict[str, Any]) -> None:
        part, note = Path(self.temp_name(ctx["filename"])), Path(self.ytdl_filename(ctx["filename"]))
        ctx[_OWN] = cut_back(part, note)
        prepare(self, ctx)

    def append_fragment(self: Any, ctx: dict[str, Any], content: bytes) -> None:
        stream = ctx["dest_stream"]
        stream.write(content)
        stream.flush()
        ctx[_OWN] = os.fstat(stream.fileno()).st_size
        self._write_ytdl_file(ctx)
        self.try_remove(ctx.pop("fragment_filename_sanitized"))

    def write_ytdl_file(self: Any, ctx: dict[str, Any]) -> None:
        downloader: dict[str, Any] = {"current_fragment": {"index": ctx["fragment_index"]}, _OWN: ctx.get(_OWN, 0)}
        downloader |= {name: ctx[name] for name in ("extra_state", "fragment_count") if ctx.get(name) is not None}
        note = Path(self.ytdl_filename(ctx["filename"]))
        draft = note.with_name(f"{note.name}.draft")
        draft.write_text(json.dumps({"downloader": downloader}), encoding="utf-8")
        draft.replace(note)

    for method in (prepare_frag_download, append_fragment, write_ytdl_file):
        setattr(FragmentFD, f"_{method.__name__}", method)


def cut_back(part: Path, note: Path) -> int:
    """Cut a file to the size that its note names, and return that; without a note that fits, remove both."""
    try:
        size = int(json.loads(note.read_text(encoding="utf-8"))["downloader"][_OWN])
        if part.stat().st_size >= size:
            os.truncate(part, size)
            return size
    except (OSError, ValueError, KeyError, TypeError):
        pass
    part.unlink(missing_ok=True)
    note.unlink(missing_ok=True)
    return 0
