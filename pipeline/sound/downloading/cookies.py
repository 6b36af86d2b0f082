"""Netscape cookie files, as browsers' extensions and yt-dlp write them: read, and cut down to a host's own. Pure."""

from models.errors import UsageError

# A file with all cookies of a browser has some 100 kB.
MOST_BYTES = 4 * 2**20
_HTTP_ONLY = "#HttpOnly_"
_FIELDS = 7


def cookies_for(content: bytes, host: str) -> bytes:
    """Return the part of a Netscape cookie file that is for a host and the domains around it; values are kept as is.

    Raises `UsageError` with the number of the line that is none, never with what it says, and where nothing is left.
    """
    if len(content) > MOST_BYTES:
        raise UsageError(f"this cookie file has {len(content):,} bytes, and at most {MOST_BYTES:,} are read")
    try:
        lines = content.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise UsageError("this is no Netscape cookie file: it is not text in UTF-8") from error
    kept = [line for number, line in enumerate(lines, 1) if _is_cookie(line) and _is_for(_domain(line, number), host)]
    if not kept:
        raise UsageError(f"no cookie in this file is for {host}: export it from a browser that is signed in there")
    return "\n".join(["# Netscape HTTP Cookie File", "", *kept, ""]).encode()


def _is_cookie(line: str) -> bool:
    return bool(line.strip()) and (not line.startswith("#") or line.startswith(_HTTP_ONLY))


def _domain(line: str, number: int) -> str:
    fields = line.removeprefix(_HTTP_ONLY).split("\t")
    if len(fields) != _FIELDS:
        raise UsageError(
            f"line {number} of this cookie file has {len(fields)} fields instead of {_FIELDS}: save it in Netscape's "
            "format (cookies.txt), with tabs between the fields"
        )
    if fields[4] and not fields[4].isdigit():
        raise UsageError(f"line {number} of this cookie file names a time of expiry that is no whole number")
    return fields[0].lstrip(".").lower()


def _is_for(domain: str, host: str) -> bool:
    """Whether a cookie's domain is the host, one that it belongs to, or one of its own (`accounts.example.com`)."""
    name = host.partition(":")[0].lower().removeprefix("www.")
    return domain == name or name.endswith(f".{domain}") or domain.endswith(f".{name}")
