"""Makes text that came from outside harmless. Pure."""

import re

# Control characters, lone surrogates, which no service could encode, and line separators: Unicode's Cc, Cs, Zl and Zp.
_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")
# Directions that would show the rest of a line backwards, and two characters that are none.
_BIDI_OR_NONCHARACTER = re.compile("[\u202a-\u202e\u2066-\u2069\ufffe\uffff]")
_AT = re.compile("@(?!\u200b)(?=\\S)")
# Slack's and Discord's <!channel>, <@123>, <#123>, </command:123>, <:emoji:123>, <t:123>.
_ANGLE = re.compile("<(?=[!@#&/:a])")
_LINK = re.compile(r"\]\(")
# No web address, but a link to code where a program makes links of what it finds in text.
_SCRIPT = re.compile(r"\b(javascript|vbscript):(?=\S)", re.IGNORECASE)
# Apprise's Markdown reader takes no backslash before an entity, and &#64; would become a mention.
_ENTITY = re.compile(r"&(?=#?\w+;)")
# Only where it is markup: `_` inside a word and a lone `|` are none, and some chats would show the backslash.
_MARKDOWN = re.compile(r"([\\`*\[\]<>~]|(?<![^\W_])_|_(?![^\W_])|\|(?=\|)|(?<=\|)\|)")
_MARKDOWN_LINE_START = re.compile(r"^([#+=-])")
_MARKDOWN_NUMBER = re.compile(r"^(\d+)([.)])")


def clean(text: str, length: int) -> str:
    """Return text from outside as one harmless line of at most `length` characters.

    Control characters go, white space is one space, and nothing in it is a mention, a hidden link or an entity in a
    chat: a zero-width space after `@`, `<` and `&`, between `](` and before the colon of `javascript:` breaks them.
    """
    line = " ".join(_CONTROLS.sub(" ", text).split())
    line = _BIDI_OR_NONCHARACTER.sub("", line)
    line = _AT.sub("@\u200b", line)
    line = _ANGLE.sub("<\u200b", line)
    line = _ENTITY.sub("&\u200b", line)
    line = _SCRIPT.sub("\\1\u200b:", line)
    return cut(_LINK.sub("]\u200b(", line), length)


def cut(text: str, length: int) -> str:
    """Return text no longer than `length`, with an ellipsis if something is missing."""
    return text if len(text) <= length else text[: max(length - 1, 0)].rstrip() + "…"


def escape_markdown(text: str) -> str:
    """Return text with a backslash before each character that Markdown would read as markup."""
    escaped = _MARKDOWN.sub(r"\\\1", text)
    escaped = _MARKDOWN_LINE_START.sub(r"\\\1", escaped)
    return _MARKDOWN_NUMBER.sub(r"\1\\\2", escaped)
