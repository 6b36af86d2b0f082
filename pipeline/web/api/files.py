"""Files as answers: what a handler returns for one, and what the document says of it."""

from collections.abc import Mapping
from pathlib import Path

import msgspec

# Whatever a service gave as a sound, no browser is to take it for a page of ours.
OF_FILES = {"X-Content-Type-Options": "nosniff", "Content-Security-Policy": "sandbox; default-src 'none'"}
# What the document says of files, and of their parts.
WHOLE: Mapping[str, Mapping[str, object]] = {"audio/*": {}, "video/*": {}, "application/octet-stream": {}}
PARTS: Mapping[str, Mapping[str, object]] = {**WHOLE, "multipart/byteranges": {}}


class FileAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What a handler returns for a file of this machine; `digest` is another one where its bytes are."""

    path: Path
    media_type: str
    digest: str

    @property
    def headers(self) -> dict[str, str]:
        """What is said of it, whether the reader has it already or not."""
        return {
            "Content-Type": self.media_type,
            "Cache-Control": "private, no-cache",
            "ETag": f'"{self.digest}"',
            **OF_FILES,
        }
