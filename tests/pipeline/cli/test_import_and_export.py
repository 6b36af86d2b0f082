"""Every way into the catalogue, and the way out, at the command line."""

import gzip
import io
import json
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import pytest
import zstandard

from tests.pipeline.builders import campaign, campaigns, drops, encode, quest
from tests.pipeline.cli.operator import Operator

KEYS = ["files", "snapshots", "records", "unchanged", "events", "quarantined", "seconds"]
LISTED = drops(*campaigns("a", "b"))


def put_on_stdin(monkeypatch: pytest.MonkeyPatch, data: bytes) -> None:
    """Put data on standard input."""
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))


@pytest.mark.parametrize("packed", [bytes, gzip.compress], ids=["plain", "compressed"])
def test_a_payload_on_standard_input_is_imported(
    operator: Operator, monkeypatch: pytest.MonkeyPatch, packed: type[bytes]
) -> None:
    put_on_stdin(monkeypatch, packed(LISTED))

    (summary,) = operator.run("import", "-", "--json").lines

    assert list(summary) == KEYS
    assert (summary["files"], summary["snapshots"], summary["records"]) == (1, 1, 2)


def test_standard_input_that_cannot_be_used_is_called_by_its_name(
    operator: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_on_stdin(monkeypatch, b"<html>")

    result = operator.run("import", "-", "--json")

    assert result.code == 3
    assert result.lines[0]["quarantined"] == [
        {"path": "-", "reason": "HTML or XML, not JSON: perhaps an error page that was saved"}
    ]


def test_a_collection_of_versions_is_imported_line_by_line_at_their_times(operator: Operator) -> None:
    # The format in which the community keeps versions of the rewards.
    versions = [[quest("one")], [quest("one"), quest("two")], [quest("two")]]
    lines = [
        {"firstSeen": f"2025-02-0{day}T10:00:00+01:00", "commit": "x", "data": version}
        for day, version in enumerate(versions, start=1)
    ]
    path = operator.folder / "rewards.jsonl"
    path.write_bytes(b"\n".join(map(encode, [*lines, {"firstSeen": "?", "data": 7}])) + b"\n")

    result = operator.run("import", str(path), "--json")

    (summary,) = result.lines
    assert (summary["files"], summary["snapshots"], summary["events"]) == (1, 3, {"reward.added": 2})
    assert [aside["path"] for aside in summary["quarantined"]] == [f"{path}:4"]
    times = [event["occurred_at"] for event in operator.run("events", "--json").lines]
    assert times == ["2025-02-01T09:00:00Z", "2025-02-02T09:00:00Z"]


def test_a_mended_file_is_reported_to_people_and_to_programs(operator: Operator) -> None:
    path = operator.folder / "drops.json"
    path.write_bytes(LISTED[:-1] + b",]")

    result = operator.run("import", str(path))
    again = operator.run("import", str(path), "--json")

    assert result.code == again.code == 3
    assert f"set aside: {path}: repaired: not JSON that we know: JSON is malformed: trailing comma" in result.out
    (aside,) = again.lines[0]["quarantined"]
    assert aside["reason"].startswith("repaired: ")


def test_people_are_told_what_each_file_was_taken_for(operator: Operator) -> None:
    (operator.folder / "in").mkdir()
    (operator.folder / "in" / "drops.json").write_bytes(LISTED)
    (operator.folder / "in" / "rewards.json").write_bytes(encode([quest()]))

    result = operator.run("import", "in")

    assert "1  drops of the Twitch mirror" in result.out
    assert "1  rewards of the Twitch mirror" in result.out


def test_a_git_history_is_imported(operator: Operator) -> None:
    repository = operator.folder / "repository"
    git = ["git", "-C", str(repository), "-c", "user.name=x", "-c", "user.email=x"]
    subprocess.run(["git", "init", "--quiet", str(repository)], check=True)
    for payload in (LISTED, drops(*campaigns("a", "b", "c"))):
        (repository / "drops.json").write_bytes(payload)
        subprocess.run([*git, "add", "drops.json"], check=True)
        subprocess.run([*git, "commit", "--quiet", "--message", "x"], check=True)

    (summary,) = operator.run("import", "--git", "repository", "--path", "drops.json", "--json").lines
    (again,) = operator.run("import", "--git", "repository", "--path", "drops.json", "--json").lines

    assert (summary["snapshots"], summary["events"]) == (2, {"campaign.added": 3})
    assert again["files"] == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["import"], "give a PATH"),
        (["import", "--git", "."], "belong together"),
        (["import", "--path", "drops.json"], "belong together"),
        (["export", "--format", "xml"], "xml"),
    ],
)
def test_wrong_usage_exits_with_2_and_says_what_is_right(
    operator: Operator, arguments: list[str], message: str
) -> None:
    result = operator.run(*arguments)

    assert result.code == 2
    assert message in result.errors


def test_a_folder_that_is_no_repository_is_said_to_be_none(operator: Operator) -> None:
    result = operator.run("import", "--git", ".", "--path", "drops.json")

    assert result.code == 2
    assert "not a git repository" in result.errors


def test_an_export_goes_to_a_file_of_each_kind(operator: Operator, now: datetime) -> None:
    operator.run("import", str(operator.snapshots(now)))

    for form, name, start in (
        ("jsonl", "all.jsonl", b'{"lootwire":"export"'),
        ("csv", "all.zip", b"PK"),
        ("sqlite", "all.db", b"SQLite format 3"),
        ("sqlite", "all.db.zst", b"\x28\xb5\x2f\xfd"),
    ):
        result = operator.run("export", "--format", form, "--output", name)
        assert (result.code, result.out) == (0, "")
        assert Path(name).read_bytes().startswith(start)
    unpacked = zstandard.ZstdDecompressor().stream_reader(Path("all.db.zst").read_bytes()).read()
    assert len(unpacked) == Path("all.db").stat().st_size


def test_an_export_can_be_read_from_standard_output(operator: Operator, now: datetime) -> None:
    operator.run("import", str(operator.snapshots(now)))

    with operator.start("export") as process:
        output, complaints = process.communicate(timeout=60)

    lines = [json.loads(line) for line in output.splitlines()]
    assert lines[0]["lootwire"] == "export"
    assert lines[-1]["type"] == "end"
    assert complaints.endswith("objects written\n")


def test_an_export_is_refused_where_something_is_known_and_that_is_said(operator: Operator) -> None:
    Path("drops.json").write_bytes(drops(campaign("a")))
    operator.run("import", "drops.json")
    operator.run("export", "--output", "all.jsonl.zst")

    result = operator.run("import", "all.jsonl.zst")

    assert result.code == 3
    assert "only an empty catalogue can take" in result.out
