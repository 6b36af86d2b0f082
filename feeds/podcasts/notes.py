"""Write the notes of an episode: what it is, its chapters as time stamps, what is muted, where it comes from. Pure."""

import re
from collections.abc import Iterator

from feeds.podcasts.content import Chapter, Episode
from feeds.sanitise import escaped, foreign_html, one_line, quoted, safe_url
from models.words.units import length

# Apple's most for a `description`, in bytes; and of what an app shows of it in a list.
SUMMARY_LENGTH = 600
DESCRIPTION_LENGTH = 20_000
_BLOCK = re.compile("<(?:p|ul|ol|blockquote)>")
CHAPTERS_SHOWN = 300
MUTED_SHOWN = 30


def title_of(episode: Episode) -> str:
    """Return the title of an episode as one line."""
    return one_line(episode.title) or "Without a title"


def clock_time(seconds: float) -> str:
    """Return a place in a sound as apps read time stamps: "04:31", "1:02:03"."""
    whole = max(0, int(seconds))
    hours, minutes, rest = whole // 3600, whole // 60 % 60, whole % 60
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes:02}:{rest:02}"


def chapter_title(chapter: Chapter) -> str:
    """Return what a chapter is called, as one line."""
    return one_line(chapter.title, 120) or "A chapter"


def summary_of(episode: Episode) -> str:
    """Return the beginning of an episode's notes as one line of plain text."""
    return one_line(episode.description or "", SUMMARY_LENGTH) or title_of(episode)


def notes_html(episode: Episode) -> str:
    """Return the notes as HTML of harmless tags; its chapters are time stamps, which apps make links of."""
    return "\n".join(_paragraphs(episode))


def muted_line(episode: Episode) -> str:
    """Return a sentence that says which parts the service muted; "" where none."""
    if not episode.muted:
        return ""
    parts = [f"{clock_time(start)}–{clock_time(start + seconds)}" for start, seconds in episode.muted[:MUTED_SHOWN]]
    if (more := len(episode.muted) - MUTED_SHOWN) > 0:
        parts.append(f"and {more} more")
    total = length(round(sum(seconds for _, seconds in episode.muted)))
    return f"Muted by the service for {total}: {', '.join(parts)}"


def _paragraphs(episode: Episode) -> Iterator[str]:
    if text := str(foreign_html(episode.description or "", DESCRIPTION_LENGTH)):
        yield text if _BLOCK.search(text) else f"<p>{text}</p>"
    if episode.chapters:
        stamps = [
            f"{clock_time(each.start)} {escaped(chapter_title(each))}" for each in episode.chapters[:CHAPTERS_SHOWN]
        ]
        yield f"<p>{'<br>'.join(stamps)}</p>"
    if muted := muted_line(episode):
        yield f"<p>{escaped(muted)}</p>"
    if url := safe_url(episode.webpage_url):
        yield f'<p><a href="{quoted(url)}" rel="noopener noreferrer">Where it comes from</a></p>'
    if not (episode.description or episode.chapters or episode.muted or safe_url(episode.webpage_url)):
        yield f"<p>{escaped(title_of(episode))}</p>"
