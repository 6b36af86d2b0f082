"""Importing the history of one file in a git repository."""

import os
import shutil
import subprocess
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from models import DropCampaign, Event, Heartbeat
from models.errors import LootwireError
from pipeline.importer.history import History
from pipeline.importer.run import Summary, import_paths
from pipeline.importer.times import time_parser
from tests.pipeline.builders import NOON, campaign, campaigns, drops
from tests.pipeline.world import SOURCES, Ingesting

NOW = NOON + timedelta(days=2)
# In the past, because the importer takes a commit's time in the future for now.
BEGAN = datetime.fromisoformat("2025-01-05T12:00:00+00:00")
SNAPSHOTS = [
    drops(*campaigns("a", "b")),
    drops(*campaigns("a", "b", "c")),
    drops(campaign("a", name="Renamed"), *campaigns("b", "c")),
    drops(campaign("a", name="Renamed", channels=[301]), campaign("b")),
    drops(campaign("a", name="Renamed", channels=[301, 302]), campaign("b")),
    drops(campaign("a", name="Renamed", channels=[302]), campaign("b")),
]

if shutil.which("git") is None:
    pytest.skip("git is not installed", allow_module_level=True)


class Repository:
    """A git repository in which a file changes every hour."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        self.git("init", "--quiet", "--initial-branch=main")
        self.at = BEGAN

    def git(self, *arguments: str, at: datetime | None = None) -> str:
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder),
            "GIT_CONFIG_NOSYSTEM": "1",
            **{f"GIT_{role}_{field}": "x" for role in ("AUTHOR", "COMMITTER") for field in ("NAME", "EMAIL")},
        }
        if at is not None:
            environment |= {"GIT_COMMITTER_DATE": at.isoformat(), "GIT_AUTHOR_DATE": "2001-01-01T00:00:00Z"}
        done = subprocess.run(
            ["git", "-C", str(self.folder), *arguments], env=environment, check=True, capture_output=True, text=True
        )
        return done.stdout.strip()

    def commit(self, payload: bytes, path: str = "drops.json", at: datetime | None = None) -> None:
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(payload)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", "x", at=at or self.at)
        self.at += timedelta(hours=1)

    def bare(self) -> Path:
        target = self.folder.with_suffix(".git")
        self.git("clone", "--quiet", "--bare", str(self.folder), str(target))
        return target


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path / "repository")


@pytest.fixture
def filled(repository: Repository) -> Repository:
    for payload in SNAPSHOTS:
        repository.commit(payload)
    return repository


def import_history(world: Ingesting, folder: Path, path: str = "drops.json", *, only: int | None = None) -> Summary:
    steps = import_paths(
        world.engine, SOURCES, [], parse_time=time_parser(), now=lambda: NOW, history=History(folder, path)
    )
    summary = Summary()
    for number, summary in enumerate(steps, start=1):  # noqa: B007 - the last one counts
        if number == only:
            steps.close()
    return summary


def imported_events(world: Ingesting) -> Sequence[tuple[str, str, datetime]]:
    return [(row.kind, row.event_key, row.occurred_at) for row in world.rows(Event)]


@pytest.mark.parametrize("bare", [False, True])
def test_every_version_is_imported_at_the_time_of_its_commit(bare: bool, filled: Repository, world: Ingesting) -> None:
    summary = import_history(world, filled.bare() if bare else filled.folder)

    assert (summary.snapshots, summary.quarantined) == (6, [])
    hours = [(kind, (at - BEGAN) // timedelta(hours=1)) for kind, _, at in imported_events(world)]
    assert hours == [
        ("campaign.added", 0),
        ("campaign.added", 0),
        ("campaign.added", 1),
        ("campaign.changed", 2),
        ("campaign.channels_changed", 3),
        ("campaign.channels_changed", 4),
        ("campaign.channels_changed", 5),
        ("campaign.withdrawn", 5),
    ]


def test_versions_of_one_content_in_a_row_are_read_once(repository: Repository, world: Ingesting) -> None:
    first, second = SNAPSHOTS[:2]
    for payload in (first, first, second, first):
        repository.commit(payload)
        repository.commit(b"something else", "README")

    summary = import_history(world, repository.folder)

    assert summary.snapshots == 3


def test_an_import_that_stopped_goes_on_where_it_stopped(filled: Repository, world: Ingesting) -> None:
    import_history(world, filled.folder, only=2)
    assert world.count(DropCampaign) == 3

    rest = import_history(world, filled.folder)
    again = import_history(world, filled.folder)
    filled.commit(drops(campaign("new")))
    newest = import_history(world, filled.bare())

    # The importer may or may not have stored the version that it had read ahead when it stopped.
    assert rest.snapshots in {3, 4}
    assert (again.files, again.snapshots) == (0, 0)
    assert newest.snapshots == 1, "another clone is the same history"


def test_commits_are_in_the_order_of_their_committers_times(repository: Repository, world: Ingesting) -> None:
    # A branch that is merged late brings older commits.
    repository.commit(SNAPSHOTS[0], at=BEGAN)
    repository.git("checkout", "--quiet", "-b", "side")
    repository.commit(SNAPSHOTS[1], at=BEGAN + timedelta(hours=1))
    repository.git("checkout", "--quiet", "main")
    repository.commit(SNAPSHOTS[2], at=BEGAN + timedelta(hours=2))
    repository.git("merge", "--quiet", "--strategy=ours", "--no-edit", "side", at=BEGAN + timedelta(hours=3))

    history = History(repository.folder, "drops.json")

    times = [commit.at for commit in history.commits]
    assert times == sorted(times)
    assert import_history(world, repository.folder).quarantined == []


def test_commits_of_one_second_follow_each_other(repository: Repository, world: Ingesting) -> None:
    for payload in SNAPSHOTS[:3]:
        repository.commit(payload, at=BEGAN)

    summary = import_history(world, repository.folder)

    assert summary.events == {"campaign.added": 3, "campaign.changed": 1}


def test_a_file_may_lie_deep_and_be_called_as_it_likes_and_be_away_for_a_while(
    repository: Repository, world: Ingesting
) -> None:
    path = "data/2025 (ä)/:drops*.json"
    repository.commit(SNAPSHOTS[0], path)
    (repository.folder / path).unlink()
    repository.commit(b"", "other")
    repository.commit(SNAPSHOTS[1], path)

    assert import_history(world, repository.folder, f"./{path}").snapshots == 2


def test_versions_that_are_broken_are_set_aside_and_the_rest_goes_on(repository: Repository, world: Ingesting) -> None:
    for payload in (SNAPSHOTS[0], b"<html>", b" " * 17 * 2**20, b"", SNAPSHOTS[1]):
        repository.commit(payload)

    summary = import_history(world, repository.folder)

    reasons = [aside.reason for aside in summary.quarantined]
    assert summary.snapshots == 2
    assert [reason.split(",")[0] for reason in reasons] == [
        "HTML or XML",
        "cannot be read: 17",
        "the file is empty",
    ]
    assert summary.quarantined[0].path.endswith(":drops.json")
    assert import_history(world, repository.folder).files == 0


def test_a_damaged_object_costs_one_version(filled: Repository, world: Ingesting) -> None:
    blob = filled.git("rev-parse", "HEAD~2:drops.json")
    object_file = filled.folder / ".git" / "objects" / blob[:2] / blob[2:]
    object_file.chmod(0o600)
    object_file.write_bytes(b"no zlib at all")

    summary = import_history(world, filled.folder)

    assert summary.snapshots == 5
    (aside,) = summary.quarantined
    assert "cannot be read" in aside.reason


def _nothing(_: Repository) -> None:
    pass


@pytest.mark.parametrize(
    ("prepare", "path", "reason"),
    [
        pytest.param(_nothing, "drops.json", "a git repository without commits", id="empty"),
        pytest.param(
            lambda r: r.commit(b"x", "other"), "drops.json", "no commit has a file drops.json", id="no such file"
        ),
        pytest.param(lambda r: r.commit(b"x"), "../drops.json", "give the file's path inside", id="outside"),
        pytest.param(lambda r: r.commit(b"x"), "/etc/passwd", "give the file's path inside", id="absolute"),
        pytest.param(
            lambda r: shutil.rmtree(r.folder / ".git"), "drops.json", "not a git repository", id="no repository"
        ),
        pytest.param(lambda r: shutil.rmtree(r.folder), "drops.json", "no such folder", id="no folder"),
    ],
)
def test_what_cannot_be_read_is_said_in_a_word(
    prepare: Callable[[Repository], None], path: str, reason: str, repository: Repository
) -> None:
    prepare(repository)

    with pytest.raises(LootwireError, match=reason):
        History(repository.folder, path)


def test_a_folder_inside_a_repository_is_none_itself(filled: Repository) -> None:
    (filled.folder / "inside").mkdir()

    with pytest.raises(LootwireError, match="not a git repository"):
        History(filled.folder / "inside", "drops.json")


def test_a_machine_without_git_is_told_so(filled: Repository, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(LootwireError, match="needs the program git"):
        History(filled.folder, "drops.json")


def test_a_hostile_repository_starts_nothing(filled: Repository, world: Ingesting, tmp_path: Path) -> None:
    blob = filled.git("rev-parse", "HEAD~1:drops.json")
    trap = tmp_path / "trap"
    script = tmp_path / "trap.sh"
    script.write_text(f"#!/bin/sh\ntouch '{trap}'\n")
    script.chmod(0o755)
    for name in (
        "core.pager", "core.fsmonitor", "core.sshCommand", "core.editor", "core.alternateRefsCommand", "core.askPass",
        "gpg.program", "gpg.ssh.program", "diff.external", "pager.log", "pager.cat-file", "pager.rev-list",
        "uploadpack.packObjectsHook", "filter.x.smudge", "filter.x.process", "diff.x.textconv", "credential.helper",
    ):  # fmt: skip
        filled.git("config", name, str(script))
    for name in ("rev-list", "cat-file", "log"):
        filled.git("config", f"alias.{name}", f"!{script}")
    filled.git("config", "log.showSignature", "true")
    filled.git("config", "core.hooksPath", str(tmp_path))
    (filled.folder / ".git" / "config").write_text(
        (filled.folder / ".git" / "config").read_text()
        + f'[extensions]\n\tpartialClone = evil\n[remote "evil"]\n\turl = ext::{script}\n\tpromisor = true\n'
        "[core]\n\trepositoryformatversion = 1\n"
    )
    (filled.folder / ".gitattributes").write_text("* filter=x diff=x\n")
    for hook in ("post-checkout", "reference-transaction", "post-index-change", "pre-auto-gc"):
        shutil.copy(script, filled.folder / ".git" / "hooks" / hook)
    # The object is missing, so that git would fetch it from the remote.
    (filled.folder / ".git" / "objects" / blob[:2] / blob[2:]).unlink()

    summary = import_history(world, filled.folder)

    assert not trap.exists()
    assert summary.snapshots == 5
    assert len(summary.quarantined) == 1


def test_where_it_stopped_is_written_down_with_what_was_taken_in(filled: Repository, world: Ingesting) -> None:
    import_history(world, filled.folder)

    (row,) = [row for row in world.rows(Heartbeat) if row.name.startswith("import of ")]
    assert row.at == BEGAN + timedelta(hours=5)
