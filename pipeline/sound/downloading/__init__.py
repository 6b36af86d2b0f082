"""Fetch sounds from the internet: `probe` an address, `download` its sound; yt-dlp runs in a child that we can kill."""

from pipeline.sound.downloading.fetching import ChildEnded, Downloaded, Job, Subtitled, download, probe
from pipeline.sound.downloading.wire import Entry, Limits, Listing, Progress
from pipeline.sound.troubles import FetchTroubled

__all__ = [
    "ChildEnded",
    "Downloaded",
    "Entry",
    "FetchTroubled",
    "Job",
    "Limits",
    "Listing",
    "Progress",
    "Subtitled",
    "download",
    "probe",
]
