"""What an error of a download means: its kind decides whether time, a person or nothing cures it."""

from datetime import UTC, datetime

import pytest

from pipeline.sound.records import ErrorKind
from pipeline.sound.troubles import Failure, FetchTroubled, read_failure, trouble, without_secrets

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)


def kind_of(text: str = "", **fields: object) -> ErrorKind:
    names = fields.pop("names", ("DownloadError",))
    return read_failure(Failure(names=names, text=text, **fields), NOW).kind  # type: ignore[arg-type]


# Sentences of YouTube, Twitch, SoundCloud and Vimeo, as yt-dlp 2026.10 and its issues have them.
@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("[youtube] abc: Video unavailable. This video has been removed by the uploader", "gone"),
        ("Video unavailable", "gone"),
        ("This video is no longer available because the YouTube account has been terminated.", "gone"),
        ("Video v123 does not exist", "gone"),
        ("This clip is no longer available", "gone"),
        ("Private video. Sign in if you've been granted access to this video", "private"),
        ("This video is private", "private"),
        ("Join this channel to get access to members-only content like this video, and other perks.", "members"),
        ("This video is available to this channel's members on level: Gold", "members"),
        (
            "You must be logged into an account that has access to this subscriber-only content. Use --cookies",
            "members",
        ),
        ("This video is only available to Music Premium members", "members"),
        ("This video requires payment to watch.", "members"),
        ("The uploader has not made this video available in your country", "geo"),
        ("This video contains content from SME, who has blocked it in your country on copyright grounds", "geo"),
        ("This video is DRM protected", "drm"),
        ("Sign in to confirm your age. This video may be inappropriate for some users.", "sign_in"),
        ("This video is only available for registered users. Use --cookies for the authentication", "sign_in"),
        ("Sign in to confirm you’re not a bot. This helps protect our community.", "rate"),
        ("This content isn't available, try again later. Your session has been rate-limited by YouTube", "rate"),
        ("Premieres in 2 hours", "upcoming"),
        ("This live event will begin in a few moments.", "upcoming"),
        ("This live event is scheduled for 2027-01-01", "upcoming"),
        ("Unsupported URL: https://example.com/", "unsupported"),
        ("No video formats found!", "unsupported"),
        ("m3u8 download detected but ffmpeg could not be found. Please install", "unsupported"),
        ("Got error: 277 bytes read, 1000 more expected. Giving up after 3 retries", "network"),
        ("Unable to extract player version", "tool"),
    ],
)
def test_the_text_of_a_service_decides_where_there_is_no_status(text: str, kind: ErrorKind) -> None:
    assert kind_of(text) == kind


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        *((401, "sign_in"), (403, "sign_in"), (404, "gone"), (410, "gone"), (429, "rate"), (451, "geo")),
        *((402, "members"), (408, "network"), (418, "unsupported"), (500, "server"), (503, "server"), (509, "rate")),
    ],
)
def test_a_status_decides_where_the_service_says_no_more(status: int, kind: ErrorKind) -> None:
    assert kind_of(f"Unable to download webpage: HTTP Error {status}: Not Found", status=status) == kind


def test_what_a_service_says_of_a_refusal_is_more_than_its_status_but_a_passing_one_stays_passing() -> None:
    assert kind_of("This track is private", status=403) == "private"
    assert kind_of("vod_manifest_restricted", status=403) == "members"
    assert kind_of("This video is private", status=503) == "server"


def test_a_medium_that_is_refused_after_its_page_was_not_is_asked_for_again_later() -> None:
    assert kind_of("HTTP Error 403: Forbidden", status=403, while_downloading=True) == "server"
    assert kind_of("HTTP Error 429: Too Many", status=429, while_downloading=True) == "rate"


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        ({"names": ("DownloadError", "GeoRestrictedError")}, "geo"),
        ({"names": ("DownloadError", "TransportError")}, "network"),
        ({"names": ("DownloadError", "ExtractorError", "CertificateVerifyError", "SSLError")}, "network"),
        ({"names": ("InvalidSchema",)}, "unsupported"),
        ({"names": ("UnavailableVideoError",), "errno_name": "ENOSPC"}, "disk"),
        ({"names": ("OSError",), "errno_name": "EFBIG"}, "quota"),
        ({"names": ("Stopped",), "kind": "live"}, "live"),
        ({"names": ("ExtractorError",), "is_expected": True}, "unsupported"),
        ({"names": ("KeyError",)}, "tool"),
    ],
)
def test_a_class_or_a_system_call_decides_too(fields: dict[str, object], kind: ErrorKind) -> None:
    assert kind_of("", **fields) == kind


def test_cookies_that_were_tried_in_vain_are_stale_and_a_person_gives_new_ones() -> None:
    stale = read_failure(Failure(names=(), text="login required", with_cookies=True), NOW)

    assert (stale.kind, stale.cure) == ("cookies", "person")
    assert stale.way_out is not None
    assert "sounds cookies set" in stale.way_out


def test_an_address_inside_is_never_tried_again_and_says_why() -> None:
    inside = read_failure(Failure(names=("InwardAddress",), text="a private address", is_inward=True), NOW)

    assert (inside.kind, inside.cure) == ("unsupported", "never")
    assert "private network" in inside.reason
    assert inside.sentence.endswith("private network: files of your own become sounds by lootwire sounds scan FOLDER")


@pytest.mark.parametrize(
    ("retry_after", "sent_at", "seconds"),
    [
        ("77", None, 77.0),
        ("999999", None, 86_400.0),
        ("Sun, 01 Nov 2026 12:02:00 GMT", None, 120.0),
        ("Sun, 01 Nov 2026 12:02:00 GMT", "Sun, 01 Nov 2026 12:01:00 GMT", 60.0),
        ("Sun, 01 Nov 2026 11:00:00 -0000", None, 0.0),
        ("soon", None, None),
        ("-5", None, None),
        (None, None, None),
    ],
)
def test_a_service_says_how_long_it_wants_to_be_left_alone(
    retry_after: str | None, sent_at: str | None, seconds: float | None
) -> None:
    refused = Failure(names=(), text="", status=429, retry_after=retry_after, sent_at=sent_at)

    assert read_failure(refused, NOW).retry_after == seconds


def test_only_refusals_that_time_cures_have_a_wait() -> None:
    assert read_failure(Failure(names=(), text="", status=404, retry_after="5"), NOW).retry_after is None


def test_a_reason_holds_no_address_beyond_its_host_and_none_of_yt_dlps_own_words() -> None:
    text = (
        "ERROR: [youtube] abc-1: Unable to download https://user:secret@cdn.example/v?sig=SECRET#t: gone; please "
        "report this issue on  https://github.com/yt-dlp/yt-dlp/issues?q= , filling out the appropriate issue template."
    )

    assert without_secrets(text) == "Unable to download cdn.example gone"
    assert "SECRET" not in read_failure(Failure(names=(), text=text), NOW).reason
    assert (
        without_secrets("Max retries exceeded with url: /v/1?sig=SECRET (x)") == "Max retries exceeded with url: … (x)"
    )
    assert without_secrets("cannot read index.m3u8?token=SECRET&x=1") == "cannot read index.m3u8…"
    assert without_secrets("got http://[::1/x and\x1b[2J more\n") == "got an address and [2J more"


def test_a_reason_is_one_sentence_and_names_its_error() -> None:
    assert trouble("gone").reason == "It is not there any more."
    assert str(FetchTroubled(trouble("gone", "removed"))) == "It is not there any more: removed"
    assert len(trouble("tool", "x" * 1000).reason) < 400
