"""Answers packed by gzip, for clients that take it and where it saves something."""

import gzip

import msgspec

from pipeline.web.api.messages import Answer
from pipeline.web.static import accepted_packings

# Below it a packet is a packet.
SMALLEST = 1000
# Half of the work of the best, and a few hundredths larger.
_LEVEL = 5
VARY = "Accept-Encoding"


def packed(answer: Answer, accept_encoding: str) -> Answer:
    """Return an answer as a client takes it; its ETag stays, since a weak one is the same for both."""
    if len(answer.body) < SMALLEST:
        return answer
    headers = {**answer.headers, "Vary": VARY}
    if "gzip" not in accepted_packings(accept_encoding):
        return msgspec.structs.replace(answer, headers=headers)
    body = gzip.compress(answer.body, _LEVEL, mtime=0)
    return msgspec.structs.replace(answer, body=body, headers={**headers, "Content-Encoding": "gzip"})
