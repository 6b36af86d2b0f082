"""Webhooks as IGDB keeps them: one for each address, endpoint and method. https://api-docs.igdb.com/#webhooks."""

import itertools
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

METHODS = {"create": 0, "delete": 1, "update": 2}


@dataclass
class Webhook:
    id: int
    endpoint: str
    method: str
    url: str
    secret: str
    active: bool = True

    def shown(self) -> dict[str, Any]:
        """Return the webhook as IGDB shows it."""
        return {
            "id": self.id,
            "url": self.url,
            "category": 625_691_411,
            "sub_category": METHODS[self.method],
            "active": self.active,
            "number_of_retries": 0 if self.active else 5,
            "api_key": "made-up-key",
            "secret": self.secret,
            "created_at": int(time.time()),
            "updated_at": int(time.time()),
        }


class Webhooks:
    """All that are registered."""

    def __init__(self) -> None:
        self._numbers = itertools.count(7133)
        self.registered: dict[int, Webhook] = {}

    def add(self, endpoint: str, form: Mapping[str, str]) -> Webhook | None:
        """Register one, or make the one of the same address active again; None where the form is wrong."""
        url, method, secret = form.get("url", ""), form.get("method", ""), form.get("secret", "")
        if not url.startswith("http") or method not in METHODS or not secret:
            return None
        for known in self.registered.values():
            if (known.endpoint, known.method, known.url) == (endpoint, method, url):
                known.active, known.secret = True, secret
                return known
        added = Webhook(next(self._numbers), endpoint, method, url, secret)
        self.registered[added.id] = added
        return added

    def message(self, endpoint: str, method: str, row: Mapping[str, Any]) -> tuple[dict[str, str], bytes]:
        """Headers and body of what is posted when a row changes: unexpanded, and only the id of what is deleted."""
        hook = next(hook for hook in self.registered.values() if (hook.endpoint, hook.method) == (endpoint, method))
        fields = {"id": row["id"]} if method == "delete" else {name: _bare(value) for name, value in row.items()}
        headers = {"X-Secret": hook.secret, "Content-Type": "application/json", "User-Agent": "igdb-webhooks"}
        return headers, msgspec.json.encode(fields)


def _bare(value: Any) -> Any:
    if isinstance(value, list):
        return [_bare(item) for item in value]
    return value["id"] if isinstance(value, dict) and "id" in value else value
