"""What stands out in a library."""

from models.people import OWNER_ID
from pipeline.library.journal.states import Wish, set_state
from pipeline.library.listing.checks import check_library
from tests.pipeline.library.shelf import Shelf


def test_what_stands_out_is_named_kind_by_kind(shelf: Shelf) -> None:
    twice, wished, finished, hidden = (
        shelf.game(name, number) for number, name in enumerate(("Ico", "Rez", "Okami", "Tool"), 1)
    )
    shelf.entry(twice, "steam", playtime_seconds=60)
    shelf.entry(twice, "gog")
    shelf.entry(wished, "gog")
    shelf.entry(wished, "steam", ownership="wished")
    shelf.entry(finished)
    shelf.entry(hidden, "steam", hidden_at=shelf.now)
    shelf.entry(hidden, "gog", hidden_at=shelf.now)
    with shelf.turn() as connection:
        set_state(connection, OWNER_ID, finished.work_id, Wish(values={"status": "finished"}), shelf.now)

    with shelf.engine.connect() as connection:
        remarks = [(each.kind, each.name, each.where) for each in check_library(connection, OWNER_ID)]
    assert remarks == [
        ("owned twice", "Ico", "steam (PC), gog (PC)"),
        ("wished but owned", "Rez", "owned at gog (PC), wished at steam (PC)"),
        ("never started", "Rez", "gog (PC)"),
        ("finished without a playthrough", "Okami", "finished"),
    ]
