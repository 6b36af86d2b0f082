"""`/roms` over HTTP."""

import zipfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zlib import crc32

import httpx
import pytest
from sqlalchemy import Engine

from pipeline.people.records import Role
from pipeline.roms.importing import import_dats
from pipeline.roms.scanning.scan import scan_folder
from pipeline.roms.store.folders import change_folder, due_folders
from pipeline.runtime.runtime import utc_now
from tests.pipeline.library.shelf import Shelf
from tests.pipeline.web.api.conftest import ClientFor, KeyFor

CAVE, KEEP = b"a cave" * 100, b"a keep" * 80
NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)


@pytest.fixture
def owner(owner: httpx.Client) -> httpx.Client:
    """A client of the owner that changes whatever is there."""
    owner.headers["If-Match"] = "*"
    return owner


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A folder with two ROMs, a copy of one in an archive, and a file that cannot be read."""
    folder = tmp_path / "roms" / "snes"
    folder.mkdir(parents=True)
    (folder / "Cave (USA).sfc").write_bytes(CAVE)
    (folder / "Keep (Europe).sfc").write_bytes(KEEP)
    with zipfile.ZipFile(folder / "Keep (Japan).zip", "w") as archive:
        archive.writestr("Keep (Japan).sfc", KEEP)
    (folder / "broken.zip").write_bytes(b"PK\x03\x04 and no more")
    return folder


@pytest.fixture
def folder(owner: httpx.Client, files: Path, engine: Engine) -> int:
    """That folder, added and scanned."""
    added = owner.post("/roms/folders", json={"path": str(files)})
    assert added.status_code == 201, added.text
    number: int = added.json()["folder"]
    scan_folder(engine, number, now=utc_now())
    return number


def import_dat(engine: Engine, path: Path) -> None:
    games = {"Cave (USA)": CAVE, "Gate (USA)": b"a gate", "Yard (USA)": b"a yard"}
    listed = "".join(
        f'<game name="{name}"><rom name="{name}.sfc" size="{len(data)}" crc="{crc32(data):08x}"/></game>'
        for name, data in games.items()
    )
    header = "<header><name>Nintendo - Super Nintendo Entertainment System</name><version>1</version></header>"
    path.write_text(f'<?xml version="1.0"?><datafile>{header}{listed}</datafile>')
    import_dats(engine, [path], platform=None, now=NOW)


def written(client: httpx.Client, **query: Any) -> list[str]:
    answer = client.get("/roms", params=query)
    assert answer.status_code == 200, answer.text
    return [each["written"] for each in answer.json()["items"]]


def test_a_folder_is_added_listed_scanned_soon_and_removed(owner: httpx.Client, folder: int, engine: Engine) -> None:
    [listed] = owner.get("/roms/folders").json()["items"]
    assert (listed["folder"], listed["roms"], listed["unread"]) == (folder, 4, 1)
    with engine.begin() as connection:
        change_folder(connection, folder, next_due_at=utc_now() + timedelta(hours=1))
        assert due_folders(connection, utc_now()) == []
    assert owner.post(f"/roms/folders/{folder}/scan").status_code == 202
    with engine.begin() as connection:
        assert due_folders(connection, utc_now()) == [folder]
    assert owner.delete(f"/roms/folders/{folder}").status_code == 204
    assert (written(owner), owner.get(f"/roms/folders/{folder}").status_code) == ([], 404)


@pytest.mark.usefixtures("folder")
def test_roms_are_listed_by_conditions_in_pages(owner: httpx.Client) -> None:
    every = ["broken", "Cave (USA)", "Keep (Europe)", "Keep (Japan)"]
    assert written(owner) == written(owner, platform="Super Nintendo", unmatched=True) == every
    assert written(owner, search="keep") == every[2:]
    assert written(owner, verdict="verified") == written(owner, missing=True) == []
    read, cursor = [], None
    while True:
        page = owner.get("/roms", params={"limit": 1} | ({"cursor": cursor} if cursor else {})).json()
        read += [each["written"] for each in page["items"]]
        if (cursor := page["next"]) is None:
            break
    assert read == every
    assert owner.get("/roms", params={"platform": "snas"}).status_code == 422


@pytest.mark.usefixtures("folder")
def test_a_rom_is_shown_with_its_files(owner: httpx.Client) -> None:
    number = next(each["rom"] for each in owner.get("/roms").json()["items"] if each["written"] == "Cave (USA)")
    shown = owner.get(f"/roms/{number}").json()
    assert (shown["rom"], shown["file"], shown["contents"][0]["size"]) == (number, "Cave (USA).sfc", len(CAVE))
    assert owner.get("/roms/4040").status_code == 404


@pytest.mark.usefixtures("folder")
def test_what_dats_say_is_listed(owner: httpx.Client, engine: Engine, tmp_path: Path) -> None:
    import_dat(engine, tmp_path / "snes.dat")

    assert written(owner, verdict="verified") == ["Cave (USA)"]
    [dat] = owner.get("/roms/dats").json()["items"]
    assert (dat["have"], dat["total"]) == (1, 3)
    first = owner.get("/roms/missing", params={"limit": 1}).json()
    second = owner.get("/roms/missing", params={"limit": 1, "cursor": first["next"]}).json()
    assert [each["game"] for each in first["items"] + second["items"]] == ["Gate (USA)", "Yard (USA)"]
    assert second["next"] is None
    assert owner.get("/roms/missing", params={"incomplete": True}).json()["items"] == []
    assert owner.get("/roms/misnamed").json()["items"] == []


@pytest.mark.usefixtures("folder")
def test_copies_the_best_releases_and_figures_are_told(owner: httpx.Client) -> None:
    [copy] = owner.get("/roms/duplicates").json()["items"]
    assert {each["file"] for each in copy["copies"]} == {"Keep (Europe).sfc", "Keep (Japan).zip"}
    best = owner.get("/roms/best", params={"region": ["Japan"], "language": ["ja"]}).json()["items"]
    assert "Keep (Japan)" in [each["written"] for each in best]
    [figures] = owner.get("/roms/stats").json()["items"]
    assert (figures["name"], figures["roms"]) == ("Super Nintendo Entertainment System", 4)
    [unread] = owner.get("/roms/unread").json()["items"]
    assert unread["file"] == "broken.zip"


@pytest.mark.usefixtures("folder")
def test_roms_are_settled_unmatched_and_undone(owner: httpx.Client, engine: Engine) -> None:
    Shelf(engine, NOW).catalogue(7, "The Cave", total_rating_count=100)
    number = next(each["rom"] for each in owner.get("/roms").json()["items"] if each["written"] == "Cave (USA)")

    settled = owner.post("/roms/settle", json={"roms": [number], "game": "igdb:7"}).json()
    assert [(each["rom"], each["game"]) for each in settled] == [(number, "The Cave")]
    assert owner.get("/library/igdb:7").json()["work"]["stores"] == ["rom"]
    assert owner.post("/roms/unmatch", json={"roms": [number]}).json()[0]["game"] is None
    assert owner.post("/roms/undo", json={"roms": [number]}).json() == {"roms": [number]}
    assert owner.post("/roms/undo", json={"roms": [4040]}).status_code == 404
    assert owner.post("/roms/settle", json={"roms": [number]}).status_code == 422


@pytest.mark.usefixtures("folder")
def test_an_export_is_written_into_a_folder_of_roms_and_nowhere_else(
    owner: httpx.Client, files: Path, tmp_path: Path
) -> None:
    body = {"format": "gamelist", "to": str(files / "gamelist.xml")}
    dry = owner.post("/roms/exports", json=body | {"dry_run": True}).json()
    assert (dry["added"], (files / "gamelist.xml").exists()) == (4, False)
    assert owner.post("/roms/exports", json=body).json()["added"] == 4
    assert owner.post("/roms/exports", json=body).json()["files"] == []
    [export] = owner.get("/roms/exports").json()["items"]
    assert (export["path"], export["format"]) == (str(files / "gamelist.xml"), "gamelist")

    (files / "out").symlink_to(tmp_path)
    for place in (tmp_path / "gamelist.xml", files / ".." / ".." / "x.xml", files / "out" / "x.xml"):
        refused = owner.post("/roms/exports", json=body | {"to": str(place)})
        assert (refused.status_code, "in no folder of ROMs" in refused.json()["detail"]) == (422, True)
    assert not [*tmp_path.glob("*.xml")]


@pytest.mark.usefixtures("folder")
def test_the_collection_of_another_person_is_not_there_and_folders_are_the_owners(
    owner: httpx.Client,
    files: Path,
    engine: Engine,
    tmp_path: Path,
    add_person: Callable[[str, Role], int],
    key_for: KeyFor,
    client_for: ClientFor,
) -> None:
    import_dat(engine, tmp_path / "snes.dat")
    ada = client_for(key_for(add_person("ada", "member"), role="member"))
    ada.headers["If-Match"] = "*"
    number = owner.get("/roms").json()["items"][0]["rom"]

    for path in ("/roms", "/roms/stats", "/roms/duplicates", "/roms/best", "/roms/unread", "/roms/misnamed"):
        assert ada.get(path).json()["items"] == [], path
    assert [each["game"] for each in ada.get("/roms/missing").json()["items"]] == [
        *("Cave (USA)", "Gate (USA)", "Yard (USA)")
    ]
    assert ada.get("/roms/dats").json()["items"][0]["have"] == 0
    assert ada.get(f"/roms/{number}").status_code == 404
    for path in ("settle", "unmatch", "undo"):
        body = {"roms": [number]} | ({"skip": True} if path == "settle" else {})
        assert ada.post(f"/roms/{path}", json=body).status_code == 404
    assert ada.get("/roms/folders").status_code == ada.get("/roms/exports").status_code == 403
    assert ada.post("/roms/folders", json={"path": str(files)}).status_code == 403
