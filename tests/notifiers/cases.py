"""The table of written cases: a sentence, the rules, what happens when, and what each target is sent when.

Times are by the clock of the case's zone, and in UTC where they say so. 20 November 2026 is a Friday; clocks in Berlin
go from 2 to 3 on 29 March and from 3 to 2 on 25 October. `stories.py` says what a line may be.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Case:
    """One case; `later` are rules that a line of the story applies by name."""

    sentence: str
    rules: str
    story: str
    messages: str
    zone: str = "UTC"
    later: Mapping[str, str] = field(default_factory=dict)


BERLIN = "Europe/Berlin"


def phone(*lines: str, name: str = "phone", wants: str = "", zone: str = "UTC") -> str:
    """Rules for a target, and a subscription of it to what `wants` says, else to all."""
    target = "\n".join([f'[[target]]\nname = "{name}"\nurl = "env:URL"\ntimezone = "{zone}"', *lines])
    return f'{target}\n\n[[subscription]]\nname = "{name} wants"\nto = "{name}"\n{wants}\n\n'


NIGHT = 'quiet = "22:00-07:00"'
DAILY = 'digest = "daily at 18:00"'
BURST = 'burst = "60s"\nburst_longest = "150s"'

AT_ONCE = [
    Case(
        "without any rule of time all is sent at once",
        phone(),
        "11-20 23:00 campaign.added One",
        "phone 11-20 23:00: One",
    ),
    Case(
        "what comes in one moment is one message",
        phone(BURST),
        "11-20 12:00 campaign.added One\n11-20 12:00 campaign.added Two",
        "phone 11-20 12:01: One, Two",
    ),
    Case("a silent event is for feeds alone", phone(), "11-20 12:00 campaign.added One silent=yes", ""),
    Case(
        "two targets are told each for itself",
        phone() + phone(NIGHT, name="mail"),
        "11-20 23:00 campaign.added One",
        "phone 11-20 23:00: One\nmail 11-21 07:00: One",
    ),
    Case(
        "two subscriptions of one target that want the same make one message",
        phone() + '[[subscription]]\nname = "again"\nto = "phone"\nkinds = "campaign.*"\n',
        "11-20 12:00 campaign.added One",
        "phone 11-20 12:00: One",
    ),
]

NIGHTS = [
    Case(
        "a quiet night holds what comes and gives it as one message in the morning",
        phone(NIGHT),
        "11-20 23:00 campaign.added One\n11-21 02:00 campaign.added Two",
        "phone 11-21 07:00: One, Two",
    ),
    Case(
        "what comes a minute before the night is sent at once",
        phone(NIGHT),
        "11-20 21:59 campaign.added One",
        "phone 11-20 21:59: One",
    ),
    Case(
        "what comes as the night begins is held",
        phone(NIGHT),
        "11-20 22:00 campaign.added One",
        "phone 11-21 07:00: One",
    ),
    Case(
        "what comes as the night ends is sent at once",
        phone(NIGHT),
        "11-21 07:00 campaign.added One",
        "phone 11-21 07:00: One",
    ),
    Case(
        "after midnight it is still the night that began yesterday",
        phone(NIGHT),
        "11-21 00:30 campaign.added One",
        "phone 11-21 07:00: One",
    ),
    Case(
        "the night is that of the target's own zone",
        phone(NIGHT, zone="Asia/Tokyo"),
        "11-20 13:00 campaign.added One",
        "phone 11-20 22:00: One",
    ),
    Case(
        "a night of working days does not hold on a Saturday evening",
        phone('quiet = "22:00-07:00 mon-fri"'),
        "11-20 23:00 campaign.added Friday\n11-21 23:00 campaign.added Saturday",
        "phone 11-21 07:00: Friday\nphone 11-21 23:00: Saturday",
    ),
    Case(
        "another night at the weekend has other hours",
        phone('quiet = ["22:00-07:00 mon-thu", "23:30-10:00 fri, sat, sun"]'),
        "11-20 22:30 campaign.added Awake\n11-20 23:45 campaign.added Asleep",
        "phone 11-20 22:30: Awake\nphone 11-21 10:00: Asleep",
    ),
    Case(
        "two quiet times that meet are one",
        phone('quiet = ["22:00-06:00", "06:00-08:00"]'),
        "11-20 23:00 campaign.added One",
        "phone 11-21 08:00: One",
    ),
    Case(
        "a quiet lunch is over after it",
        phone('quiet = ["22:00-07:00", "12:00-13:00"]'),
        "11-20 12:15 campaign.added One",
        "phone 11-20 13:00: One",
    ),
    Case(
        "a day that is all quiet lasts until the next",
        phone('quiet = "00:00-00:00 sat, sun"'),
        "11-21 09:00 campaign.added One\n11-22 09:00 campaign.added Two",
        "phone 11-23 00:00: One, Two",
    ),
    Case(
        "over the turn of the year a night is one night",
        phone(NIGHT),
        "12-30 23:00 campaign.added One\n12-31 06:00 campaign.added Two",
        "phone 12-31 07:00: One, Two",
    ),
]

RECONSIDERED = [
    Case(
        "what ended in the night is dropped in the morning",
        phone(NIGHT),
        '11-20 23:00 campaign.added Short ends="11-21 05:00"\n11-20 23:00 campaign.added Long ends="11-25 05:00"',
        "phone 11-21 07:00: Long",
    ),
    Case(
        "a night of which nothing is left says nothing",
        phone(NIGHT),
        '11-20 23:00 campaign.added Short ends="11-21 05:00"',
        "",
    ),
    Case(
        "what ends with the night itself is over",
        phone(NIGHT),
        '11-20 23:00 campaign.added Short ends="11-21 07:00"',
        "",
    ),
    Case(
        "the news that it ended is told in the morning all the same",
        phone(NIGHT),
        '11-21 05:00 campaign.ended Short ends="11-21 05:00"',
        "phone 11-21 07:00: Short",
    ),
    Case(
        "a stream that was over by the morning is dropped, and its end is told",
        phone(NIGHT),
        "11-20 23:00 stream.online On channel=ann\n11-21 01:00 stream.offline Off channel=ann",
        "phone 11-21 07:00: Off",
    ),
    Case(
        "a stream that goes on is told in the morning",
        phone(NIGHT),
        "11-20 23:00 stream.online On channel=ann",
        "phone 11-21 07:00: On",
    ),
    Case(
        "another channel's end does not drop a stream",
        phone(NIGHT),
        "11-20 23:00 stream.online Ann channel=ann\n11-21 01:00 stream.offline Off channel=bob",
        "phone 11-21 07:00: Ann, Off",
    ),
    Case(
        "a last chance that is held because nothing is urgent is dropped where there is no time left",
        phone(NIGHT, "urgent = []"),
        '11-21 06:00 campaign.last_chance Late ends="11-21 07:30" minutes=90',
        "",
    ),
    Case(
        "a last chance that is held is told where there is time left",
        phone(NIGHT, "urgent = []"),
        '11-21 06:00 campaign.last_chance Still ends="11-21 09:00" minutes=90',
        "phone 11-21 07:00: Still",
    ),
    Case(
        "what was never held is sent even if it is late",
        phone(),
        '11-20 12:00 campaign.added Over ends="11-20 11:00"',
        "phone 11-20 12:00: Over",
    ),
]

URGENT = [
    Case(
        "a last chance pierces the night",
        phone(NIGHT),
        '11-20 23:00 campaign.added One\n11-21 02:00 campaign.last_chance Now ends="11-21 06:00" minutes=240',
        "phone 11-21 02:00: Now\nphone 11-21 07:00: One",
    ),
    Case(
        "what is urgent is what the target says",
        phone(NIGHT, 'urgent = "stream.online"'),
        '11-21 02:00 stream.online Ann channel=ann\n11-21 02:05 campaign.last_chance Later ends="11-21 12:00"',
        "phone 11-21 02:00: Ann\nphone 11-21 07:00: Later",
    ),
    Case(
        "a whole family may be urgent",
        phone(NIGHT, 'urgent = "release.*"'),
        "11-21 02:00 release.announced Game\n11-21 02:05 campaign.added One",
        "phone 11-21 02:00: Game\nphone 11-21 07:00: One",
    ),
    Case(
        "with nothing urgent nothing pierces",
        phone(NIGHT, "urgent = []"),
        '11-21 02:00 campaign.last_chance Now ends="11-21 12:00"',
        "phone 11-21 07:00: Now",
    ),
    Case(
        "what is urgent waits for no digest",
        phone(DAILY),
        '11-20 12:00 campaign.added One\n11-20 13:00 campaign.last_chance Now ends="11-20 20:00"',
        "phone 11-20 13:00: Now\nphone 11-20 18:00: One",
    ),
    Case(
        "what is urgent waits for no burst",
        phone(BURST),
        '11-20 12:00 campaign.last_chance Now ends="11-20 20:00"',
        "phone 11-20 12:00: Now",
    ),
]

DIGESTS = [
    Case(
        "a daily digest gathers what came since the last",
        phone(DAILY),
        "11-20 09:00 campaign.added One\n11-20 17:59 campaign.added Two\n11-20 18:01 campaign.added Three",
        "phone 11-20 18:00: One, Two\nphone 11-21 18:00: Three",
    ),
    Case(
        "what comes in the minute of the digest is in it",
        phone(DAILY),
        "11-20 18:00 campaign.added One",
        "phone 11-20 18:00: One",
    ),
    Case("a digest of nothing is not sent", phone(DAILY), "11-20 19:00 pause phone", ""),
    Case(
        "a digest leaves out what has ended by then",
        phone(DAILY),
        '11-20 09:00 campaign.added Short ends="11-20 17:00"\n11-20 09:00 campaign.added Long ends="11-30 17:00"',
        "phone 11-20 18:00: Long",
    ),
    Case(
        "an hourly digest comes with each hour in which something was",
        phone('digest = "hourly"'),
        "11-20 09:10 campaign.added One\n11-20 09:50 campaign.added Two\n11-20 11:30 campaign.added Three",
        "phone 11-20 10:00: One, Two\nphone 11-20 12:00: Three",
    ),
    Case(
        "an hourly digest may come at a quarter past",
        phone('digest = "hourly at :15"'),
        "11-20 09:10 campaign.added One\n11-20 09:16 campaign.added Two",
        "phone 11-20 09:15: One\nphone 11-20 10:15: Two",
    ),
    Case(
        "a weekly digest waits for its day",
        phone('digest = "weekly on mon at 09:00"'),
        "11-20 12:00 campaign.added One\n11-23 09:30 campaign.added Two",
        "phone 11-23 09:00: One\nphone 11-30 09:00: Two",
    ),
    Case(
        "a digest that falls into the night waits for the morning",
        phone('digest = "daily at 23:00"', NIGHT),
        "11-20 12:00 campaign.added One\n11-21 01:00 campaign.added Two",
        "phone 11-21 07:00: One\nphone 11-22 07:00: Two",
    ),
    Case(
        "a digest is at its time in the target's own zone",
        phone(DAILY, zone="America/New_York"),
        "11-20 12:00 campaign.added One",
        "phone 11-20 23:00: One",
    ),
    Case(
        "a digest holds more than a message of a burst",
        phone(DAILY),
        "\n".join(f"11-20 09:00 campaign.added E{number}" for number in range(25)),
        "phone 11-20 18:00: " + ", ".join(f"E{number}" for number in range(25)),
    ),
]

BURSTS = [
    Case(
        "what comes within seconds is one message",
        phone(BURST),
        "11-20 12:00:00 campaign.added One\n11-20 12:00:40 campaign.added Two",
        "phone 11-20 12:01:40: One, Two",
    ),
    Case(
        "what comes after the burst is a message of its own",
        phone(BURST),
        "11-20 12:00 campaign.added One\n11-20 12:05 campaign.added Two",
        "phone 11-20 12:01: One\nphone 11-20 12:06: Two",
    ),
    Case(
        "a burst that does not end is cut at its longest",
        phone(BURST),
        "\n".join(f"11-20 12:0{n // 60}:{n % 60:02} campaign.added E{n}" for n in range(0, 200, 50)),
        "phone 11-20 12:02:30: E0, E50, E100, E150",
    ),
    Case(
        "a burst that says nothing of its longest waits as long as it says",
        phone('burst = "10min"'),
        "11-20 12:00 campaign.added One\n11-20 12:06 campaign.added Two",
        "phone 11-20 12:10: One, Two",
    ),
    Case(
        "a burst that runs into the night waits for the morning",
        phone(BURST, NIGHT),
        "11-20 21:59:30 campaign.added One\n11-20 22:00:10 campaign.added Two",
        "phone 11-21 07:00: One, Two",
    ),
]

CLOCKS = [
    Case(
        "the night in which an hour is skipped is an hour shorter",
        phone(NIGHT, zone=BERLIN),
        "03-28 23:00 campaign.added One",
        "phone 03-29 07:00: One",
        zone=BERLIN,
    ),
    Case(
        "the night in which an hour is repeated is an hour longer",
        phone(NIGHT, zone=BERLIN),
        "10-24 23:00 campaign.added One",
        "phone 10-25 07:00: One",
        zone=BERLIN,
    ),
    Case(
        "quiet hours that end in a repeated hour end the second time",
        phone('quiet = "22:00-02:30"', zone=BERLIN),
        "10-24 23:00 campaign.added One",
        "phone 10-25 01:30 UTC: One",
        zone=BERLIN,
    ),
    Case(
        "quiet hours that begin in a repeated hour begin the first time",
        phone('quiet = "02:30-05:00"', zone=BERLIN),
        "10-25 00:45 UTC campaign.added One\n10-25 01:10 UTC campaign.added Two",
        "phone 10-25 05:00: One, Two",
        zone=BERLIN,
    ),
    Case(
        "quiet hours that end in a skipped hour end as long after midnight as ever",
        phone('quiet = "22:00-02:30"', zone=BERLIN),
        "03-28 23:00 campaign.added One",
        "phone 03-29 03:30: One",
        zone=BERLIN,
    ),
    Case(
        "a digest in a repeated hour comes once, the first time",
        phone('digest = "daily at 02:30"', zone=BERLIN),
        "10-24 12:00 campaign.added One\n10-25 00:45 UTC campaign.added Two",
        "phone 10-25 00:30 UTC: One\nphone 10-26 02:30: Two",
        zone=BERLIN,
    ),
    Case(
        "a digest in a skipped hour comes all the same",
        phone('digest = "daily at 02:30"', zone=BERLIN),
        "03-28 12:00 campaign.added One",
        "phone 03-29 03:30: One",
        zone=BERLIN,
    ),
    Case(
        "an hourly digest comes in both of two hours of one name",
        phone('digest = "hourly"', zone=BERLIN),
        "10-25 00:30 UTC campaign.added One\n10-25 01:30 UTC campaign.added Two",
        "phone 10-25 01:00 UTC: One\nphone 10-25 03:00: Two",
        zone=BERLIN,
    ),
    Case(
        "a daily digest is at its hour on the day after the clocks changed",
        phone('digest = "daily at 08:00"', zone=BERLIN),
        "10-25 12:00 campaign.added One",
        "phone 10-26 08:00: One",
        zone=BERLIN,
    ),
    Case(
        "clocks that change in New York change nothing in Berlin",
        phone(NIGHT, zone=BERLIN) + phone(NIGHT, name="york", zone="America/New_York"),
        "11-01 04:00 UTC campaign.added One",
        "phone 11-01 07:00: One\nyork 11-01 13:00: One",
        zone=BERLIN,
    ),
    Case(
        "a release is told when its day begins where the target is",
        phone(zone="America/New_York") + phone(name="tokyo", zone="Asia/Tokyo"),
        "11-19 16:00 release.out Game when=2026-11-20",
        "tokyo 11-19 16:00: Game\nphone 11-20 05:00: Game",
    ),
]

MOVED = [
    Case(
        "a zone that changes in the night moves its end",
        phone(NIGHT, zone=BERLIN),
        "11-20 23:00 campaign.added One\n11-20 23:30 apply moved",
        "phone 11-20 23:30: One",
        zone=BERLIN,
        later={"moved": phone(NIGHT, zone="Asia/Tokyo")},
    ),
    Case(
        "a night that is taken away lets go of what it held",
        phone(NIGHT),
        "11-20 23:00 campaign.added One\n11-21 01:00 apply awake",
        "phone 11-21 01:00: One",
        later={"awake": phone()},
    ),
    Case(
        "a night that is made longer holds what it holds for longer",
        phone(NIGHT),
        "11-20 23:00 campaign.added One\n11-21 01:00 apply longer",
        "phone 11-21 09:00: One",
        later={"longer": phone('quiet = "22:00-09:00"')},
    ),
    Case(
        "a digest that is moved forward comes at its new time",
        phone(DAILY),
        "11-20 09:00 campaign.added One\n11-20 10:00 apply noon",
        "phone 11-20 12:00: One",
        later={"noon": phone('digest = "daily at 12:00"')},
    ),
    Case(
        "a digest that is given up sends what it gathered",
        phone(DAILY),
        "11-20 09:00 campaign.added One\n11-20 10:00 apply none",
        "phone 11-20 10:00: One",
        later={"none": phone()},
    ),
    Case(
        "a digest whose new time is over today sends what it gathered at once",
        phone(DAILY),
        "11-20 09:00 campaign.added One\n11-20 13:00 apply noon\n11-20 14:00 campaign.added Two",
        "phone 11-20 13:00: One\nphone 11-21 12:00: Two",
        later={"noon": phone('digest = "daily at 12:00"')},
    ),
    Case(
        "what became urgent goes at once",
        phone(NIGHT),
        "11-20 23:00 campaign.added One\n11-21 01:00 apply urgent",
        "phone 11-21 01:00: One",
        later={"urgent": phone(NIGHT, 'urgent = "campaign.added"')},
    ),
    Case(
        "a subscription that is gone takes nothing back",
        phone(NIGHT),
        "11-20 23:00 campaign.added One\n11-21 01:00 apply less\n11-21 02:00 campaign.added Two",
        "phone 11-21 07:00: One",
        later={"less": phone(NIGHT, wants='kinds = "stream.*"')},
    ),
    Case(
        "a target that is gone from the rules is sent nothing more",
        phone(NIGHT) + phone(name="mail"),
        "11-20 23:00 campaign.added One\n11-21 01:00 apply mail",
        "mail 11-20 23:00: One",
        later={"mail": phone(name="mail")},
    ),
]

MUTED = [
    Case(
        "of what happens while it is muted a target is never told",
        phone(),
        "11-20 12:00 mute phone 3h\n11-20 13:00 campaign.added Unheard\n11-20 15:00 campaign.added Heard",
        "phone 11-20 15:00: Heard",
    ),
    Case(
        "a mute holds even what is urgent",
        phone(),
        '11-20 12:00 mute phone 3h\n11-20 13:00 campaign.last_chance Now ends="11-20 14:00"',
        "",
    ),
    Case(
        "a mute of a game leaves the others",
        phone(),
        "11-20 12:00 mute phone 2d Rust\n11-20 13:00 campaign.added Hat game=Rust\n"
        "11-20 13:00 campaign.added Cap game=Palia",
        "phone 11-20 13:00: Cap",
    ),
    Case(
        "a mute that is ended is over",
        phone(),
        "11-20 12:00 mute phone 3h\n11-20 12:30 unmute phone\n11-20 13:00 campaign.added Heard",
        "phone 11-20 13:00: Heard",
    ),
    Case(
        "a mute of one target leaves another",
        phone() + phone(name="mail"),
        "11-20 12:00 mute phone 3h\n11-20 13:00 campaign.added One",
        "mail 11-20 13:00: One",
    ),
    Case(
        "what a night holds waits for the end of a mute that lasts beyond the morning",
        phone(NIGHT),
        "11-20 23:00 campaign.added One\n11-21 06:00 mute phone 3h\n11-21 07:30 campaign.added Unheard",
        "phone 11-21 09:00: One",
    ),
    Case(
        "a digest that is due in a mute comes at its end, without what happened meanwhile",
        phone('digest = "daily at 18:00"'),
        "11-20 09:00 campaign.added One\n11-20 17:00 mute phone 3h\n11-20 17:30 campaign.added Unheard",
        "phone 11-20 20:00: One",
    ),
    Case(
        "what waited is told when its mute is ended early",
        phone(NIGHT),
        "11-20 23:00 campaign.added One\n11-21 06:00 mute phone 5h\n11-21 08:00 unmute phone",
        "phone 11-21 08:00: One",
    ),
    Case(
        "a mute that was over begins anew",
        phone(NIGHT),
        "11-20 12:00 mute phone 1h\n11-20 23:00 campaign.added One\n11-21 06:30 mute phone 1h",
        "phone 11-21 07:30: One",
    ),
    Case(
        "what was refused before a mute comes again at its end",
        phone(),
        "11-20 12:00 refused 1\n11-20 12:00 campaign.added One\n11-20 12:00:10 mute phone 3h",
        "phone 11-20 15:00:10: One",
    ),
    Case(
        "a mute that is over by the morning drops nothing that the night holds",
        phone(NIGHT),
        "11-20 22:30 mute phone 3h\n11-21 02:00 campaign.added Two",
        "phone 11-21 07:00: Two",
    ),
]

PAUSED = [
    Case(
        "of what happens while it is paused a target is not told",
        phone(),
        "11-20 12:00 pause phone\n11-20 13:00 campaign.added Unheard\n"
        "11-20 14:00 resume phone\n11-20 15:00 campaign.added Heard",
        "phone 11-20 15:00: Heard",
    ),
    Case(
        "what waited when it was paused is sent when that is over",
        phone(NIGHT),
        "11-20 23:00 campaign.added One\n11-20 23:30 pause phone\n11-21 12:00 resume phone",
        "phone 11-21 12:00: One",
    ),
    Case(
        "what ended in a pause is dropped",
        phone(NIGHT),
        '11-20 23:00 campaign.added One ends="11-21 10:00"\n11-20 23:30 pause phone\n11-21 12:00 resume phone',
        "",
    ),
    Case(
        "a pause that ends in the night waits for the morning",
        phone(DAILY, NIGHT),
        "11-20 12:00 campaign.added One\n11-20 12:30 pause phone\n11-20 23:30 resume phone",
        "phone 11-21 07:00: One",
    ),
]

FAILED = [
    Case(
        "what was refused comes again after a pause",
        phone(),
        "11-20 12:00 refused 1\n11-20 12:00 campaign.added One",
        "phone 11-20 12:00:30: One",
    ),
    Case(
        "what was refused before the night comes in the morning",
        phone(NIGHT),
        "11-20 21:59:50 refused 1\n11-20 21:59:50 campaign.added One",
        "phone 11-21 07:00: One",
    ),
    Case(
        "what a sender died with comes again when its lease is over",
        phone(),
        "11-20 12:00 dies 1\n11-20 12:00 campaign.added One",
        "phone 11-20 12:02:30: One",
    ),
    Case(
        "a digest that was refused comes one by one",
        phone(DAILY),
        "11-20 12:00 campaign.added One\n11-20 12:01 campaign.added Two\n11-20 13:00 refused 1",
        "phone 11-20 18:00:30: One\nphone 11-20 18:00:30: Two",
    ),
    Case(
        "what comes while another message is refused goes by itself",
        phone(),
        "11-20 12:00 refused 1\n11-20 12:00 campaign.added One\n11-20 12:00:10 campaign.added Two",
        "phone 11-20 12:00:10: Two\nphone 11-20 12:00:30: One",
    ),
]

HATS = '11-20 08:00 campaign Hats game=Rust ends="11-25 08:00" drops=Hat:60,Coat:120\n'

EARNED = [
    Case(
        "what somebody has of a campaign does not remind of it",
        phone(),
        HATS + "11-21 12:00 claimed Hats\n11-24 08:00 campaign.ending_soon Soon campaign=Hats",
        "",
    ),
    Case(
        "what somebody ignores does not remind",
        phone(),
        HATS + "11-21 12:00 ignored Rust\n11-25 05:00 campaign.last_chance Now campaign=Hats",
        "",
    ),
    Case(
        "news of a campaign that is claimed are told",
        phone(),
        HATS + "11-21 12:00 claimed Hats\n11-24 08:00 campaign.changed Other campaign=Hats",
        "phone 11-24 08:00: Other",
    ),
    Case(
        "what is wanted again reminds again",
        phone(),
        HATS + "11-21 12:00 claimed Hats\n11-21 13:00 wanted Hats\n11-24 08:00 campaign.ending_soon Soon campaign=Hats",
        "phone 11-24 08:00: Soon",
    ),
    Case(
        "what is claimed while a reminder is held drops it",
        phone(NIGHT),
        HATS + "11-23 23:00 campaign.ending_soon Soon campaign=Hats\n11-24 06:59 claimed Hats",
        "",
    ),
    Case(
        "what is claimed for one target reminds at the other",
        phone() + phone(name="mail"),
        HATS + "11-21 12:00 ignored Rust for phone\n11-24 08:00 campaign.ending_soon Soon campaign=Hats",
        "mail 11-24 08:00: Soon",
    ),
    Case(
        "one reward of two that is claimed still reminds",
        phone(),
        HATS + "11-21 12:00 claimed Hat\n11-24 08:00 campaign.ending_soon Soon campaign=Hats",
        "phone 11-24 08:00: Soon",
    ),
    Case(
        "both rewards, one claimed and one ignored, remind no more",
        phone(),
        HATS + "11-21 12:00 claimed Hat\n11-21 12:00 ignored Coat\n11-24 08:00 campaign.ending_soon Soon campaign=Hats",
        "",
    ),
    Case(
        "what Twitch says is claimed reminds no more",
        phone(),
        HATS
        + "11-21 12:00 watched Hat 60 claimed\n11-21 12:00 watched Coat 120 claimed\n"
        + "11-24 08:00 campaign.ending_soon Soon campaign=Hats",
        "",
    ),
    Case(
        "a last chance waits as long as what is watched already allows",
        phone(),
        HATS
        + "11-25 05:00 watched Coat 90\n11-25 05:00 watched Hat 60\n11-25 06:00 campaign.last_chance Now campaign=Hats",
        "phone 11-25 07:20: Now",
    ),
    Case(
        "a last chance for somebody who has begun nothing is told at its time",
        phone(),
        HATS + "11-25 06:00 campaign.last_chance Now campaign=Hats",
        "phone 11-25 06:00: Now",
    ),
    Case(
        "a last chance for drops that follow each other counts both",
        phone(),
        '11-20 08:00 campaign Hats ends="11-25 08:00" drops=Hat:60,>Coat:60\n'
        "11-25 05:00 watched Hat 30\n11-25 05:00 watched Coat 0\n11-25 06:00 campaign.last_chance Now campaign=Hats",
        "phone 11-25 06:20: Now",
    ),
    Case(
        "what is claimed while a last chance waits drops it",
        phone(),
        HATS
        + "11-25 05:00 watched Coat 90\n11-25 06:00 campaign.last_chance Now campaign=Hats\n11-25 06:45 claimed Hats",
        "",
    ),
]

WANTED = [
    Case(
        "a subscription to beginnings hears of nothing else",
        phone(wants='kinds = ["campaign.started", "!campaign.changed"]'),
        "11-20 12:00 campaign.added One\n11-20 13:00 campaign.started Two",
        "phone 11-20 13:00: Two",
    ),
    Case(
        "all but one kind",
        phone(wants='kinds = ["campaign.*", "!campaign.changed"]'),
        "11-20 12:00 campaign.changed One\n11-20 13:00 campaign.added Two",
        "phone 11-20 13:00: Two",
    ),
    Case(
        "a game is named in any spelling",
        phone(wants='games = "sea of thieves"'),
        '11-20 12:00 campaign.added One game="Sea of Thieves™"\n11-20 13:00 campaign.added Two game=Rust',
        "phone 11-20 12:00: One",
    ),
    Case(
        "a blocked word blocks whatever its case",
        phone(wants='block = "MOBILE"'),
        "11-20 12:00 campaign.added Mobile skins\n11-20 13:00 campaign.added Automobile skins",
        "phone 11-20 13:00: Automobile skins",
    ),
    Case(
        "what takes too long, or what nobody knows the length of, is not for an evening",
        phone(wants="max_minutes = 240"),
        "11-20 12:00 campaign.added Long minutes=300\n11-20 12:05 campaign.added Unknown\n"
        "11-20 12:10 campaign.added Short minutes=60",
        "phone 11-20 12:10: Short",
    ),
    Case(
        "what costs money is left out",
        phone(wants="no_subscriptions = true"),
        "11-20 12:00 campaign.added Paid subs=1\n11-20 12:10 campaign.added Free",
        "phone 11-20 12:10: Free",
    ),
    Case(
        "badges alone",
        phone(wants='rewards = "badge"'),
        "11-20 12:00 campaign.added Item reward=Hat\n11-20 12:10 campaign.added Badge reward=Star gives=BADGE",
        "phone 11-20 12:10: Badge",
    ),
    Case(
        "games that are followed when the event happens",
        phone(wants="followed_games = true"),
        "11-20 12:00 campaign.added Before game=Rust\n11-20 12:05 follow game Rust\n"
        "11-20 12:10 campaign.added After game=Rust",
        "phone 11-20 12:10: After",
    ),
    Case(
        "a rerun is for those who name it",
        phone() + phone(name="mail", wants='kinds = "stream.rerun"'),
        "11-20 12:00 stream.rerun Again channel=ann",
        "mail 11-20 12:00: Again",
    ),
    Case(
        "a language holds its dialects",
        phone(wants='languages = "pt"'),
        "11-20 12:00 stream.online Ann channel=ann language=pt-BR\n"
        "11-20 12:05 stream.online Bob channel=bob language=en",
        "phone 11-20 12:00: Ann",
    ),
    Case(
        "campaigns with whose game the account is linked",
        phone(wants="linked = true"),
        '11-20 08:00 campaign Hats ends="11-25 08:00" link=https://id.example/a\n11-20 09:00 linked Hats\n'
        '11-20 08:00 UTC campaign Caps ends="11-25 08:00" link=https://id.example/b\n11-20 09:00 unlinked Caps\n'
        "11-20 12:00 campaign.started Hat campaign=Hats\n11-20 12:00 campaign.started Cap campaign=Caps",
        "phone 11-20 12:00: Hat",
    ),
    Case(
        "campaigns with whose game the account has to be linked first",
        phone(wants="linked = false"),
        '11-20 08:00 campaign Hats ends="11-25 08:00" link=https://id.example/a\n11-20 09:00 unlinked Hats\n'
        "11-20 12:00 campaign.started Hat campaign=Hats\n11-20 12:05 campaign.added Nobody knows",
        "phone 11-20 12:00: Hat",
    ),
    Case(
        "one account serves all campaigns with the same address for linking",
        phone(wants="linked = true"),
        '11-20 08:00 campaign Hats ends="11-25 08:00" link=https://id.example/a\n11-20 09:00 linked Hats\n'
        '11-20 10:00 campaign Caps ends="11-25 08:00" link=https://id.example/a\n'
        "11-20 12:00 campaign.started Cap campaign=Caps",
        "phone 11-20 12:00: Cap",
    ),
]

CASES: tuple[Case, ...] = (
    *AT_ONCE,
    *NIGHTS,
    *RECONSIDERED,
    *URGENT,
    *DIGESTS,
    *BURSTS,
    *CLOCKS,
    *MOVED,
    *MUTED,
    *PAUSED,
    *FAILED,
    *EARNED,
    *WANTED,
)
