"""Every recorded answer of Twitch's GraphQL: its recognised kind, its number of records, its faults."""

import pytest

from pipeline.drops.compare import compare
from pipeline.drops.records import CampaignRecord
from pipeline.drops.sources.mirror import TwitchDrops
from pipeline.errors import InvalidItem, SourceChanged
from pipeline.importer.recognise import recognise_all
from tests.paths import RECORDINGS

GRAPHQL = RECORDINGS / "twitch_gql_drops"
pytestmark = [
    pytest.mark.recordings,
    pytest.mark.skipif(not GRAPHQL.is_dir(), reason=f"no recordings at {GRAPHQL}"),
]

DASHBOARD, INVENTORY = "Twitch drops dashboard", "Twitch inventory"
DETAILS, TOGETHER, BARE = "Twitch campaign details", "Twitch campaign details, 20 together", "Twitch campaign"
# The recognised kind of each file, and how many records each source reads from it.
TAKEN: dict[str, tuple[str, dict[str, int]]] = {
    "derived/DropCampaignDetails_batch_0_2025-09-26.json": (TOGETHER, {"twitch.details": 20}),
    "derived/DropCampaignDetails_batch_1_2025-09-26.json": (TOGETHER, {"twitch.details": 20}),
    "derived/DropCampaignDetails_batch_2_2025-09-26.json": (TOGETHER, {"twitch.details": 20}),
    "derived/DropCampaignDetails_batch_3_2025-09-26.json": (TOGETHER, {"twitch.details": 20}),
    "derived/Inventory_envelope_2022-03.json": (INVENTORY, {"twitch.details": 27}),
    "derived/ViewerDropsDashboard_2025-09-26.json": (
        DASHBOARD,
        {"twitch.dashboard": 162, "twitch.dashboard_rewards": 9},
    ),
    "derived/ViewerDropsDashboard_envelope_2022-04.json": (DASHBOARD, {"twitch.dashboard": 75}),
    "lovinator_twitch-drop-notifier_response.json": (TOGETHER, {"twitch.details": 20}),
    "synthetic_thozoz/gql_campaign_details.json": (DETAILS, {"twitch.details": 1}),
    "synthetic_thozoz/gql_campaign_details_acl.json": (DETAILS, {"twitch.details": 1}),
    # Four campaigns without any dates: set aside one by one.
    "synthetic_thozoz/gql_dashboard_campaigns.json": (DASHBOARD, {"twitch.dashboard": 0}),
    "synthetic_thozoz/gql_inventory.json": (INVENTORY, {"twitch.details": 1}),
    "synthetic_thozoz/gql_viewerdropsdashboard.json": (DASHBOARD, {"twitch.dashboard": 0}),
    "ttvdrops/dashboard_reward_campaigns.json": (DASHBOARD, {"twitch.dashboard": 0, "twitch.dashboard_rewards": 1}),
    "ttvdrops/details_missing_distributionType.json": (DETAILS, {"twitch.details": 1}),
    "ttvdrops/example.json": (DETAILS, {"twitch.details": 1}),
    "ttvdrops/inventory_acl_url_no_isEnabled.json": (INVENTORY, {"twitch.details": 1}),
    "ttvdrops/inventory_null_campaigns.json": (INVENTORY, {"twitch.details": 0}),
    "ttvdrops/inventory_partial_with_errors.json": (INVENTORY, {"twitch.details": 1}),
    "tychothetaco/DropCampaign_0.json": (BARE, {"twitch.details": 1}),
    "tychothetaco/DropCampaign_2.json": (BARE, {"twitch.details": 1}),
    "tychothetaco/DropCampaign_3.json": (BARE, {"twitch.details": 1}),
    "tychothetaco/DropCampaign_4.json": (BARE, {"twitch.details": 1}),
    "tychothetaco/DropCampaign_5.json": (BARE, {"twitch.details": 1}),
    "tychothetaco/campaigns-0.json": ("Twitch campaign, 75 together", {"twitch.details": 75}),
}
# The reason for which a whole file is set aside, by the beginning of its name.
SET_ASIDE = {
    "alorf_postman/": "DropsHighlightService_AvailableDrops: no answer that lists campaigns",
    "errors/dashboard_drop_campaigns_null": "dropCampaigns is null, which is not an empty list",
    "errors/dashboard_logged_out": "currentUser is null",
    "errors/details_user_null": "no such viewer",
    "errors/empty": "the file is empty",
    "errors/html_challenge": "HTML or XML, not JSON",
    "errors/integrity_failed": "failed integrity check",
    "errors/persisted_query_not_found": "PersistedQueryNotFound",
    "errors/service_error": "service error",
    "errors/truncated": "Input data was truncated",
    "errors/unauthorized_401": "Unauthorized",
    "synthetic_thozoz/auth_": "a JSON object of no source that we know",
    "synthetic_thozoz/gql_persisted": "PersistedQueryNotFound",
    "synthetic_thozoz/": "no answer that lists campaigns",
    "tychothetaco/games-": "not JSON that we know",
}
FILES = sorted(path.relative_to(GRAPHQL).as_posix() for path in GRAPHQL.rglob("*") if path.is_file())


@pytest.mark.parametrize("name", FILES)
def test_each_recording_is_read_or_set_aside_for_the_right_reason(name: str) -> None:
    payload = (GRAPHQL / name).read_bytes()
    if name not in TAKEN:
        with pytest.raises(SourceChanged) as caught:
            recognise_all(payload, name, [])
        assert next(reason for start, reason in SET_ASIDE.items() if name.startswith(start)) in str(caught.value)
        return
    taken_for, counts = TAKEN[name]
    recognised = recognise_all(payload, name, [])
    assert recognised.taken_for == taken_for
    readable, reasons = {}, set()
    for source in recognised.sources:
        readable[source.name] = 0
        for item in source.split(payload).items:
            try:
                source.parse(item)
            except InvalidItem as error:
                reasons.add(str(error))
            else:
                readable[source.name] += 1
    assert readable == counts
    assert reasons <= {"Object missing required field `startAt`"}


def test_dashboard_and_details_of_the_same_hour_tell_of_the_same_campaigns() -> None:
    def campaigns(name: str) -> dict[str, object]:
        payload = (GRAPHQL / "derived" / name).read_bytes()
        source = recognise_all(payload, name, []).sources[0]
        return {record.external_id: record for item in source.split(payload).items for record in [source.parse(item)]}

    listed = campaigns("ViewerDropsDashboard_2025-09-26.json")
    details = campaigns("DropCampaignDetails_batch_2_2025-09-26.json")

    assert details.keys() <= listed.keys()
    for key, record in details.items():
        for field in ("name", "start_at", "end_at", "status", "organization"):
            assert getattr(record, field) == getattr(listed[key], field)


def test_details_say_the_same_as_the_mirror_says_of_the_same_campaign() -> None:
    mirror = GRAPHQL.parent / "sunkwi" / "drops_2025-09-26_largest.json"
    if not mirror.is_file():
        pytest.skip(f"no recording at {mirror}")
    drops = TwitchDrops("http://127.0.0.1:9")
    known = {record.external_id: record for record in map(drops.parse, drops.split(mirror.read_bytes()).items)}
    compared = 0
    for path in sorted(GRAPHQL.glob("derived/DropCampaignDetails_batch_*.json")):
        payload = path.read_bytes()
        (source,) = recognise_all(payload, path.name, []).sources
        for record in map(source.parse, source.split(payload).items):
            assert isinstance(record, CampaignRecord)
            assert compare(known[record.external_id], record) == compare(record, record)
            compared += 1
    assert compared == 80
