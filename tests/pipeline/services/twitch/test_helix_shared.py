"""Helix as several processes and a whole installation use it."""

import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from models.errors import LootwireError
from pipeline.embedded import Servers
from pipeline.fetch.http import Client
from pipeline.runtime.runtime import Runtime
from pipeline.runtime.settings import Settings
from tests.paths import CHECKOUT
from tests.pipeline.fetch.own_redis import url_of
from tests.pipeline.services.twitch.helix_setting import HelixSetting, helix_setting
from tests.twitch import LocalTwitch

POINTS, TIMES = 40, 35


@pytest.fixture
def setting(servers: Servers, tmp_path: Path) -> Iterator[HelixSetting]:
    with LocalTwitch() as twitch, helix_setting(twitch, servers, tmp_path) as setting:
        yield setting


def test_two_processes_that_share_a_budget_wait_for_points_and_never_hear_429(
    setting: HelixSetting, servers: Servers
) -> None:
    twitch = setting.twitch
    twitch.budget, twitch.budget_seconds = POINTS, 1.0
    twitch.refill_budget()
    addresses = [url_of(servers), setting.vault.path, twitch.auth_url, twitch.helix_url, twitch.client_id]
    arguments = [*map(str, addresses), twitch.client_secret, str(POINTS), str(TIMES)]

    workers = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.pipeline.services.twitch.helix_worker", *arguments], cwd=CHECKOUT
        )
        for _ in range(2)
    ]
    assert [worker.wait(60) for worker in workers] == [0, 0]

    assert Counter(setting.statuses("users")) == {200: 2 * TIMES}
    assert twitch.tokens_issued == 1


def runtime(setting: HelixSetting, servers: Servers, folder: Path, **settings: object) -> Runtime:
    local = {"data_dir": folder, "twitch_auth_url": setting.twitch.auth_url, "helix_url": setting.twitch.helix_url}
    return Runtime(settings=Settings.model_validate(local | settings), database_url="", redis_url=url_of(servers))


def test_an_installation_with_an_application_may_ask_helix(
    setting: HelixSetting, servers: Servers, tmp_path: Path
) -> None:
    setting.twitch.add_user("shroud")
    application = {
        "twitch_client_id": setting.twitch.client_id,
        "twitch_client_secret": SecretStr(setting.twitch.client_secret),
    }
    opened = runtime(setting, servers, tmp_path, **application)

    with opened.redis, Client() as client:
        assert [user.login for user in opened.needed_helix(client).users(logins=["shroud"])] == ["shroud"]


@pytest.mark.parametrize(
    ("application", "hint"),
    [
        ({}, "TWITCH_CLIENT_ID and TWITCH_CLIENT_SECRET: create an application at"),
        ({"twitch_client_id": "abc"}, "TWITCH_CLIENT_SECRET is not set: your application's page at"),
        ({"twitch_client_secret": SecretStr("x")}, "TWITCH_CLIENT_ID is not set: your application's page at"),
    ],
)
def test_an_installation_without_one_says_what_to_set(
    setting: HelixSetting, servers: Servers, tmp_path: Path, application: dict[str, object], hint: str
) -> None:
    opened = runtime(setting, servers, tmp_path, **application)

    with Client() as client:
        assert opened.helix(client) is None
        with pytest.raises(LootwireError, match=hint):
            opened.needed_helix(client)
