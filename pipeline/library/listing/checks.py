"""What a library contradicts itself in, or a person may want to look at: `library check`."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Literal

import msgspec
from sqlalchemy import Connection

from pipeline.library.listing.pages import Entry, load_entries
from pipeline.library.listing.works import ListedWork, load_works

Kind = Literal["owned twice", "wished but owned", "never started", "finished without a playthrough"]
KINDS: tuple[Kind, ...] = ("owned twice", "wished but owned", "never started", "finished without a playthrough")
_OWNED = frozenset({"owned", "subscription", "shared"})


class Remark(msgspec.Struct, frozen=True, kw_only=True):
    """Something about a work, and where it is so: the stores and platforms, or the status."""

    kind: Kind
    work_id: int
    name: str
    where: str


def check_library(connection: Connection, person_id: int) -> list[Remark]:
    """Return what stands out in a person's library, kind by kind and by name; hidden games are left alone."""
    works = {work.work_id: work for work in load_works(connection, person_id) if not work.is_hidden}
    by_work: defaultdict[int, list[Entry]] = defaultdict(list)
    for entry in load_entries(connection, person_id):
        if entry.removed_at is None and entry.hidden_at is None and entry.last_seen_at is None:
            by_work[entry.work_id].append(entry)
    remarks = [remark for work_id, work in works.items() for remark in remarks_on(work, by_work[work_id])]
    return sorted(remarks, key=lambda remark: (KINDS.index(remark.kind), remark.name.casefold(), remark.work_id))


def remarks_on(work: ListedWork, entries: Sequence[Entry]) -> list[Remark]:
    """Return what stands out of one work, whose entries these are. Pure."""
    has = [entry for entry in entries if entry.ownership in _OWNED]
    wishes = [entry for entry in entries if entry.ownership == "wished"]
    remarks: list[tuple[Kind, str]] = []
    if len(has) > 1:
        remarks.append(("owned twice", ", ".join(map(_place, has))))
    if has and wishes:
        remarks.append(("wished but owned", f"owned at {_place(has[0])}, wished at {_place(wishes[0])}"))
    if work.is_never_played and work.status in {None, "backlog"}:
        remarks.append(("never started", ", ".join(map(_place, has))))
    if work.status in {"finished", "mastered"} and not work.playthroughs:
        remarks.append(("finished without a playthrough", work.status))
    return [Remark(kind=kind, work_id=work.work_id, name=work.name, where=where) for kind, where in remarks]


def _place(entry: Entry) -> str:
    return f"{entry.store} ({entry.platform})" if entry.platform else entry.store
