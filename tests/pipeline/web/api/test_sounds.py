"""`/sounds`, `/plays`, `/extractions`, `/shows` and `/playlists` over HTTP."""

import os
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine, insert, select, text, update

from models import Channel, Extraction, Follow, Person, Plan, Play, Rendition, Sound, SoundFolder
from models.people import OWNER_ID
from pipeline.people.records import Role
from pipeline.runtime.runtime import Runtime, utc_now
from tests.pipeline.sound.rows import NOON, add_sound
from tests.pipeline.web.api.conftest import ClientFor, KeyFor

AddPerson = Callable[[str, Role], int]
AddSound = Callable[..., int]
ADDRESS = "https://sounds.example/watch/1"


@pytest.fixture
def keep(engine: Engine, runtime: Runtime, tmp_path: Path) -> AddSound:
    """Keeps a sound of a title, whose original is that title."""

    def keep(title: str, **values: Any) -> int:
        file = tmp_path / f"{title}.wav"
        file.write_text(title)
        with engine.begin() as connection:
            return add_sound(connection, runtime.settings.data_dir, file, title=title, **values)

    return keep


@pytest.fixture
def ann(engine: Engine) -> int:
    """A channel that the owner follows, so that nobody need ask Twitch for it."""
    row = {"service": "twitch", "external_id": "501", "login": "ann", "display_name": "Ann", "first_seen_at": NOON}
    with engine.begin() as connection:
        channel_id = connection.scalars(insert(Channel).values(row).returning(Channel.id)).one()
        connection.execute(insert(Follow).values(kind="channel", channel_id=channel_id, created_at=NOON))
    return channel_id


def titles(answer: httpx.Response) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [each["title"] for each in answer.json()["items"]]


def walk(client: httpx.Client, path: str, **query: Any) -> list[dict[str, Any]]:
    """Return all of a list, two items a page."""
    items: list[dict[str, Any]] = []
    cursor: str | None = ""
    while cursor is not None:
        page = client.get(path, params={"limit": 2, **query, **({"cursor": cursor} if cursor else {})})
        assert page.status_code == 200, page.text
        items += page.json()["items"]
        cursor = page.json()["next"]
    return items


def render(engine: Engine, runtime: Runtime, sound_id: int, content: bytes, profile: str = "podcast") -> None:
    path = f"sounds/renditions/aa/{sound_id}-{profile}.mp3"
    (runtime.settings.data_dir / path).parent.mkdir(parents=True, exist_ok=True)
    (runtime.settings.data_dir / path).write_bytes(content)
    row = {"sound_id": sound_id, "profile": profile, "state": "ready", "path": path, "size": len(content)}
    with engine.begin() as connection:
        connection.execute(insert(Rendition).values(**row, digest=b"\x07" * 32, next_due_at=NOON))


def test_sounds_are_listed_the_newest_first_and_page_by_page(owner: httpx.Client, keep: AddSound) -> None:
    for number, title in enumerate(("horn", "bell", "drum", "gong", "harp")):
        keep(title, published_at=NOON + timedelta(hours=number // 2))

    assert [each["title"] for each in walk(owner, "/sounds")] == ["harp", "gong", "drum", "bell", "horn"]


def test_sounds_are_found_by_all_that_a_filter_says(owner: httpx.Client, keep: AddSound, engine: Engine) -> None:
    horn = keep("air horn", kind="effect", tags=["loud"])
    keep("bell", kind="effect", missing_at=NOON)
    keep("drum", artist="Horn section")
    owner.post("/playlists", json={"name": "Mine"})
    owner.post("/playlists/mine/sounds", json={"sounds": [horn]})
    with engine.begin() as connection:
        ready = {"profile": "off", "state": "ready", "next_due_at": NOON}
        connection.execute(insert(Rendition).values(sound_id=horn, **ready))
        connection.execute(update(Rendition).values(state="ready"))

    for query, expected in (
        ({"kind": "effect"}, {"air horn", "bell"}),
        ({"tag": "loud"}, {"air horn"}),
        ({"search": "HORN"}, {"air horn", "drum"}),
        ({"missing": "true"}, {"bell"}),
        ({"unrendered": "true", "kind": "track"}, {"drum"}),
        ({"playlist": "Mine"}, {"air horn"}),
    ):
        assert set(titles(owner.get("/sounds", params=query))) == expected, query
    assert owner.get("/sounds", params={"kind": "song"}).json()["errors"][0]["pointer"] == "/query/kind"
    assert owner.get("/sounds", params={"show": "none"}).status_code == 404


def test_a_sound_is_shown_tagged_and_removed(owner: httpx.Client, keep: AddSound, runtime: Runtime) -> None:
    number = keep("horn", chapters=[{"start": 0.0, "title": "Rust"}])
    original = runtime.settings.data_dir / owner.get(f"/sounds/{number}").json()["original"]

    assert owner.get(f"/sounds/{number}").json()["chapters"] == [{"start": 0.0, "title": "Rust"}]
    tags = owner.post(f"/sounds/{number}/tags", json={"add": ["loud", "short"], "remove": ["LOUD"]})
    assert tags.json() == {"sound": number, "tags": ["loud", "short"]}
    assert owner.get("/sounds/tags").json()["items"][0] == {"tag": "loud", "sounds": 1}
    assert owner.post(f"/sounds/{number}/tags", json={}).status_code == 422
    assert owner.get("/sounds/stats").json()["kinds"][0]["sounds"] == 1

    assert original.exists()
    assert owner.delete(f"/sounds/{number}", headers={"If-Match": "*"}).status_code == 204
    assert owner.get(f"/sounds/{number}").status_code == 404
    assert not original.exists()


def test_addresses_are_fetched_once_and_what_is_wrong_with_one_is_said(owner: httpx.Client, engine: Engine) -> None:
    first = owner.post("/sounds", json={"addresses": [ADDRESS], "profile": "ebu"})
    again = owner.post("/sounds", json={"addresses": [ADDRESS]})

    assert first.status_code == 201
    number = first.json()["items"][0]["extraction"]
    assert first.json()["items"] == [{"extraction": number, "new": True}]
    assert again.json()["items"] == [{"extraction": number, "new": False}]
    assert owner.post("/sounds", json={"addresses": ["file:///etc/passwd"]}).status_code == 422
    assert owner.post("/sounds", json={"addresses": [ADDRESS], "profile": "loudest"}).status_code == 422
    assert owner.post("/sounds", json={"addresses": []}).json()["errors"][0]["pointer"] == "/addresses"
    with engine.connect() as connection:
        assert connection.scalars(select(Extraction.profile)).all() == ["ebu"]


def test_without_a_usable_ffmpeg_nothing_is_queued(
    owner: httpx.Client, engine: Engine, ann: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As Python has it where a package is not installed.
    monkeypatch.setitem(sys.modules, "imageio_ffmpeg", None)

    answers = [
        owner.post("/sounds", json={"addresses": [ADDRESS]}),
        owner.post("/shows", json={"source": "ann"}),
        owner.post("/sounds/render", json={}),
    ]

    assert [answer.status_code for answer in answers] == [409, 409, 409]
    assert "the group `sound` is not installed" in answers[0].json()["detail"]
    with engine.connect() as connection:
        assert connection.scalars(select(Extraction.id)).all() == []
    assert owner.get("/shows").json()["items"] == []


def test_whose_plan_has_no_room_gets_no_more_sounds(
    owner: httpx.Client, keep: AddSound, engine: Engine, runtime: Runtime
) -> None:
    number = keep("horn", size=3_000_000)
    with engine.begin() as connection:
        plan = {"name": "small", "gauges": {"sound_mb": 3}, "created_at": NOON}
        plan_id = connection.scalars(insert(Plan).values(plan).returning(Plan.id)).one()
        connection.execute(update(Person).where(Person.id == OWNER_ID).values(plan_id=plan_id))

    assert owner.post("/sounds", json={"addresses": [ADDRESS]}).status_code == 402
    assert owner.post("/sounds/render", json={}).status_code == 402
    owner.delete(f"/sounds/{number}", headers={"If-Match": "*"})
    assert owner.post("/sounds", json={"addresses": [ADDRESS]}).status_code == 201


def test_the_file_of_a_sound_is_heard_whole_in_parts_and_not_twice(
    owner: httpx.Client, keep: AddSound, engine: Engine, runtime: Runtime
) -> None:
    number = keep("horn")
    render(engine, runtime, number, b"0123456789")
    address = f"/sounds/{number}/file"

    whole = owner.get(address)
    assert (whole.status_code, whole.content, whole.headers["content-type"]) == (200, b"0123456789", "audio/mpeg")
    assert whole.headers["accept-ranges"] == "bytes"
    tag = whole.headers["etag"]
    head = owner.head(address)
    assert (head.status_code, head.content, head.headers["content-length"]) == (200, b"", "10")
    part = owner.get(address, headers={"Range": "bytes=2-4", "If-Range": tag})
    assert (part.status_code, part.content, part.headers["content-range"]) == (206, b"234", "bytes 2-4/10")
    assert owner.get(address, headers={"Range": "bytes=2-4", "If-Range": '"other"'}).content == b"0123456789"
    assert owner.get(address, headers={"If-None-Match": tag}).status_code == 304
    beyond = owner.get(address, headers={"Range": "bytes=99-"})
    assert (beyond.status_code, beyond.headers["content-range"]) == (416, "bytes */10")
    assert beyond.json()["type"].endswith("/range")
    assert owner.get(address, headers={"Range": "lines=1-2"}).status_code == 200

    original = owner.get(address, params={"profile": "original"})
    assert (original.content, original.headers["content-type"]) == (b"horn", "audio/x-wav")
    assert owner.get(address, params={"profile": "ebu"}).status_code == 404


def test_what_a_service_calls_a_page_is_no_page_of_ours(owner: httpx.Client, keep: AddSound, engine: Engine) -> None:
    number = keep("horn")
    with engine.begin() as connection:
        place = connection.scalars(select(Sound.original)).one()
        connection.execute(update(Sound).values(original=f"{place}.html"))

    assert owner.get(f"/sounds/{number}/file").status_code == 404
    assert "path" not in owner.get(f"/sounds/{number}/file").text


def test_plays_are_noted_and_listed(owner: httpx.Client, keep: AddSound, engine: Engine) -> None:
    horn, bell = keep("horn"), keep("bell")
    played = owner.post(f"/sounds/{horn}/plays")
    owner.post(f"/sounds/{bell}/plays")
    owner.post(f"/sounds/{horn}/plays")

    assert (played.status_code, played.json()["title"]) == (201, "horn")
    assert [each["title"] for each in walk(owner, "/plays")] == ["horn", "bell", "horn"]
    assert [each["title"] for each in walk(owner, "/plays", sound=bell)] == ["bell"]
    assert owner.get(f"/sounds/{horn}").json()["plays"] == 2
    with engine.connect() as connection:
        assert set(connection.scalars(select(Play.origin))) == {"api"}


def test_extractions_are_listed_cancelled_and_tried_again(owner: httpx.Client, engine: Engine) -> None:
    added = owner.post("/sounds", json={"addresses": [f"{ADDRESS}{number}" for number in range(3)]}).json()["items"]
    first, second, third = (each["extraction"] for each in added)

    assert owner.post(f"/extractions/{first}/cancel").json()["state"] == "cancelled"
    assert owner.post(f"/extractions/{first}/cancel").status_code == 422
    with engine.begin() as connection:
        connection.execute(update(Extraction).where(Extraction.id == second).values(state="failed", error="gone"))
    assert [each["extraction"] for each in walk(owner, "/extractions")] == [third, second, first]
    assert [each["extraction"] for each in walk(owner, "/extractions", state=["failed", "cancelled"])] == [
        second,
        first,
    ]
    assert owner.post("/extractions/retry").json()["items"] == [{"extraction": second, "result": "tried again"}]
    assert owner.post(f"/extractions/{first}/retry").json()["state"] == "pending"
    assert owner.get(f"/extractions/{second}").json()["error"] is None


def test_sounds_are_made_evenly_loud_while_lootwire_runs(owner: httpx.Client, keep: AddSound, engine: Engine) -> None:
    keep("horn", kind="effect")
    number = keep("talk")

    assert owner.post("/sounds/render", json={}).json() == {"sounds": 2, "waiting": 2}
    assert owner.post("/sounds/render", json={"sounds": [number], "profile": "ebu"}).json()["waiting"] == 1
    assert owner.post("/sounds/render", json={"sounds": [99]}).status_code == 404
    with engine.connect() as connection:
        wanted = connection.execute(select(Rendition.profile, Rendition.state)).all()
    assert set(map(tuple, wanted)) == {("effects", "pending"), ("podcast", "pending"), ("ebu", "pending")}


def test_a_folder_on_the_server_is_the_owners_to_have_scanned(
    owner: httpx.Client, engine: Engine, tmp_path: Path, client_for: ClientFor, key_for: KeyFor, add_person: AddPerson
) -> None:
    folder = tmp_path / "effects"
    folder.mkdir()

    added = owner.post("/sounds/folders", json={"path": str(folder), "kind": "speech"})

    assert added.status_code == 201
    assert (added.json()["kind"], added.json()["scan_wanted_at"] is None) == ("speech", False)
    number = added.json()["folder"]
    with engine.begin() as connection:
        connection.execute(update(SoundFolder).values(scan_wanted_at=None))
    assert owner.get("/sounds/folders").json()["items"][0]["scan_wanted_at"] is None
    assert owner.post(f"/sounds/folders/{number}/scan").json()["scan_wanted_at"] is not None
    assert owner.post("/sounds/folders", json={"path": str(tmp_path / "none")}).status_code == 422
    ada = client_for(key_for(add_person("ada", "member"), role="member"))
    assert ada.post("/sounds/folders", json={"path": os.sep}).status_code == 403
    assert owner.delete(f"/sounds/folders/{number}", headers={"If-Match": "*"}).status_code == 204
    assert owner.get("/sounds/folders").json()["items"] == []


def test_a_show_is_made_changed_and_removed(owner: httpx.Client, ann: int) -> None:
    made = owner.post("/shows", json={"source": "ann", "kinds": ["archive", "clip"], "keep_count": 20})
    assert (made.status_code, made.json()["name"], made.json()["keep_count"]) == (201, "Ann", 20)

    path, if_any = "/shows/ann", {"If-Match": "*"}
    body = {"name": "Evenings", "longer_than": 600, "keep_count": None, "keep_days": 30, "category": "Leisure > Games"}
    changed = owner.patch(path, json=body, headers=if_any).json()
    assert {name: changed[name] for name in body} == body
    assert owner.get(path).status_code == 404
    assert owner.get(f"/shows/{changed['show']}").json()["kinds"] == ["archive", "clip"]
    for wrong in (
        {"category": "Nonsense"},
        {"game": "Nothing"},
        {"kinds": ["short"]},
        {"language": "x"},
        {"nmae": "x"},
    ):
        assert owner.patch("/shows/evenings", json=wrong, headers=if_any).status_code == 422, wrong
    assert owner.post("/shows", json={"source": "ann", "name": "evenings"}).status_code == 422
    assert [each["name"] for each in owner.get("/shows").json()["items"]] == ["Evenings"]

    assert owner.delete("/shows/evenings", headers=if_any).status_code == 204
    assert owner.get("/shows").json()["items"] == []


def test_a_private_podcast_has_an_address_that_can_be_changed_and_stands_in_no_row(
    owner: httpx.Client, ann: int, engine: Engine
) -> None:
    owner.post("/shows", json={"source": "ann"})
    owner.post("/playlists", json={"name": "Mine"})
    names = []
    for of in ("/shows/ann", "/playlists/mine"):
        first = owner.get(f"{of}/podcast").json()
        assert first == owner.get(f"{of}/podcast").json()
        rotated = owner.post(f"{of}/rotate")
        second = owner.get(f"{of}/podcast").json()
        assert (rotated.status_code, second["rss"] == first["rss"]) == (200, False)
        assert "private" not in rotated.text
        names += [address["rss"].split("/private/")[1].split("/")[0] for address in (first, second)]

    with engine.connect() as connection:
        tables = connection.scalars(text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")).all()
        for table in tables:
            rows = connection.scalars(text(f'SELECT r::text FROM "{table}" AS r')).all()  # noqa: S608 - names of tables
            assert [table for row in rows for name in names if name in row] == []

    owner.patch("/shows/ann", json={"is_public": True}, headers={"If-Match": "*"})
    assert "/private/" not in owner.get("/shows/ann/podcast").json()["rss"]
    assert owner.post("/shows/ann/rotate").status_code == 422


def test_the_episodes_of_a_show_come_page_by_page(
    owner: httpx.Client, ann: int, keep: AddSound, engine: Engine
) -> None:
    show = owner.post("/shows", json={"source": "ann"}).json()["show"]
    for number in range(3):
        sound = keep(f"night {number}", published_at=NOON + timedelta(days=number))
        added = owner.post("/sounds", json={"addresses": [f"{ADDRESS}{number}"]}).json()["items"]
        with engine.begin() as connection:
            connection.execute(
                text("INSERT INTO episodes VALUES (:show, :extraction, :sound, now())"),
                {"show": show, "extraction": added[0]["extraction"], "sound": sound},
            )
    keep("elsewhere")

    assert [each["title"] for each in walk(owner, "/shows/ann/episodes")] == ["night 2", "night 1", "night 0"]


def test_a_playlist_is_filled_and_put_in_order(owner: httpx.Client, keep: AddSound) -> None:
    horn, bell, drum = keep("horn"), keep("bell"), keep("drum")
    made = owner.post("/playlists", json={"name": "My mix", "description": "All of it"})
    assert (made.status_code, made.json()["profile"]) == (201, "podcast")
    path, if_any = "/playlists/my mix", {"If-Match": "*"}

    order = owner.post(f"{path}/sounds", json={"sounds": [horn, bell]}).json()["order"]
    assert [each["title"] for each in order] == ["horn", "bell"]
    owner.post(f"{path}/sounds", json={"sounds": [drum], "at": 1})
    moved = owner.put(f"{path}/sounds/{horn}", json={"place": 3}, headers=if_any)
    assert [each["sound"] for each in moved.json()["order"]] == [drum, bell, horn]
    assert [each["title"] for each in walk(owner, f"{path}/sounds")] == ["drum", "bell", "horn"]
    assert owner.delete(f"{path}/sounds/{bell}", headers=if_any).status_code == 204
    assert owner.put(f"{path}/sounds/{bell}", json={"place": 1}, headers=if_any).status_code == 422
    assert titles(owner.get(f"{path}/sounds")) == ["drum", "horn"]

    changed = owner.patch(path, json={"name": "Mix", "description": "", "public": True}, headers=if_any).json()
    assert (changed["name"], changed["description"], changed["is_public"]) == ("Mix", None, True)
    assert owner.post("/playlists", json={"name": "mix"}).status_code == 422
    assert owner.delete("/playlists/mix", headers=if_any).status_code == 204
    assert owner.get("/playlists").json()["items"] == []


def test_what_two_people_want_is_a_sound_of_each(
    owner: httpx.Client, client_for: ClientFor, key_for: KeyFor, add_person: AddPerson
) -> None:
    ada = client_for(key_for(add_person("ada", "member"), role="member"))

    numbers = [
        client.post("/sounds", json={"addresses": [ADDRESS]}).json()["items"][0]["extraction"]
        for client in (owner, ada)
    ]

    assert numbers[0] != numbers[1]
    assert [each["extraction"] for each in ada.get("/extractions").json()["items"]] == [numbers[1]]
    assert ada.get(f"/extractions/{numbers[0]}").status_code == 404


def test_who_is_a_guest_plays_and_fetches_nothing(
    client_for: ClientFor, key_for: KeyFor, add_person: AddPerson, keep: AddSound
) -> None:
    gus = add_person("gus", "guest")
    number = keep("horn", person_id=gus)
    client = client_for(key_for(gus, role="guest"))

    assert client.post(f"/sounds/{number}/plays").status_code == 201
    assert client.get(f"/sounds/{number}/file").status_code == 200
    assert client.post("/sounds", json={"addresses": [ADDRESS]}).status_code == 403


def test_the_moment_of_a_play_is_ours(owner: httpx.Client, keep: AddSound) -> None:
    before = utc_now()
    owner.post(f"/sounds/{keep('horn')}/plays")

    (play,) = owner.get("/plays").json()["items"]
    assert before.isoformat()[:13] <= play["at"][:13]
