"""Make text and addresses that came from outside safe to put into XML and HTML."""

import re
from functools import lru_cache

import nh3
from markupsafe import Markup

from models.words.addresses import page_address

TITLE_LENGTH = 300
ELLIPSIS = "…"

# XML 1.0, section 2.2; C1 controls are legal there and discouraged, and no text that people read needs them.
_NOT_XML = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
# They turn the direction of everything that follows, which lets one title disguise its neighbours.
_BIDI = re.compile("[\u202a-\u202e\u2066-\u2069]")
_ENTITY = re.compile(r"&(?=#?\w+;)")
_SPACES = re.compile(r"\s+")
# What an outsider may write: pictures would call a stranger's server from every reader's program.
_TAGS = {"a", "b", "blockquote", "br", "code", "em", "i", "li", "ol", "p", "s", "strong", "u", "ul"}
_ATTRIBUTES = {"a": {"href"}}


def xml_text(text: str) -> str:
    """Return `text` without the characters that no XML 1.0 file may hold: controls, U+FFFE, lone surrogates."""
    return _NOT_XML.sub("", text)


def one_line(text: str, limit: int = TITLE_LENGTH) -> str:
    """Return `text` as one line of XML characters, cut to `limit` characters with an ellipsis."""
    if len(text) <= limit and text.isprintable() and "  " not in text and text.strip() == text:
        # Most are fine as they are: printable leaves out all that is not XML, all that turns, and all other spaces.
        return text
    line = _SPACES.sub(" ", _BIDI.sub("", xml_text(text))).strip()
    return line if len(line) <= limit else line[: limit - 1].rstrip() + ELLIPSIS


@lru_cache(maxsize=4096)
def safe_url(url: str | None) -> str | None:
    """Return an absolute http or https address in ASCII, or None for everything else: `javascript:`, `data:`, junk.

    Addresses with a user name are refused too, since `https://twitch.tv@example.com` leads to example.com.
    """
    return None if url is None else page_address(xml_text(url).strip())


def escaped(text: str) -> str:
    """Return plain text as HTML that stands between tags; a quote is one there, and none inside of an attribute."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def quoted(text: str) -> str:
    """Return plain text as it stands inside of an attribute in double quotes, of HTML or XML."""
    return escaped(text).replace('"', "&quot;")


def html_line(text: str) -> str:
    """Return plain text for where HTML is expected, changed as little as can be: "Rook & Rapier" stays as it is.

    It is legible both in programs that read it as HTML and in those that show it as it stands.
    """
    return _ENTITY.sub("&amp;", text).replace("<", "&lt;")


def foreign_html(text: str, limit: int = 4000) -> Markup:
    """Return a description, be it plain text or HTML, as HTML of harmless tags; plain text keeps its line breaks."""
    clean = xml_text(text).strip()
    if len(clean) > limit:
        clean = clean[:limit].rstrip() + ELLIPSIS
    if "<" in clean and nh3.is_html(clean):
        return Markup(_cleaned(clean))  # noqa: S704 - nh3 has cleaned it
    return Markup("<br>".join(map(escaped, clean.splitlines())))  # noqa: S704 - escaped, line by line


def _cleaned(html: str) -> str:
    return nh3.clean(
        html, tags=_TAGS, attributes=_ATTRIBUTES, url_schemes={"http", "https"}, link_rel="noopener noreferrer"
    )
