"""RetroAchievements: an answer of API_GetUserCompletionProgress, or several of its pages. Pure.

What somebody has won says what they played and finished, not what they own. Titles carry marks (`~Hack~`, `~Demo~`) and
other names behind a stroke. https://api-docs.retroachievements.org/v1/get-user-completion-progress.html
"""

import re
from collections.abc import Mapping

import msgspec

from pipeline.library.formats.building import key_of, read_elements, reading
from pipeline.library.formats.format import refuse
from pipeline.library.formats.look import Look, first_keys, listed
from pipeline.library.formats.values import moment_of, title_of, words_of
from pipeline.library.records import Completion, PlaythroughRecord, Reading, ReadOptions, Record, Status

# https://docs.retroachievements.org/general/faq.html: the greatest award of a game, and what it says of it.
_AWARDS: Mapping[str, tuple[Status, Completion]] = {
    "beaten-softcore": ("finished", "main"),
    "beaten-hardcore": ("finished", "main"),
    "completed": ("mastered", "all"),
    "mastered": ("mastered", "all"),
}
_MARK = re.compile(r"~([^~]{1,40})~\s*")
_SUBSET = re.compile(r"\s*\[Subset\b[^\]]*\]\s*$", re.IGNORECASE)


class _Progress(msgspec.Struct, rename="pascal"):
    title: str
    game_id: int = msgspec.field(name="GameID")
    console_name: str | None = None
    num_awarded: int | None = None
    highest_award_kind: str | None = None
    highest_award_date: str | None = None
    most_recent_awarded_date: str | None = None


class RetroAchievements:
    """What somebody won at RetroAchievements, game by game."""

    name = "retroachievements"
    taken_for = "RetroAchievements' completion progress"

    def recognises(self, look: Look) -> bool:
        return "Results" in look.members and ("Total" in look.members or "GameID" in first_keys(_results(look)))

    def read(self, look: Look, options: ReadOptions) -> Reading:
        if "Results" not in look.members:
            refuse(look, self.taken_for, "lacks the key `Results`")
        records, broken = read_elements(_results(look), _Progress, game_progress)
        return reading(self.name, self.taken_for, records, broken, name=look.name, options=options)


def _results(look: Look) -> list[msgspec.Raw]:
    return list(listed(look.members.get("Results")))


def game_progress(line: int, progress: _Progress) -> Record:
    """Return a game that somebody won achievements in; raises `InvalidItem` for one without a title."""
    written = title_of(progress.title)
    marks = tuple(words_of(_MARK.findall(written)))
    title = title_of(_MARK.sub("", written).split(" | ")[0])
    platform = next(iter(words_of([progress.console_name])), "")
    award = _AWARDS.get((progress.highest_award_kind or "").lower())
    playthroughs: tuple[PlaythroughRecord, ...] = ()
    if award is not None or progress.num_awarded:
        at = moment_of(progress.highest_award_date) if award is not None else None
        playthroughs = (
            PlaythroughRecord(
                key=key_of("retroachievements", [progress.game_id]),
                status=award[0] if award else "paused",
                completion=award[1] if award else None,
                platform=platform,
                finished=None if at is None else at.date().isoformat(),
            ),
        )
    return Record(
        line=line,
        written=written,
        no_game="a set of achievements of another game" if _SUBSET.search(written) else None,
        title=title if title != written else None,
        platforms=words_of([platform]),
        last_played_at=moment_of(progress.most_recent_awarded_date),
        status=award[0] if award else None,
        tags=marks,
        playthroughs=playthroughs,
    )
