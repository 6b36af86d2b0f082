"""What each target is sent and when: rules, what happens, and the messages, one story after the other."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from models.vault import Vault
from tests.databases import Databases
from tests.notifiers.cases import CASES, Case
from tests.notifiers.stories import Story, story


@pytest.fixture(scope="module")
def shared(databases: Databases) -> Iterator[Engine]:
    """One database for all stories: each leaves it as it was."""
    with databases.new() as engine:
        yield engine


def written(told: Story) -> list[str]:
    """Return the messages that were sent as a case writes them."""
    return [f"{sent.target} {told.shown(sent.at)}: {', '.join(sent.titles)}" for sent in told.sent]


def test_there_are_eighty_cases() -> None:
    assert len(CASES) >= 80
    assert len({case.sentence for case in CASES}) == len(CASES)


@pytest.mark.parametrize("case", [pytest.param(case, id=case.sentence) for case in CASES])
def test_a_case_goes_as_it_is_written(shared: Engine, vault: Vault, tmp_path: Path, case: Case) -> None:
    with story(shared, vault, tmp_path, case.zone) as told:
        told.now = told.at(case.story.split(maxsplit=1)[0] + " 00:00")
        told.rules(case.rules)
        told.tell(case.story, case.later)
        assert written(told) == [line.strip() for line in case.messages.strip().splitlines()]
