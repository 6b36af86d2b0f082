"""The invented Twitch campaigns as they are when each of them first appears."""

from dataclasses import dataclass

from pipeline.demo.world import Streamer, lineup

HOSTILE_NAME = "@everyone <script>alert(1)</script>"
"""A title that would ping a whole chat server or run in a browser, were it not made harmless."""

_KINDS = frozenset({"badge", "emote", "code"})


@dataclass(frozen=True, slots=True)
class Drop:
    minutes: int
    benefits: tuple[str, ...]
    """Names; `badge:`, `emote:` and `code:` in front say what is handed out, else it is an item in the game."""
    subs: int = 0
    label: str = ""

    @property
    def name(self) -> str:
        return self.label or handed_out(self.benefits[0])[1]


@dataclass(frozen=True, slots=True)
class Campaign:
    key: str
    game: str
    name: str
    hours: tuple[float, float]
    """Its start and end, in hours after the demo's `now`."""
    drops: tuple[Drop, ...]
    channels: tuple[Streamer, ...] = ()
    description: str = ""
    ownerless: bool = False
    gameless: bool = False
    present: bool = True
    channels_shown: bool = True


@dataclass(frozen=True, slots=True)
class RewardCampaign:
    key: str
    name: str
    brand: str
    hours: tuple[float, float]
    reward: str
    summary: str
    game: str = ""
    minutes: int = 0
    subs: int = 0
    sitewide: bool = False
    first_step: int = 0


def handed_out(label: str) -> tuple[str, str]:
    """Return a benefit's distribution type and plain name, from its label in the table."""
    kind, separator, name = label.partition(":")
    return (kind.upper(), name) if separator and kind in _KINDS else ("DIRECT_ENTITLEMENT", label)


def drop(minutes: int, *benefits: str, subs: int = 0, label: str = "") -> Drop:
    """Return a time-based drop; without benefits its `benefitEdges` is empty, as Twitch's sometimes is."""
    return Drop(minutes, benefits, subs, label)


CAMPAIGNS = (
    Campaign(
        "sporeways-bloom", "sporeways", "Bloom Season: First Spores", (-70, 98),
        (drop(30, "Spore Cap"), drop(60, "Moss Cloak"), drop(120, "Fungal Steed"), drop(240, "badge:Bloomkeeper")),
    ),
    Campaign(
        "sporeways-guild", "sporeways", "Guild Weekend", (-20, 30),
        (drop(60, "Spore Cap"), drop(120, "Mycelium Banner", "500 Glowdust")), lineup(0, 12),
    ),
    Campaign(
        "cinderhold-siege", "cinderhold", "Siege Week", (-52, 116),
        (
            drop(15, "Ember Torch"), drop(30, "Ash Visor"), drop(60, "Coal Gauntlets"), drop(120, "Siege Shield"),
            drop(240, "Flame Banner of the Gate"), drop(360, "Crown of Cinders"),
        ),
        lineup(4, 40),
    ),
    Campaign(
        "cinderhold-subs", "cinderhold", "Support a Gatekeeper", (-30, 138),
        (drop(0, "Gatekeeper's Key", subs=1), drop(0, "Gatekeeper's Mount", subs=3)), lineup(9, 3),
        "Buy or gift subscriptions to a participating channel.",
    ),
    Campaign(
        "gloomtide-maiden", "gloomtide", "Maiden Voyage", (-44, 76),
        (drop(45, "Brass Lantern"), drop(90, "Moonlit Net")),
    ),
    Campaign(
        "kettlebots-cup", "kettlebots", "Tin Cup: Group Stage", (-26, 22),
        (drop(30, "emote:KettleHype"), drop(90, "Copper Bolt Paint"), drop(180, "Steam Horn")), lineup(20, 8),
    ),
    Campaign(
        "lanterns-anniversary", "nine-lanterns", "1st Ashen Anniversary 🏮✨", (-60, 180),
        (drop(60, "Paper Lantern Charm"), drop(120, "Court Fan", "Three Ashen Incense", "Title: Ninth Guest")),
        lineup(30, 6),
    ),
    Campaign(
        "velvet-qualifier", "velvet-meridian", "Meridian GP Qualifier", (-30.5, -6.5),
        (drop(30, "Pit Crew Decal"), drop(60, "Velvet Livery")), lineup(2, 5),
    ),
    Campaign(
        "frostbarrow-thaw", "frostbarrow", "The Long Thaw", (-90, 20),
        (drop(60, "Thawed Gem"), drop(180, "Barrow Sled"), drop(300, "Icebound Hound")),
    ),
    Campaign(
        "orbit-leak", "orbit-plumbers", "Fix the Leak!", (-16, 56),
        (drop(30, "Golden Plunger"), drop(60, label="Mystery Valve")),
    ),
    Campaign(
        "hexagon-honey", "hexagon-harvest", "Honey & Harvest", (-33, 63),
        (drop(60, "Beekeeper's Veil"), drop(120, "Honey Pot", "20 Clover Seeds")),
        description="Bees & blossoms: watch <b>any</b> farm for a while & take honey home.",
    ),
    Campaign(
        "rook-open-1", "rook-rapier", "Rook & Rapier Open: Day 1", (-10.5, -2.5),
        (drop(30, "Open Pennant"), drop(120, "Duelist's Crown")), lineup(14, 4),
    ),
    Campaign(
        "tramline-express", "tramline", "Night Express", (-40, 44),
        (drop(60, "Night Tram Livery"), drop(120, "Signal Box 1928")), ownerless=True,
    ),
    Campaign(
        "paper-fold", "paper-dragon", "The Thousand Folds", (-48, 72),
        (drop(60, "Origami Flame"), drop(240, "Gilded Crane")), lineup(40, 7), gameless=True,
    ),
    Campaign(
        "saltglass-storm", "saltglass", "Storm Season", (-28, 92),
        (drop(30, "Storm Flag"), drop(60, "Barnacle Cutlass"), drop(120, "Wave Rider Hull")),
    ),
    Campaign(
        "saltglass-crew", "saltglass", "Captains' Table", (-12, 36),
        (drop(90, "Captain's Hat", "Storm Flag"), drop(180, "Parrot (Rude)", "200 Doubloons", "Five Rum Rations")),
        lineup(24, 16),
    ),
    Campaign(
        "whisker-agents", "whisker", "Agents Wanted", (-22, 90),
        (drop(60, "Tail Antenna"), drop(120, "Catnip Grenade")),
    ),
    Campaign(
        "whisker-badge", "whisker", "Badge of the Bureau", (-22, 146),
        (drop(30, "badge:Bureau Cat"),),
    ),
    Campaign(
        "mossgate-founders", "mossgate", "Founders' Fortnight", (-100, 236),
        (drop(60, "Founder's Leaf"), drop(180, "Oaken Shield"), drop(360, "Gate Warden Set")),
    ),
    Campaign(
        "mossgate-mossday", "mossgate", "Mossday Streams", (-14, 10),
        (drop(60, "Moss Wreath"),), lineup(35, 9),
    ),
    Campaign(
        "colossus-day", "pocket-colossus", "Colossus Day One", (-24, 48),
        (drop(15, "Pebble Pet"), drop(60, "Stone Shield"), drop(120, "Colossus Core")),
    ),
    Campaign(
        "hostile", "orbit-plumbers", HOSTILE_NAME, (-7.2, 50),
        (drop(30, "<img src=x onerror=alert(2)>"), drop(60, "Wrench & Bucket")),
        description='@here "]]> & <a href="javascript:alert(3)">free pipes</a>',
    ),
    Campaign(
        "frostbarrow-creators", "frostbarrow", "Creators' Campfire", (-7.2, 40.8),
        (drop(60, "Campfire Kit"), drop(120, "Gem of Long Nights")), lineup(10, 20),
    ),
    Campaign(
        "kettlebots-playoffs", "kettlebots", "Tin Cup: Playoffs", (-6.2, 17.8),
        (drop(30, "emote:KettleGG"), drop(120, "Copper Bolt Paint"), drop(240, "Champion's Lid")), lineup(20, 10),
    ),
    Campaign(
        "dune-launch", "dune-courier", "First Delivery", (-6.3, 162),
        (drop(30, "Sand Goggles"), drop(60, "Star Compass"), drop(120, "Camel Sidecar")),
    ),
    Campaign(
        "cinderhold-final", "cinderhold", "Last Stand at the Gate", (-4.2, 7.8),
        (drop(60, "Ember Torch"), drop(180, "Phoenix Plume")), lineup(4, 30),
    ),
    Campaign(
        "gloomtide-lights", "gloomtide", "Lights Out at Sea", (-4.1, 68),
        (drop(0, "Ghost Anchor", subs=2), drop(60, "Fog Bell"), drop(120, "Moonlit Net")), lineup(7, 11),
    ),
    Campaign(
        "lanterns-codes", "nine-lanterns", "Console Codes", (-3.2, 69),
        (drop(120, "code:Starter Pack Code"), drop(240, "code:Silk Robe Code")),
    ),
    Campaign(
        "rook-open-2", "rook-rapier", "Rook & Rapier Open: Day 2", (-2.3, 5.7),
        (drop(30, "Open Pennant"), drop(120, "Rapier of Day Two"), drop(240, "Duelist's Crown")), lineup(14, 4),
    ),
    Campaign(
        "velvet-final", "velvet-meridian", "Meridian GP: The Final", (-1.2, 4.8),
        (drop(30, "Chequered Scarf"), drop(60, "Velvet Livery"), drop(120, "Star Driver Helmet")), lineup(2, 9),
    ),
    Campaign(
        "saltglass-flash", "saltglass", "Flash Flood", (-0.2, 2.8),
        (drop(60, "Flood Gauge"),),
    ),
)  # fmt: skip

REWARD_CAMPAIGNS = (
    RewardCampaign(
        "gloomtide-gift", "Gloomtide Gift Crate", "Tidewarden Online AB", (-120, 130), "Crate of Cold Fish",
        "Support a streamer and fish in style.", game="gloomtide", subs=2,
    ),
    RewardCampaign(
        "biscuit-pass", "A Month of Biscuit Pass", "Biscuit Pass", (-60, -1.5), "One Month of Biscuit Pass",
        "Watch anything, snack on games for a month.", minutes=60, sitewide=True,
    ),
    RewardCampaign(
        "courier-tea", "Courier's Tea Break", "Ninth Gravel", (-4.5, 164), "Thermos Skin & Mint Tea",
        "Two cups for the road to the oasis.", game="dune-courier", minutes=30, subs=1, first_step=4,
    ),
)  # fmt: skip
