"""`/templates` over HTTP: the owner's own words for messages."""

from collections.abc import Callable

import httpx

from pipeline.people.records import Role
from pipeline.runtime.runtime import Runtime
from tests.pipeline.web.api.conftest import ClientFor, KeyFor


def write(runtime: Runtime, name: str, text: str) -> None:
    path = runtime.settings.templates / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def test_templates_are_listed_checked_and_shown_at_work(owner: httpx.Client, runtime: Runtime) -> None:
    write(runtime, "campaign.added.title.j2", "Loot: {{ event.title }}\n")
    write(runtime, "campaign.added.txt.j2", "{{ nothing }}\n")
    owner.post("/targets", json={"name": "hook", "url": "json://hooks.example.org/secret"})

    listed = owner.get("/templates").json()["items"]
    checked = {each["part"]: each["problem"] for each in owner.get("/templates/check").json()["items"]}

    assert [(each["kind"], each["part"], each["target"]) for each in listed] == [
        ("campaign.added", "title", None),
        ("campaign.added", "txt", None),
    ]
    assert checked["title"] is None
    assert "'nothing' is undefined" in checked["txt"]
    (runtime.settings.templates / "campaign.added.txt.j2").unlink()
    shown = owner.get("/templates/preview", params={"kind": "campaign.added", "target": "hook"})
    assert shown.json()["title"].startswith("Loot: ")
    assert "secret" not in shown.text
    assert owner.get("/templates/preview", params={"kind": "campaign", "target": "hook"}).status_code == 422
    assert owner.get("/templates/preview", params={"kind": "campaign.added", "target": "x"}).status_code == 404


def test_templates_are_the_owners_alone(
    add_person: Callable[[str, Role], int], key_for: KeyFor, client_for: ClientFor
) -> None:
    ada = client_for(key_for(add_person("ada", "member"), role="member"))

    for path in ("", "/check", "/preview?kind=campaign.added&target=x"):
        assert ada.get(f"/templates{path}").status_code == 403
