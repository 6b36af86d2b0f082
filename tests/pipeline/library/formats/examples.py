"""A small file of each format, written for tests: made-up values in the shapes that the formats have."""

import json
from typing import Any

from pipeline.library.formats import export_lines, recognise
from pipeline.library.records import ListRecord, Placing, PlaythroughRecord, Reading, ReadOptions, Record


def read(data: bytes | str, name: str = "a file", **options: Any) -> Reading:
    payload = data.encode() if isinstance(data, str) else data
    return recognise(payload, name, ReadOptions(**options))


def dumped(value: object) -> bytes:
    return json.dumps(value).encode()


STEAM = dumped(
    {
        "response": {
            "game_count": 3,
            "games": [
                {"appid": 620, "name": "Portal 2", "playtime_forever": 90, "rtime_last_played": 1700000000},
                {"appid": 70, "name": "Half-Life", "playtime_forever": 0, "rtime_last_played": 0},
                {"appid": 431960, "name": "Wallpaper Engine", "playtime_forever": 5},
            ],
        }
    }
)
LOCALCONFIG = b"""\
"UserLocalConfigStore"
{
\t"friends" { "PersonaName" "A \\"quoted\\" name" "apps" { "99" { "LastPlayed" "1" } } }
\t"software"
\t{
\t\t"Valve" { "Steam" {
\t\t"Apps"
\t\t{
\t\t\t"620"
\t\t\t{
\t\t\t\t"lastplayed"\t\t"1700000000"
\t\t\t\t"Playtime"\t\t"90"
\t\t\t\t"cloud" { "last_sync_state" "synchronized" }
\t\t\t}
\t\t\t"70" { }
\t\t\t"228980" { "LastPlayed" "1700000000" }
\t\t}
\t\t} }
\t}
}
"""
PLAYNITE = b"\xef\xbb\xbf" + dumped(
    [
        {
            "Name": "Grim Fandango",
            "Id": "7c00f1aa-ce5d-4abf-9d47-228ef645f68b",
            "GameId": "1207667183",
            "Source": {"Id": "54ed74fa-7591-4afa-9d76-e3dcfbbb0462", "Name": "GOG"},
            "SourceId": "54ed74fa-7591-4afa-9d76-e3dcfbbb0462",
            "Playtime": 3600,
            "LastActivity": "2025-08-31T18:31:55.9710001-03:00",
            "ReleaseDate": {"ReleaseDate": "2015-01-27"},
            "Platforms": [{"Name": "PC (Windows)"}],
            "CompletionStatus": {"Name": "Beaten"},
            "UserScore": 85,
            "Favorite": True,
        },
        {"Name": "Grim Fandango", "Source": {"Name": "Xbox"}, "Playtime": 0},
    ]
)
PLAYNITE_OBJECT = dumped(
    {"Games": [{"Name": "Tunic", "GameId": "x-1", "Source": "Epic", "SourceId": "Fox", "Playtime": 60, "Hidden": True}]}
)
HEROIC = dumped(
    {
        "library": [
            {"runner": "legendary", "app_name": "Quail", "title": "Quail Hunt", "install": {"is_dlc": False}},
            {"runner": "legendary", "app_name": "QuailDLC", "title": "Quail Hunt: Winter", "install": {"is_dlc": True}},
        ]
    }
)
HEROIC_GOG = dumped(
    {
        "games": [
            {"runner": "gog", "app_name": "1441257285", "title": "Fallout 2", "extra": {"releaseDate": 909705600}},
            {"runner": "gog", "app_name": "gog-redist", "title": "Galaxy Common Redistributables"},
        ]
    }
)
LEGENDARY = dumped(
    [
        {
            "app_name": "Quail",
            "app_title": "Quail Hunt",
            "metadata": {"categories": [{"path": "games"}]},
            "dlcs": [{"app_name": "QuailDLC", "app_title": "Quail Hunt: Winter", "metadata": {"mainGameItem": {}}}],
        },
        {"app_name": "UE_5", "app_title": "An Engine", "metadata": {"categories": [{"path": "engines"}]}},
    ]
)
LEGENDARY_CSV = b"App name,App title,Version,Is DLC\nQuail,Quail Hunt,1.0,False\nQuailDLC,Quail Hunt: Winter,,True\n"
YAMTRACK = b"""\
"media_id","source","media_type","title","image","season_number","episode_number","score","progress","status",\
"start_date","end_date","notes","progressed_at"
"10494","tmdb","movie","A Film","","","","9.0","1","Completed","","2024-02-09","",""
"71","igdb","game","Portal","","","","8.5","3h 00min","Completed","2024-02-08","2024-02-09","good",""
"72","igdb","game","Portal 2","","","","","45","In progress","","","",""
"m1","manual","game","My Own Game","","","","","","Planning","","","",""
"""
GROUVEE = (
    b"id,name,shelves,platforms,rating,review,dates,statuses,genres,franchises,developers,publishers,release_date,url,"
    b"giantbomb_id\n"
    b'1,Left Behind,"{""Backlog"": {}}","{""PC"": {}}",4,,'
    b'"[{""date_started"": ""2010-01-01"", ""date_finished"": ""2020-02-02"", ""seconds_played"": 36300, '
    b'""level_of_completion"": null}]",[],{},"{""Behind"": {}}",{},{},1999-Q3,x,1\n'
    b'2,Wanted,"{""Wish List"": {}}",{},,,[],[],{},{},{},{},2022,x,2\n'
    b'3,Waiting,"{""Backlog"": {}, ""With friends"": {}}",{},,,'
    b'"[{""date_started"": ""None"", ""date_finished"": ""None"", ""seconds_played"": 0, '
    b'""level_of_completion"": null}]",[],{},{},{},{},,x,3\n'
)
HLTB_HEADER = (
    "Title,Platform,Playing,Backlog,Replay,Custom-1,Custom-2,Custom-3,Completed,Retired,Retired Notes,Start Date,"
    "Completion Date,Playthrough,Progress,Main Story,Main Story Notes,Main + Extras,Main + Extras Notes,Completionist,"
    "Completionist Notes,General Notes,Storefront,Review,Review Notes\n"
)
HLTB = (
    HLTB_HEADER + "Ico,PlayStation 2,,,,,,,X,,,,2012-00-00,First-Play,--,46:30,,--,,--,,,,70,\n"
    "Rez,PC,,X,,X,,,,,,,,,--,--,,--,,--,,,Steam,0,\n"
).encode()
BACKLOGGD = dumped(
    {
        "format": "backloggd-transfer",
        "version": 2,
        "entries": [
            {
                "title": "Raft",
                "slug": "raft",
                "log": {"is_play": True, "status": "completed", "game_liked": True},
                "playthroughs": [{"rating": 5, "platform": 6, "start_date": "2024-08-02", "finish_date": ""}],
                "dates": [{"range_start_date": "2024-08-02", "range_end_date": "2024-08-03", "note": "wet"}],
            }
        ],
    }
)
BACKLOGGD_CSV = (
    b"Game Name,Platform,is_play,is_playing,is_backlog,is_wishlist,status,score\n"
    b"Ikaruga,Dreamcast,false,false,true,false,completed,\n"
    b"Metal Slug X,Arcade,true,false,false,false,completed,9\n"
    b"Rez,PC,false,false,false,true,completed,\n"
)
RETROACHIEVEMENTS = dumped(
    {
        "Count": 2,
        "Total": 2,
        "Results": [
            {
                "GameID": 1446,
                "Title": "~Hack~ Some Plumber | Some Other Plumber",
                "ConsoleName": "NES/Famicom",
                "NumAwarded": 12,
                "HighestAwardKind": "beaten-softcore",
                "HighestAwardDate": "2014-01-08T23:56:20+00:00",
            },
            {"GameID": 9, "Title": "Puzzle [Subset - Bonus]", "ConsoleName": "SNES", "NumAwarded": 1},
        ],
    }
)
OWN = b"".join(
    export_lines(
        [
            Record(
                line=1,
                written="Ico",
                store="playstation",
                ownership="owned",
                rating=90.0,
                rating_scale=10,
                playthroughs=(PlaythroughRecord(key="k:1:2", status="finished", finished="1999-Q3"),),
                placings=(Placing(name="Top", place=1),),
            )
        ],
        [ListRecord(name="Top", ranked=True)],
    )
)
CSV = b"Game,Finished,Platform,Service\nTunic,26.7.2026,Linux,GOG\nIndika,12.7.2026, Linux,Steam\n"
MARKDOWN = b"""\
# Games I have completed

## Final Fantasy (FF)

- Final Fantasy VII (PS1)
- Final Fantasy XVI (PS5, NG+)

## Top 3

1. FF6
2. Ico (PS2)
"""
TEXT = b"Ico\nRez (Dreamcast)\n"

EXAMPLES = {
    "steam": STEAM,
    "steam-localconfig": LOCALCONFIG,
    "playnite": PLAYNITE,
    "heroic": HEROIC,
    "legendary": LEGENDARY,
    "legendary-csv": LEGENDARY_CSV,
    "yamtrack": YAMTRACK,
    "grouvee": GROUVEE,
    "hltb": HLTB,
    "backloggd": BACKLOGGD,
    "backloggd-csv": BACKLOGGD_CSV,
    "retroachievements": RETROACHIEVEMENTS,
    "lootwire": OWN,
    "csv": CSV,
    "markdown": MARKDOWN,
}
