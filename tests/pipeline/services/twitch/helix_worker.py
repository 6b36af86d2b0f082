"""A worker of its own: asks Helix again and again, as fast as the budget lets it.

python -m …helix_worker REDIS_URL KEY_FILE AUTH_URL HELIX_URL CLIENT_ID SECRET BUDGET TIMES
"""

import sys
from pathlib import Path

from pydantic import SecretStr

from models.vault import Vault
from pipeline.fetch.http import Client
from pipeline.fetch.limiter import Budget, connect_redis
from pipeline.services.twitch.app_token import SharedAppTokens
from pipeline.services.twitch.helix import Helix


def main() -> None:
    redis_url, key_file, auth_url, helix_url, client_id, secret, points, times = sys.argv[1:]
    with connect_redis(redis_url) as redis, Client(attempts=1) as client:
        vault = Vault.open(Path(key_file))
        tokens = SharedAppTokens(redis, lambda: vault, auth_url, client_id, SecretStr(secret))
        helix = Helix(client, helix_url, tokens, Budget(redis, "helix", points=int(points)))
        for _ in range(int(times)):
            helix.users(ids=["1"])


if __name__ == "__main__":
    main()
