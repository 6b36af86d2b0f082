"""The names of files, without folders and endings. Pure."""

import re

_FOLDERS = re.compile(r".*[/\\]", re.DOTALL)
# As long as endings are; what follows the point of "Dr. Mario" is none.
_ENDING = re.compile(r"\.[A-Za-z0-9_]{1,8}$")


def base_of(path: str) -> str:
    """Return the name of a file, whichever way its folders are written."""
    return _FOLDERS.sub("", path)


def stem_of(path: str) -> str:
    """Return the name of a file without its ending; of a member of an archive (`pack.zip: member.dat`) the member's."""
    base = base_of(path.rpartition(": ")[2])
    return _ENDING.sub("", base) or base
