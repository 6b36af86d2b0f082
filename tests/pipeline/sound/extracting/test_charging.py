"""What an extraction costs a person who has a plan; of others nothing is counted."""

from collections.abc import Callable

import pytest
from sqlalchemy import func, select

from models import Extraction, LedgerEntry
from pipeline.people.store.people import add_person
from pipeline.people.store.plans import QuotaError, add_plan
from pipeline.runtime.runtime import utc_now
from pipeline.sound.store.extractions import cancel_extraction, retry_extraction
from pipeline.sound.store.plays import note_play
from tests.pipeline.people.store.people import balance_of, entries_of
from tests.pipeline.sound.extracting.conftest import Extracting


@pytest.fixture
def ada(extracting: Extracting) -> Callable[..., int]:
    """Makes a person with so many credits; each started ten minutes costs five."""

    def add(credits_: int = 20, **gauges: int) -> int:
        now = utc_now()
        with extracting.engine.begin() as connection:
            prices = {"extraction": 5, "play": 2}
            add_plan(connection, "basic", now, credits_=credits_, prices=prices, gauges=gauges)
            return add_person(connection, "ada", "member", now, plan="basic").id

    return add


def test_a_sound_costs_each_started_ten_minutes_once(extracting: Extracting, ada: Callable[..., int]) -> None:
    person_id = ada()
    extraction_id = extracting.add(extracting.server.file("/a.m4a", extracting.audio), person_id=person_id)

    assert extracting.run().outcome == "completed"

    with extracting.engine.connect() as connection:
        assert entries_of(connection, person_id)[1:] == [
            ("extraction", f"extraction:{extraction_id}", -5, 15),
            ("extraction.settled", f"extraction:{extraction_id}", 0, 15),
        ]


def test_one_that_fails_for_good_gives_it_back_and_its_retry_is_charged_anew(
    extracting: Extracting, ada: Callable[..., int]
) -> None:
    person_id = ada()
    extraction_id = extracting.add(extracting.server.file("/a.m4a", b"no sound at all" * 100), person_id=person_id)
    with extracting.engine.begin() as connection:
        connection.execute(Extraction.__table__.update().values(stage="download"))  # type: ignore[attr-defined]

    assert extracting.run().outcome == "failed"
    with extracting.engine.begin() as connection:
        assert balance_of(connection, person_id) == 20
        retry_extraction(connection, extraction_id, utc_now())
    extracting.run()

    with extracting.engine.connect() as connection:
        assert balance_of(connection, person_id) == 20
        references = [
            reference for action, reference, *_ in entries_of(connection, person_id) if action == "extraction"
        ]
    assert references == [f"extraction:{extraction_id}", f"extraction:{extraction_id}#2"]


def test_one_that_the_balance_does_not_pay_for_says_what_is_missing(
    extracting: Extracting, ada: Callable[..., int]
) -> None:
    person_id = ada(3)
    extraction_id = extracting.add(extracting.server.file("/a.m4a", extracting.audio), person_id=person_id)

    assert extracting.run().outcome == "failed"

    row = extracting.row(extraction_id)
    assert row.error_kind == "quota"
    assert "costs 5 credits and you have 3: 2 are missing" in (row.error or "")
    assert extracting.events() == ["sound.failed"]


def test_a_person_whose_sounds_take_all_that_the_plan_allows_gets_no_more(
    extracting: Extracting, ada: Callable[..., int]
) -> None:
    person_id = ada(sound_mb=0)
    extraction_id = extracting.add(extracting.server.file("/a.m4a", extracting.audio), person_id=person_id)

    assert extracting.run().outcome == "failed"

    assert "0 MB that your plan allows" in (extracting.row(extraction_id).error or "")
    with extracting.engine.connect() as connection:
        assert balance_of(connection, person_id) == 20


def test_one_that_is_cancelled_gives_back_what_was_reserved(extracting: Extracting, ada: Callable[..., int]) -> None:
    person_id = ada()
    extraction_id = extracting.add(extracting.server.status("/a.m4a", 503), person_id=person_id)
    with extracting.engine.begin() as connection:
        connection.execute(Extraction.__table__.update().values(stage="download"))  # type: ignore[attr-defined]
    assert extracting.run().outcome == "put off"

    with extracting.engine.begin() as connection:
        assert balance_of(connection, person_id) == 15
        cancel_extraction(connection, extraction_id, utc_now())
        assert balance_of(connection, person_id) == 20


def test_a_play_costs_its_price(extracting: Extracting, ada: Callable[..., int]) -> None:
    person_id = ada(8)
    extracting.add(extracting.server.file("/a.m4a", extracting.audio), person_id=person_id)
    extracting.run()
    with extracting.engine.begin() as connection:
        note_play(connection, [1], person_id, "command", utc_now())
        assert balance_of(connection, person_id) == 1

    with pytest.raises(QuotaError, match="costs 2 credits and you have 1"), extracting.engine.begin() as connection:
        note_play(connection, [1], person_id, "command", utc_now())


def test_without_a_plan_nothing_is_counted(extracting: Extracting) -> None:
    extracting.add(extracting.server.file("/a.m4a", extracting.audio))
    extracting.run()

    with extracting.engine.connect() as connection:
        assert connection.scalar(select(func.count()).select_from(LedgerEntry)) == 0
