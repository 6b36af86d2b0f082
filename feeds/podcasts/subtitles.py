"""Turn subtitles from one format into the other, by the library webvtt-py: apps know one or the other. Pure."""

import html
import io

from feeds.podcasts.content import TranscriptFormat
from feeds.sanitise import escaped
from models.errors import LootwireError

# Of a stream of a day, spoken without a pause, it is a third.
MOST_BYTES = 8_000_000


class SubtitlesError(LootwireError):
    """Subtitles cannot be read; the text says why."""


def converted(data: bytes, written: TranscriptFormat, wanted: TranscriptFormat) -> bytes:
    """Return subtitles in the format that is wanted, those that have it already as they are, in UTF-8.

    Without what styles and places them: podcast apps show text. Raises SubtitlesError.
    """
    from webvtt import WebVTT
    from webvtt.errors import MalformedCaptionError, MalformedFileError

    if len(data) > MOST_BYTES:
        raise SubtitlesError(f"they have more than {MOST_BYTES:,} bytes")
    try:
        text = data.decode("utf-8-sig")
        captions = WebVTT.from_buffer(io.StringIO(text), format=written)
    except UnicodeDecodeError:
        raise SubtitlesError("they are not in UTF-8") from None
    except (MalformedCaptionError, MalformedFileError, ValueError) as error:
        raise SubtitlesError(f"they are no {written.upper()}: {error}") from error
    if written == wanted:
        return text.encode()
    for caption in captions.captions:
        # VTT is markup, SRT is text.
        caption.text = html.unescape(caption.text) if wanted == "srt" else escaped(caption.raw_text)
    output = io.StringIO()
    captions.write(output, format=wanted)
    return output.getvalue().encode()
