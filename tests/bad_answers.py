"""Answers that a service which is broken, overrun or hostile may give, as the bytes that go over the wire.

Each is made of the answer that the service would have given, so that it fits any service.
"""

import functools
import gzip
import itertools
import json
import os
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import zstandard

MEBIBYTE = 2**20
# Well within any time-out of a single step, and far too slow for the whole.
DRIP = 0.02
ENDLESS = 10**9
_BOMB = 512 * MEBIBYTE


@dataclass(frozen=True)
class Good:
    """The answer that the service would have given; `trap` is an address of this machine that nobody may ask."""

    body: bytes = b'[{"id": "1"}, {"id": "2"}]'
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    trap: str = "http://127.0.0.1:9/"


# Bytes are sent, a number is a pause in seconds, and None cuts the connection without a goodbye.
Piece = bytes | float | None
Pieces = Callable[[Good], Iterator[Piece]]


@dataclass(frozen=True)
class Bad:
    """A kind of bad answer. `slow` ones are ended by the deadline alone, `heavy` ones are larger than any real one.

    One that is `bearable` may be taken for an answer: in whole, or without the items that are bad in it.
    """

    pieces: Pieces
    slow: bool = False
    heavy: bool = False
    bearable: bool = False


def kinds() -> Mapping[str, Bad]:
    """Every kind, by its name."""
    return {
        **_drips(),
        **_silences(),
        **_bombs(),
        **_wrong_lengths(),
        **_statuses(),
        **_other_texts(),
        **_half_truths(),
    }


def whole(good: Good, **headers: str) -> bytes:
    """An answer as it should be, with more headers."""
    return _head(good.status, {**good.headers, "Content-Length": str(len(good.body)), **_named(headers)}) + good.body


def _named(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}


def _head(status: int = 200, headers: Mapping[str, str] | None = None) -> bytes:
    lines = [f"HTTP/1.1 {status} OK", *(f"{name}: {value}" for name, value in (headers or {}).items())]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


def _answer(body: bytes, status: int = 200, **headers: str) -> bytes:
    return _head(status, {"Content-Length": str(len(body)), **_named(headers)}) + body


def _always(piece: bytes) -> Pieces:
    return lambda _: iter([piece])


def _dripping(data: bytes) -> Iterator[Piece]:
    for byte in data:
        yield bytes([byte])
        yield DRIP


def _repeated(beginning: bytes, again: bytes, pause: float = 0.0) -> Pieces:
    """Send a beginning, and then the same for ever."""

    def pieces(_: Good) -> Iterator[Piece]:
        yield beginning
        while True:
            yield again
            if pause:
                yield pause

    return pieces


def _drips() -> dict[str, Bad]:
    chunked = _head(headers={"Transfer-Encoding": "chunked"})
    gzipped = _head(headers={"Transfer-Encoding": "chunked", "Content-Encoding": "gzip"})
    # A block of deflate that holds nothing, behind the header of a gzip.
    empty_block = b"5\r\n\x00\x00\x00\xff\xff\r\n"
    gzip_begins = b"a\r\n" + gzip.compress(b"")[:10] + b"\r\n"

    def body(good: Good) -> Iterator[Piece]:
        yield _head(headers={"Content-Length": str(ENDLESS)})
        yield from itertools.chain.from_iterable(_dripping(good.body) for _ in range(ENDLESS))

    return {
        "the status line drips": Bad(lambda good: _dripping(whole(good).replace(b"OK", b"O" * 9000)), slow=True),
        "headers drip": Bad(_repeated(_head()[:-2] + b"X-Slow: ", b"x", DRIP), slow=True),
        "1xx drip": Bad(_repeated(b"", b"HTTP/1.1 100 Continue\r\n\r\n", DRIP), slow=True),
        "1xx in a flood": Bad(_repeated(b"", b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" * 100), slow=True),
        "the body drips": Bad(body, slow=True),
        "chunks drip": Bad(_repeated(chunked, b"1\r\n \r\n", DRIP), slow=True),
        "the size of a chunk drips": Bad(_repeated(chunked + b"1;", b"x", DRIP), slow=True),
        "trailers drip": Bad(_repeated(chunked + b"2\r\n[]\r\n0\r\nX-Slow: ", b"x", DRIP), slow=True),
        "a gzip of empty blocks drips": Bad(_repeated(gzipped + gzip_begins, empty_block, DRIP), slow=True),
        "a gzip of empty blocks in a flood": Bad(_repeated(gzipped + gzip_begins, empty_block * 1000), slow=True),
    }


def _silences() -> dict[str, Bad]:
    def middle(good: Good) -> Iterator[Piece]:
        yield whole(good)[:-1]
        yield 3600.0

    return {
        "no answer": Bad(_repeated(b"", b"", 3600.0), slow=True),
        "headers without a body": Bad(_repeated(_head(headers={"Content-Length": "9"}), b"", 3600.0), slow=True),
        "no last byte": Bad(middle, slow=True),
        "no answer, and the connection is cut": Bad(lambda _: iter([0.0, None])),
        "cut in the middle": Bad(lambda good: iter([whole(good)[:-3], 0.0, None])),
    }


@functools.cache
def _zeros(encoding: str, size: int) -> bytes:
    block, blocks = bytes(MEBIBYTE), size // MEBIBYTE
    if encoding == "zstd":
        packer: Any = zstandard.ZstdCompressor().compressobj(size=size)
    else:
        packer = zlib.compressobj(1, zlib.DEFLATED, 31 if encoding == "gzip" else 15)
    return b"".join(packer.compress(block) for _ in range(blocks)) + bytes(packer.flush())


def _bombs() -> dict[str, Bad]:
    def lazily(make: Callable[[], bytes], **headers: str) -> Pieces:
        return lambda _: iter([whole(Good(make()), **headers)])

    def packed(encoding: str, says: str) -> Pieces:
        return lazily(lambda: _zeros(encoding, _BOMB), Content_Encoding=says)

    def twice() -> bytes:
        return gzip.compress(_zeros("gzip", _BOMB))

    def tiny() -> bytes:
        return b"[" + b",".join(b'{"id":"%07d"}' % number for number in range(2_000_000)) + b"]"

    return {
        "a gzip bomb": Bad(packed("gzip", "gzip"), heavy=True),
        "a deflate bomb": Bad(packed("deflate", "deflate"), heavy=True),
        "a zstd bomb": Bad(packed("zstd", "zstd"), heavy=True),
        "brotli": Bad(_always(_answer(os.urandom(1000), Content_Encoding="br"))),
        "compress": Bad(_always(_answer(b"\x1f\x9d\x90", Content_Encoding="compress"))),
        "gzip in gzip": Bad(lazily(twice, Content_Encoding="gzip, gzip"), heavy=True),
        "zstd in gzip": Bad(lazily(twice, Content_Encoding="zstd, gzip"), heavy=True),
        "gzip in two headers": Bad(lazily(twice, Content_Encoding="gzip\r\nContent-Encoding: gzip"), heavy=True),
        "an encoding of kilobytes": Bad(_always(_answer(b"[]", Content_Encoding="x" * 50_000))),
        "two million tiny items": Bad(lazily(tiny), heavy=True),
        "millions of numbers in megabytes": Bad(lazily(lambda: b"[" + b"1," * 1_400_000 + b"1]"), heavy=True),
        "a million empty lists": Bad(lazily(lambda: b"[" + b"[]," * 900_000 + b"[]]"), heavy=True),
        # To IGDB's release dates a list of one row that cannot be read, which is logged.
        "lists a hundred thousand deep": Bad(lazily(lambda: b"[" * 100_000 + b"]" * 100_000), bearable=True),
        "objects a hundred thousand deep": Bad(lazily(lambda: b'{"data":' * 100_000 + b"1" + b"}" * 100_000)),
        "a text of 30 MB": Bad(lazily(lambda: b'[{"id":"' + b"x" * 30 * MEBIBYTE + b'"}]'), heavy=True, bearable=True),
        "30 MB of broken UTF-8": Bad(
            lazily(lambda: b'[{"id":"' + b"\xff" * 30 * MEBIBYTE + "😀".encode() + b'"}]'), heavy=True, bearable=True
        ),
        "a number of megabytes": Bad(lazily(lambda: b'[{"id":' + b"9" * 3 * MEBIBYTE + b"}]"), bearable=True),
        "spaces without end": Bad(_repeated(_head(headers={"Connection": "close"}), b" " * 65536), heavy=True),
        "headers without end": Bad(_repeated(_head()[:-2], b"X-Long: " + b"x" * 8000 + b"\r\n")),
    }


def _wrong_lengths() -> dict[str, Bad]:
    def length(said: Callable[[int], str]) -> Pieces:
        def pieces(good: Good) -> Iterator[Piece]:
            head = _head(good.status, {**good.headers, "Content-Length": said(len(good.body)), "Connection": "close"})
            yield head + good.body
            yield None

        return pieces

    return {
        "longer than it is": Bad(length(lambda size: str(size + 10))),
        "shorter than it is": Bad(length(lambda size: str(max(size - 10, 0)))),
        "a length below zero": Bad(length(lambda _: "-1")),
        "a length that is no number": Bad(length(lambda _: "many")),
        "two lengths": Bad(length(lambda size: f"{size}\r\nContent-Length: {size + 1}")),
        "a chunk of terabytes": Bad(
            lambda good: iter([_head(headers={"Transfer-Encoding": "chunked"}) + b"ffffffffff\r\n" + good.body, None])
        ),
        "chunks that are none": Bad(
            lambda good: iter([_head(headers={"Transfer-Encoding": "chunked"}) + b"zz\r\n" + good.body])
        ),
        "a gzip that is none": Bad(lambda good: iter([whole(good, Content_Encoding="gzip")])),
        "half of a gzip": Bad(lambda good: iter([_answer(gzip.compress(good.body)[:-12], Content_Encoding="gzip")])),
    }


def _statuses() -> dict[str, Bad]:
    html = b"<!doctype html><title>502 Bad Gateway</title><h1>502 Bad Gateway</h1>"

    def leads(to: Callable[[Good], str], status: int = 302) -> Pieces:
        return lambda good: iter([_answer(b"", status, Location=to(good))])

    return {
        "429 and wait": Bad(_always(_answer(b"", 429, Retry_After="3600"))),
        "429 without a word": Bad(_always(_answer(b"", 429))),
        "429 and wait a century": Bad(_always(_answer(b"", 429, Retry_After="3153600000"))),
        "500 without a word": Bad(_always(_answer(b"", 500))),
        "502 and a page": Bad(_always(_answer(html, 502, Content_Type="text/html"))),
        "503 and wait for a second": Bad(_always(_answer(b"", 503, Retry_After="1"))),
        "403 and a page": Bad(_always(_answer(html, 403, Content_Type="text/html"))),
        "a status of nobody": Bad(_always(_answer(b"", 299).replace(b"299", b"777"))),
        "301 to itself": Bad(leads(lambda _: "?", 301)),
        "302 to a machine around us": Bad(leads(lambda good: good.trap)),
        "307 to a machine around us": Bad(leads(lambda good: good.trap.replace("127.0.0.1", "localhost"), 307)),
        "302 to the metadata of a cloud": Bad(leads(lambda _: "http://169.254.169.254/latest/meta-data/")),
        "302 to a file": Bad(leads(lambda _: "file:///etc/passwd")),
        "302 to nothing": Bad(_always(_answer(b"", 302))),
        "204": Bad(_always(_head(204)), bearable=True),
    }


def _other_texts() -> dict[str, Bad]:
    return {
        "a page": Bad(_always(_answer(b"<!doctype html><title>Just a moment\xe2\x80\xa6</title>"))),
        "nothing": Bad(_always(_answer(b""))),
        "noise": Bad(lambda good: iter([_answer(os.urandom(len(good.body)))])),
        "another protocol": Bad(lambda _: iter([b"SSH-2.0-OpenSSH_9.9\r\n", None])),
        "a body without headers": Bad(lambda good: iter([good.body, None])),
        "UTF-16": Bad(lambda good: iter([_answer(good.body.decode().encode("utf-16"))])),
        "half of it": Bad(lambda good: iter([_answer(good.body[: len(good.body) // 2])])),
        "it twice": Bad(lambda good: iter([_answer(good.body * 2)])),
        "null": Bad(_always(_answer(b"null"))),
        "a number": Bad(_always(_answer(b"17"))),
        "an error with 200": Bad(_always(_answer(b'{"error": "Internal", "status": 500, "message": "service error"}'))),
    }


def _half_truths() -> dict[str, Bad]:
    """Return answers in the right shape that lack something, or say something that cannot be."""

    def lists(change: Callable[[list[Any]], list[Any]]) -> Bad:
        def pieces(good: Good) -> Iterator[Piece]:
            value = _each_list(json.loads(good.body), change)
            yield whole(Good(json.dumps(value).encode(), good.status, good.headers))

        return Bad(pieces, bearable=True)

    return {
        "half a page": lists(lambda items: items[: len(items) // 2]),
        "an empty page": lists(lambda _: []),
        "a page of nulls": lists(lambda items: [None] * len(items)),
        "a page of lists": lists(lambda items: [[] for _ in items]),
        "a validator of kilobytes": Bad(lambda good: iter([whole(good, ETag='"' + "x" * 60_000 + '"')]), bearable=True),
        "a validator in Latin-1": Bad(lambda good: iter([whole(good, ETag='"\xe4\xff"')]), bearable=True),
        "come again in 68 years": Bad(
            lambda good: iter([whole(_slowly(good), X_Refresh_Interval_Seconds=str(2**31 - 1))]), bearable=True
        ),
    }


def _slowly(good: Good) -> Good:
    value = json.loads(good.body)
    if not isinstance(value, dict) or "refreshIntervalSeconds" not in value:
        return good
    return Good(json.dumps(value | {"refreshIntervalSeconds": 2**31 - 1}).encode(), good.status, good.headers)


def _each_list(value: Any, change: Callable[[list[Any]], list[Any]]) -> Any:
    """Change the outermost lists of a value, wherever they are."""
    if isinstance(value, list):
        return change(value)
    if isinstance(value, dict):
        return {key: _each_list(part, change) for key, part in value.items()}
    return value
