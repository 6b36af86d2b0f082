"""The schedule: each tick's task and its period in seconds. Data only.

A tick is a hint that something may be due; what is due stands in the database. So a tick that is missed, late or
doubled only delays work, and a message that waited longer than its period is dropped (`expires`): the next one
says the same.
"""

BEAT_SCHEDULE = {
    "fetch sources that are due": {
        "task": "tick.fetch_due",
        "schedule": 5.0,
        "options": {"expires": 5.0},
    },
    "start and end campaigns by the clock": {
        "task": "tick.advance_clock",
        "schedule": 20.0,
        "options": {"expires": 20.0},
    },
    "send what a lost hint left lying": {
        "task": "send.due",
        "schedule": 15.0,
        "options": {"expires": 15.0},
    },
    "publish what a lost hint left lying": {
        "task": "publish.marked",
        "schedule": 30.0,
        "options": {"expires": 30.0},
    },
    "copy pictures": {
        "task": "fetch.pictures",
        "schedule": 30.0,
        "options": {"expires": 30.0},
    },
    "copy what is published to the bucket": {
        "task": "fetch.mirror",
        "schedule": 60.0,
        "options": {"expires": 60.0},
    },
    "tell hubs what is published": {
        "task": "fetch.hubs",
        "schedule": 60.0,
        "options": {"expires": 60.0},
    },
    "import what lies in the inbox": {
        "task": "fetch.inbox",
        "schedule": 60.0,
        "options": {"expires": 60.0},
    },
    # Each file once a day; what is due stands in the database.
    "look again at lines of libraries that wait": {
        "task": "fetch.waiting_lines",
        "schedule": 3600.0,
        "options": {"expires": 3600.0},
    },
    "look at folders of ROMs that are due": {
        "task": "fetch.roms",
        "schedule": 60.0,
        "options": {"expires": 60.0},
    },
    "look for sounds to fetch": {
        "task": "sound.due",
        "schedule": 15.0,
        "options": {"expires": 15.0},
    },
    "let go of sounds, and free what nothing needs": {
        "task": "sound.sweep",
        "schedule": 3600.0,
        "options": {"expires": 3600.0},
    },
    "apply rules that changed": {
        "task": "fetch.rules",
        "schedule": 60.0,
        "options": {"expires": 60.0},
    },
    "handle messages of Twitch that a dead program left": {
        "task": "tick.eventsub",
        "schedule": 15.0,
        "options": {"expires": 15.0},
    },
    "show that a worker works": {
        "task": "tick.heartbeat",
        "schedule": 30.0,
        "options": {"expires": 30.0},
    },
    "tell operators what is wrong, and ping": {
        "task": "tick.operator",
        "schedule": 60.0,
        "options": {"expires": 60.0},
    },
    "give the credits of plans": {
        "task": "tick.credits",
        "schedule": 60.0,
        "options": {"expires": 60.0},
    },
    # Asks only where the last time was nearly an hour ago: Twitch wants sign-ins validated hourly.
    "validate the sign-in at Twitch": {
        "task": "tick.validate_sign_ins",
        "schedule": 600.0,
        "options": {"expires": 600.0},
    },
    # Beat counts from its start: a machine that is off at night would never come to a day.
    "forget old fetch runs": {
        "task": "tick.prune",
        "schedule": 21600.0,
        "options": {"expires": 21600.0},
    },
}
