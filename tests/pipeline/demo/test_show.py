"""What the demo sets for itself."""

import os
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from models.errors import LootwireError
from pipeline.demo import show
from pipeline.demo.services import DemoServices
from pipeline.demo.show import demo_variables
from pipeline.runtime.settings import load_settings

pytestmark = pytest.mark.long


def test_no_service_is_asked_on_another_machine(tmp_path: Path) -> None:
    with DemoServices(datetime(2031, 5, 4, tzinfo=UTC)) as services:
        variables = demo_variables(services, tmp_path)

    settings = load_settings(variables, env_file=tmp_path / "none", toml_file=tmp_path / "none").settings
    addresses = {name: value for name, value in settings if name.endswith("_url") and isinstance(value, str)}
    assert {"igdb_url", "gql_url", "eventsub_url"} <= addresses.keys()
    assert {name: value for name, value in addresses.items() if urlsplit(value).hostname != "127.0.0.1"} == {}


def test_patience_lasts_while_something_moves() -> None:
    at, sign = [0.0], ["nothing"]
    patience = show._Patience(lambda: sign[0], lambda: at[0])
    over = []
    for minute, seen in ((4, "nothing"), (8, "a request"), (12, "a request"), (14, "a request"), (20, "two requests")):
        at[0], sign[0] = 60.0 * minute, seen
        over.append(patience.is_over())
    assert over == [False, False, False, True, False]


def test_what_was_seen_once_is_not_missed_because_the_services_went_on() -> None:
    looks = iter([False, True, False])
    patience = show._Patience(lambda: "nothing", lambda: 0.0)
    assert show._wait_for({"not everything was sent": lambda: next(looks)}, patience, lambda _: None) == []


def test_what_is_not_seen_until_nothing_moves_any_more_is_missing() -> None:
    minutes = iter(range(0, 10_000, 60))
    patience = show._Patience(lambda: "nothing", lambda: float(next(minutes)))
    assert show._wait_for({"no mail": lambda: False, "no page": lambda: True}, patience, lambda _: None) == ["no mail"]


def test_of_a_demo_that_failed_or_was_interrupted_nothing_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    for error in (LootwireError, KeyboardInterrupt):
        with pytest.raises(error):
            _fail(error)
        assert list(tmp_path.iterdir()) == []


def test_of_a_demo_that_is_kept_what_it_published_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with show._throw_away_folder() as folder:
        _write(folder.path)
        folder.is_for_keeps = True
    assert [path.name for path in folder.path.iterdir()] == ["public"]


def _fail(error: type[BaseException]) -> None:
    with show._throw_away_folder() as folder:
        _write(folder.path)
        raise error


def _write(folder: Path) -> None:
    for name in ("public", "data"):
        (folder / name).mkdir()
        (folder / name / "file").write_text("something")
    (folder / "a file").write_text("something")


def test_what_a_killed_demo_left_is_removed_by_the_next_and_nothing_else(tmp_path: Path) -> None:
    code = """
import sys
from pipeline.demo import show
with show._throw_away_folder() as folder:
    print(folder.path, flush=True)
    sys.stdin.read()
"""
    command = [sys.executable, "-c", code]
    start = partial(subprocess.Popen, command, env=os.environ | {"TMPDIR": str(tmp_path)}, text=True)
    foreign = tmp_path / "lootwire-demo-foreign"
    foreign.mkdir()
    with start(stdin=subprocess.PIPE, stdout=subprocess.PIPE) as living:
        assert living.stdout is not None
        lives = Path(living.stdout.readline().strip())
        with start(stdin=subprocess.PIPE, stdout=subprocess.PIPE) as killed:
            assert killed.stdout is not None
            dead = Path(killed.stdout.readline().strip())
            (dead / "data").mkdir()
            killed.kill()
        assert dead.exists()

        show._remove_dead(tmp_path)

        assert sorted(tmp_path.iterdir()) == sorted([foreign, lives])
        living.communicate()
    assert list(tmp_path.iterdir()) == [foreign]
