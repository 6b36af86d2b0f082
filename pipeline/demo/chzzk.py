"""What CHZZK answers in the demo: eight invented campaigns under dense numbers with one gap."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pipeline.demo import pictures
from pipeline.demo.clock import closing, korean_stamp, moment, snapshot_time
from pipeline.demo.world import GAMES


@dataclass(frozen=True, slots=True)
class ChzzkCampaign:
    number: int
    game: str
    title: str
    hours: tuple[float, float]
    """Its start and end, in hours after the demo's `now`."""
    rewards: tuple[tuple[int, str], ...]
    """Minutes to watch, and what they earn."""
    first_step: int = 0
    reward_type: str = "IN_APP"


# 1205 is the gap: CHZZK answers 404 for it, and the source that probes upwards has to go on past it.
CAMPAIGNS = {
    campaign.number: campaign
    for campaign in (
        ChzzkCampaign(
            1201, "moonlit-smithy", "달빛 대장간 첫 망치질 드롭스", (-96, 72),
            ((30, "견습생의 앞치마"), (60, "반달 망치"), (120, "별똥별 모루")),
        ),
        ChzzkCampaign(
            1202, "galaxy-pocha", "은하포차 야식 타임 드롭스 #1", (-40, 30),
            ((60, "우주 떡볶이 세트"), (180, "은하수 앞치마")),
        ),
        ChzzkCampaign(
            1203, "mist-isle", "안개섬 연대기 등대지기 모집", (-60, 108),
            ((60, "등대지기의 외투"), (120, "안개 등불"), (240, "길 잃은 갈매기")),
        ),
        ChzzkCampaign(1204, "paper-dragon", "종이용 전술단 천 번 접기", (-20, 52), ((60, "금박 종이학"),)),
        ChzzkCampaign(
            1206, "sporeways", "버섯길 온라인 포자의 계절", (-30, 66),
            ((60, "포자 모자"), (120, "이끼 망토 교환 코드")), reward_type="CODE",
        ),
        ChzzkCampaign(
            1207, "moonlit-smithy", "달빛 대장간 두 번째 망치질", (20, 116), ((60, "보름달 집게"), (120, "담금질 물통"))
        ),
        ChzzkCampaign(
            1208, "galaxy-pocha", "은하포차 야식 타임 드롭스 #2", (-6.4, 89.6), ((60, "혜성 어묵 꼬치"),), first_step=2
        ),
        ChzzkCampaign(
            1209, "mist-isle", "안개섬 연대기 & 봄바람 축제", (-3.3, 44.7),
            ((30, "봄바람 연"), (90, "안개꽃 화관")), first_step=5,
        ),
    )
}  # fmt: skip


def chzzk_campaign(now: datetime, step: int, number: int, base_url: str, *, version: int = 2) -> dict[str, Any] | None:
    """Return the `content` of CHZZK's answer on a campaign at a step, None while there is no such number.

    Version 1 of the service calls a reward's kind `campaignRewardType`, version 2 calls it `rewardType`.
    """
    seen_at = snapshot_time(now, step)
    campaign = CAMPAIGNS.get(number)
    if campaign is None or step < campaign.first_step:
        return None
    game = GAMES[campaign.game]
    link = f"{game.organization.site}/chzzk/{number}"
    kind = {"campaignRewardType" if version == 1 else "rewardType": campaign.reward_type}
    return {
        "campaignNo": number,
        "title": campaign.title,
        "imageUrl": pictures.banner_url(base_url, "chzzk", game),
        "description": f"치지직에서 {game.name} 방송을 시청하고 보상을 받아 보세요.",
        "categoryType": "GAME",
        "categoryId": "".join(word.capitalize() for word in game.key.split("-")),
        "categoryValue": game.name,
        "pcLinkUrl": link,
        "mobileLinkUrl": link,
        "serviceId": f"{game.organization.key.replace('-', '_')}_event",
        "state": "PROMOTED",
        "startDate": korean_stamp(moment(now, campaign.hours[0])),
        "endDate": korean_stamp(closing(now, campaign.hours[1])),
        "rewardList": [_reward(base_url, campaign, place, version) for place in range(len(campaign.rewards))],
        "hasIosBasedReward": False,
        "dropsCampaignNotStarted": seen_at < moment(now, campaign.hours[0]),
        **kind,
        "accountLinkUrl": link,
    }


def _reward(base_url: str, campaign: ChzzkCampaign, place: int, version: int) -> dict[str, Any]:
    minutes, title = campaign.rewards[place]
    number = campaign.number * 10 + place
    kinds = (
        {"rewardType": "TIME_BASED", "campaignRewardType": campaign.reward_type}
        if version == 1
        else {"rewardType": campaign.reward_type}
    )
    return {
        "rewardNo": number,
        "imageUrl": pictures.icon_url(base_url, "chzzk-files/reward", str(number)),
        "title": title,
        **kinds,
        "conditionType": "TIME_BASED",
        "conditionForMinutes": minutes,
        "iosBasedReward": False,
        "codeRemainingCount": 0,
    }
