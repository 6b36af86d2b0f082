"""A full sync in a process of its own, which keeps to a limit as loose as the local IGDB's.

python -m tests.campaigns.igdb_sync DATABASE_URL REDIS_URL IGDB_URL REQUESTS_A_SECOND
"""

import sys
from datetime import UTC, datetime, timedelta

from pipeline.database.connecting import connect
from pipeline.fetch.http import Client
from pipeline.fetch.limiter import RateLimiter, connect_redis
from pipeline.games.mirror.full_pass import Mirroring
from pipeline.games.take_in import append_nothing
from pipeline.services.igdb.client import Igdb
from pipeline.services.igdb.igdb_requests import MOST_OPEN, IgdbRequests
from pipeline.services.twitch.app_token import AppToken
from tests.twitch.local import CLIENT_ID


class FixedToken:
    """The token that this local IGDB takes."""

    def current(self, client: Client) -> AppToken:  # noqa: ARG002
        return AppToken(CLIENT_ID, "made-up")

    def renew(self, client: Client, refused: AppToken) -> AppToken:  # noqa: ARG002
        raise AssertionError("nobody refuses this token")


def main() -> None:
    database_url, redis_url, url, requests = sys.argv[1:]
    redis = connect_redis(redis_url)

    def clock() -> datetime:
        return datetime.now(UTC)

    def opened(client: Client) -> Igdb:
        limiter = RateLimiter(
            redis, "campaign", requests=int(requests), most_open=MOST_OPEN, lease=timedelta(seconds=2)
        )
        return Igdb(IgdbRequests(client, url, FixedToken(), limiter, clock))

    interval = timedelta(seconds=1) / int(requests)
    mirroring = Mirroring(
        engine=connect(database_url), open_igdb=opened, clock=clock, append_news=append_nothing, interval=interval
    )
    for _ in mirroring.run():
        pass


if __name__ == "__main__":
    main()
