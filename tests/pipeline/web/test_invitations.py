"""The page of an invitation, as a browser without scripts sees it."""

import re
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta

import httpx
import pytest
from sqlalchemy import Engine, func, select, update
from starlette.routing import Mount

from models import ApiKey, Invitation
from pipeline.people.store.invitations import LASTS, invite
from pipeline.people.store.keys import find_holder
from pipeline.people.store.people import add_person, disable_person
from pipeline.runtime.runtime import Runtime, utc_now
from pipeline.web.application import Application
from pipeline.web.invitations import PREFIX, Invitations
from tests.pipeline.web.serving import answering
from tests.plain_http import NO_CERTIFICATES


@pytest.fixture
def runtime(engine: Engine) -> Runtime:
    runtime = Runtime.__new__(Runtime)
    runtime.__dict__["engine"] = engine
    return runtime


@pytest.fixture
def browser(runtime: Runtime) -> Iterator[httpx.Client]:
    @asynccontextmanager
    async def opened() -> AsyncIterator[Application]:
        yield Application([Mount(PREFIX, Invitations(lambda: runtime))])

    with answering(opened) as address, httpx.Client(base_url=address, verify=NO_CERTIFICATES) as client:
        yield client


@pytest.fixture
def invited(engine: Engine) -> Callable[[], str]:
    """Invites a person; returns the path of the page."""

    def make() -> str:
        with engine.begin() as connection:
            ada = add_person(connection, "ada", "member", utc_now())
            return f"{PREFIX}/{invite(connection, ada.id, utc_now()).name}"

    return make


def test_the_button_shows_a_key_that_works_once(
    engine: Engine, browser: httpx.Client, invited: Callable[[], str]
) -> None:
    page = invited()

    looked = browser.get(page)
    assert (looked.status_code, "Hello, ada" in looked.text, '<form method="post">' in looked.text) == (200, True, True)
    shown = browser.post(page)

    key = re.search(r"lw_\w+", re.sub(r"lw_…", "", shown.text))
    assert key is not None
    with engine.connect() as connection:
        holder = find_holder(connection, key[0], utc_now())
    assert holder is not None
    assert holder.role == "member"
    again = [browser.get(page), browser.post(page)]
    assert [answer.status_code for answer in again] == [410, 410]
    assert "used already" in again[0].text


def test_looking_uses_nothing_up(engine: Engine, browser: httpx.Client, invited: Callable[[], str]) -> None:
    page = invited()
    for _ in range(3):
        browser.get(page)
        browser.head(page)

    with engine.connect() as connection:
        assert connection.scalar(select(func.count()).select_from(ApiKey)) == 0
    assert browser.post(page).status_code == 200


def test_no_cache_referrer_script_or_frame_gets_hold_of_it(browser: httpx.Client, invited: Callable[[], str]) -> None:
    page = invited()

    for answer in (browser.get(page), browser.post(page), browser.get(page)):
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["referrer-policy"] == "no-referrer"
        policy = answer.headers["content-security-policy"]
        assert policy.startswith("default-src 'none'")
        assert "frame-ancestors 'none'" in policy


def test_it_gives_no_key_after_three_days(engine: Engine, browser: httpx.Client, invited: Callable[[], str]) -> None:
    page = invited()
    with engine.begin() as connection:
        connection.execute(update(Invitation).values(expires_at=Invitation.expires_at - LASTS - timedelta(seconds=1)))

    answer = browser.post(page)

    assert (answer.status_code, "has expired" in answer.text) == (410, True)


def test_an_earlier_invitation_gives_no_key_when_another_was_made(
    engine: Engine, browser: httpx.Client, invited: Callable[[], str]
) -> None:
    page = invited()
    with engine.begin() as connection:
        person_id = connection.scalars(select(Invitation.person_id)).one()
        later = invite(connection, person_id, utc_now())

    assert browser.post(page).status_code == 410
    assert browser.post(f"{PREFIX}/{later.name}").status_code == 200


def test_who_is_disabled_gets_no_key(engine: Engine, browser: httpx.Client, invited: Callable[[], str]) -> None:
    page = invited()
    with engine.begin() as connection:
        disable_person(connection, connection.scalars(select(Invitation.person_id)).one(), utc_now())

    assert browser.post(page).status_code == 410


@pytest.mark.parametrize("name", ["", "x", "a" * 52, "a" * 5000, "..%2f..", "%00"])
def test_what_is_no_invitation_says_so(browser: httpx.Client, name: str) -> None:
    assert browser.post(f"{PREFIX}/{name}").status_code in {404, 410}


def test_the_database_keeps_no_name(engine: Engine, invited: Callable[[], str]) -> None:
    page = invited()

    with engine.connect() as connection:
        digest = connection.scalars(select(Invitation.digest)).one()
    assert page.rpartition("/")[2].encode() not in digest
    assert len(digest) == 32


def test_other_methods_are_refused(browser: httpx.Client, invited: Callable[[], str]) -> None:
    assert browser.delete(invited()).status_code == 405
