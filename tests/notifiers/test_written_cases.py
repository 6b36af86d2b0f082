"""What each target is sent and when: rules, what happens, and the messages, one story after the other."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from models.vault import Vault
from notifiers import targets
from notifiers.rehearsal import rehearse_target
from tests.databases import Databases
from tests.notifiers.cases import CASES, Case
from tests.notifiers.stories import Story, new_story

# A rehearsal knows the rules and mutes of now alone, and no failure.
NOT_REHEARSED = {"apply", "zone", "pause", "resume", "unmute", "refused", "dies", "follow"}


def is_rehearsed(case: Case) -> bool:
    words = {line.split()[2] for line in case.story.splitlines()}
    return "silent" not in case.story and not words & NOT_REHEARSED


@pytest.fixture(scope="module")
def shared(databases: Databases) -> Iterator[Engine]:
    """One database for all stories: each leaves it as it was."""
    with databases.new() as engine:
        yield engine


def written(story: Story) -> list[str]:
    """Return the messages that were sent as a case writes them."""
    return [f"{sent.target} {story.shown(sent.at)}: {', '.join(sent.titles)}" for sent in story.sent]


def rehearsed(story: Story, target: str) -> list[tuple[str, list[str]]]:
    """Return when a target would have been sent which titles, as the command says."""
    messages: dict[int, tuple[str, list[str]]] = {}
    for line in rehearse_target(story.connection, target, None, story.now):
        if line.message is not None and line.sent_at is not None:
            messages.setdefault(line.message, (story.shown(line.sent_at), []))[1].append(line.title)
    return list(messages.values())


def sent(story: Story, target: str) -> list[tuple[str, list[str]]]:
    return [(story.shown(sent.at), list(sent.titles)) for sent in story.sent if sent.target == target]


def test_there_are_eighty_cases() -> None:
    assert len(CASES) >= 80
    assert len({case.sentence for case in CASES}) == len(CASES)


@pytest.mark.parametrize("case", [pytest.param(case, id=case.sentence) for case in CASES])
def test_a_case_goes_as_it_is_written(shared: Engine, vault: Vault, tmp_path: Path, case: Case) -> None:
    with new_story(shared, vault, tmp_path, case.zone) as story:
        story.now = story.at(case.story.split(maxsplit=1)[0] + " 00:00")
        story.rules(case.rules)
        story.tell(case.story, case.later)
        assert written(story) == [line.strip() for line in case.messages.strip().splitlines()]
        if is_rehearsed(case):
            for target in targets.list_targets(story.connection):
                assert sorted(rehearsed(story, target.name)) == sorted(sent(story, target.name))


def test_most_cases_are_rehearsed() -> None:
    assert sum(map(is_rehearsed, CASES)) > 70
