"""Finds files of rules, reads them, and takes secrets from where they say that these are."""

import os
from collections.abc import Iterable, Mapping
from hashlib import blake2b
from pathlib import Path

import msgspec

from notifiers.rules.difference import Wanted, WantedFollow, WantedSubscription, WantedTarget
from notifiers.rules.reading import Mistake, ReadRules, RulesError, listed, look_at_rules, read_rules
from notifiers.rules.shapes import FollowBlock, Rules, SubscriptionBlock, TargetBlock
from notifiers.targets import checked_timezone, mistakes_of
from pipeline.channels.following.names import parse_name
from pipeline.games.finding.names import LARGEST_LIST
from pipeline.rules.small_files import LARGEST_RULES, LARGEST_SECRET, UnreadableFileError, read_bytes, read_text
from pipeline.runtime.settings import Settings

USUAL_FILE = Path("lootwire.toml")
USUAL_FOLDER = Path("rules")
_UTC = "UTC"
# The keys of a block under which each kind of follow stands.
KEYS_OF_FOLLOWS = {
    "channel": "channels",
    "category": "categories",
    "game": "games",
    "list": "lists",
    "drops": "drops",
}


class RulesFile(msgspec.Struct, frozen=True):
    """A file that was read: where it is, what it says and wants; `origin` is what rows say that come from it.

    What is wrong by its `mistakes` is neither in what it says nor in what it wants.
    """

    path: Path
    origin: str
    read: ReadRules = ReadRules()
    wanted: Wanted = Wanted()
    mistakes: tuple[Mistake, ...] = ()

    @property
    def rules(self) -> Rules:
        """The blocks that are right."""
        return self.read.rules


def rules_files(given: Path | None) -> list[Path]:
    """Return the files to apply: the one that was given, or `lootwire.toml` and `rules/*.toml` where they are."""
    if given is not None:
        return sorted(given.glob("*.toml")) if given.is_dir() else [given]
    usual = [USUAL_FILE] if USUAL_FILE.is_file() else []
    return [*usual, *sorted(USUAL_FOLDER.glob("*.toml"))]


def deleted_file(origin: str, given: Path | None) -> RulesFile | None:
    """Return a file that wants nothing for one that is gone from where rules are looked for; None for any other.

    `origin` is what rows say that came from it, and `given` the folder that a person named, if any.
    """
    path = Path(origin)
    usual = (USUAL_FILE.resolve(), USUAL_FOLDER.resolve())
    places = usual if given is None else (given.resolve(),)
    if path.exists() or not (path in places or path.parent in places):
        return None
    return RulesFile(path=path, origin=origin)


def names_in(path: Path) -> set[tuple[str, str]]:
    """Return the targets and subscriptions that a file of rules names; none where it is gone, or has a mistake."""
    try:
        rules = read_rules(read_text(path, LARGEST_RULES), str(path))
    except (UnreadableFileError, RulesError):
        return set()
    subscriptions = (each.name for block in rules.subscription for each in subscriptions_of(block))
    return {("target", block.name) for block in rules.target} | {("subscription", name) for name in subscriptions}


def read_rules_file(path: Path, environ: Mapping[str, str] | None = None) -> RulesFile:
    """Read a file of rules; raises RulesError, which names the file and the line of each mistake."""
    file = look_at_rules_file(path, environ)
    if file.mistakes:
        raise RulesError(listed(str(path), file.mistakes))
    return file


def look_at_rules_file(path: Path, environ: Mapping[str, str] | None = None) -> RulesFile:
    """Read a file of rules with the mistakes in it; secrets that it names are taken from files and variables."""
    origin = str(path.resolve())
    try:
        read = look_at_rules(read_text(path, LARGEST_RULES), Settings.model_fields)
    except UnreadableFileError as error:
        return RulesFile(path, origin, mistakes=(Mistake(0, f"cannot read {path}: {error}"),))
    mistakes = [*read.mistakes]
    wanted = []
    for number, block in enumerate(read.rules.target):
        target = _target(block, read.rules, path.parent, os.environ if environ is None else environ)
        if isinstance(target, WantedTarget):
            wanted.append(target)
        else:
            for key, reason in target:
                is_usual = key == "timezone" and block.timezone is None
                line = read.line("defaults", 0, key) if is_usual else read.line("target", number, key)
                mistakes.append(Mistake(line, f"`{key}`: {reason}"))
    return RulesFile(
        path=path,
        origin=origin,
        read=read,
        wanted=Wanted(
            targets=tuple(wanted),
            subscriptions=tuple(each for block in read.rules.subscription for each in subscriptions_of(block)),
            follows=tuple(each for block in read.rules.follow for each in follows_of(block, path.parent)),
        ),
        mistakes=tuple(mistakes),
    )


def named_files(path: Path) -> list[Path]:
    """Return the files that a file of rules names: lists of games, and secrets; none where it has a mistake."""
    try:
        rules = read_rules(read_text(path, LARGEST_RULES), str(path))
    except (UnreadableFileError, RulesError):
        return []
    names = [name for block in rules.follow for name in block.lists]
    secrets = (block.url.partition(":") for block in rules.target)
    names += [name for kind, _, name in secrets if kind == "file" and not name.startswith("//")]
    return [beside(path.parent, name) for name in names]


def beside(folder: Path, name: str) -> Path:
    """Return the path of a file that a file of rules in a folder names; `~` is the home of whoever runs us."""
    # Not before it is read: there may be no such user.
    return Path(name) if name.startswith("~") else folder / name


def digest_of(content: bytes) -> str:
    """Return what tells one content of a list's file from another."""
    return blake2b(content, digest_size=16).hexdigest()


def _digest_of_file(path: Path) -> str | None:
    try:
        return digest_of(read_bytes(path, LARGEST_LIST))
    except UnreadableFileError:
        # Said by whoever reads the list.
        return None


def _target(
    block: TargetBlock, rules: Rules, folder: Path, environ: Mapping[str, str]
) -> WantedTarget | list[tuple[str, str]]:
    """Return the target that a block means, or the keys of what is wrong in it, each with the reason."""
    timezone = block.timezone or rules.defaults.timezone or _UTC
    try:
        url = secret(block.url, folder, environ)
    except ValueError as error:
        return [("url", str(error)), *mistakes_of(block.name, None, timezone)]
    bursts = block.mistake_of_bursts(rules.defaults)
    if mistakes := [*mistakes_of(block.name, url, timezone), *([bursts] if bursts else [])]:
        return mistakes
    return WantedTarget(
        name=block.name,
        url=url,
        timezone=checked_timezone(timezone),
        settings=block.settings(rules.defaults),
        is_paused=block.paused,
        role=block.role,
        keeps_private=block.private is None and rules.defaults.private is None,
    )


def secret(written: str, folder: Path, environ: Mapping[str, str]) -> str:
    """Return what `env:NAME` or `file:PATH` means, anything else as it is; raises ValueError where there is none."""
    kind, _, name = written.partition(":")
    if kind == "env":
        if not environ.get(name):
            raise ValueError(f"the variable {name} is not set")
        return environ[name].strip()
    if kind == "file" and not name.startswith("//"):
        try:
            return read_text(beside(folder, name), LARGEST_SECRET).strip()
        except UnreadableFileError as error:
            raise ValueError(f"cannot read {name}: {error}") from None
    return written


def subscriptions_of(block: SubscriptionBlock) -> Iterable[WantedSubscription]:
    """Yield a subscription for each target; of several each has its target's name behind its own."""
    # Who is named twice is told once.
    names = tuple(dict.fromkeys(block.to))
    for target in names:
        name = block.name if len(names) == 1 else f"{block.name} ({target})"
        yield WantedSubscription(name=name, target=target, conditions=block.conditions)


def follows_of(block: FollowBlock, folder: Path) -> Iterable[WantedFollow]:
    """Yield what a block follows; a folder is where its lists are."""
    yield from (WantedFollow(kind="channel", name=parse_name(name).login or name) for name in block.channels)
    yield from (WantedFollow(kind="category", name=name, top=block.top) for name in block.categories)
    yield from (WantedFollow(kind="game", name=name) for name in block.games)
    for name in block.lists:
        yield WantedFollow(kind="list", name=Path(name).stem, file=name, digest=_digest_of_file(beside(folder, name)))
    if block.drops:
        yield WantedFollow(kind="drops", name="")
