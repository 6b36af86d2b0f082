"""A date changes at IGDB: a message is queued and a published file changes."""

from datetime import UTC, datetime

from sqlalchemy import update

from models import Source, WantedGame
from pipeline.demo.sinks import WebhookSink
from tests.igdb import LocalIgdb
from tests.notifiers.world import hook_url
from tests.pipeline.cli.operator import Operator
from tests.pipeline.cli.test_following import GAMES, YEAR, igdb  # noqa: F401 - a fixture
from tests.pipeline.games.releases.releasing import Q1, dated


def test_a_date_that_moves_is_told_and_published(
    operator: Operator,
    igdb: LocalIgdb,  # noqa: F811
    hook: WebhookSink,
) -> None:
    operator.run("targets", "add", "phone", hook_url(hook), "--private", "--timezone", "Europe/Berlin")
    operator.run("subscriptions", "add", "--to", "phone", "--kind", "release.*", "--game", "Harbour Lights")
    assert operator.run("games", "follow", "Harbour Lights").code == 0
    assert operator.run("igdb", "sync").code == 0

    later = dated(1, datetime(YEAR + 1, 3, 31, tzinfo=UTC).date(), Q1)
    igdb.put(GAMES[0] | {"release_dates": [later], "updated_at": 2})
    with operator.engine.begin() as connection:
        connection.execute(update(WantedGame).values(next_due_at=datetime.now(UTC)))
        connection.execute(update(Source).values(next_due_at=datetime.now(UTC)))
    assert operator.run("igdb", "sync").code == 0

    title = f"Harbour Lights: release delayed by about 3 months to Q1 {YEAR + 1}, was Q4 {YEAR} (PC)"
    [event] = operator.run("events", "--json", "--kind", "release.moved").lines
    assert (event["detail"]["when"], event["detail"]["when_before"]) == (f"{YEAR + 1}-Q1", f"{YEAR}-Q4")
    assert operator.run("subscriptions", "try", "phone", "--json").lines[-1]["title"] == title
    [waiting] = operator.run("deliveries", "--json").lines
    assert (waiting["state"], waiting["target"]) == ("pending", "phone")
    assert operator.run("publish").code == 0
    published = operator.folder / "data" / "public" / "releases.rss.xml"
    assert title in published.read_text()


def test_a_targets_time_zone_is_set_shown_and_checked(operator: Operator, hook: WebhookSink) -> None:
    result = operator.run("targets", "add", "phone", hook_url(hook), "--timezone", "Nowhere/Land")
    assert (result.code, "There is no time zone 'Nowhere/Land'" in result.errors) == (2, True)
    assert operator.run("targets", "add", "phone", hook_url(hook), "--private").code == 0
    assert [target["timezone"] for target in operator.run("targets", "--json").lines] == ["UTC"]

    result = operator.run("targets", "set", "phone", "--timezone", "europe/berlin")

    assert result.out == "phone is told of releases when their day begins in Europe/Berlin\n"
    assert [target["timezone"] for target in operator.run("targets", "--json").lines] == ["Europe/Berlin"]
    assert operator.run("targets", "set", "nobody", "--timezone", "UTC").code == 2
