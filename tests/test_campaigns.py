"""Every campaign can be run short and full, and says what it tries. They are read, not loaded: that takes seconds."""

import ast
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent / "campaigns"
PAGE = Path(__file__).resolve().parents[1] / "docs" / "reliability.md"


class Written:
    """A file of the campaigns as it is written."""

    def __init__(self, path: Path) -> None:
        self.name = path.stem
        tree = ast.parse(path.read_bytes())
        self.docstring = ast.get_docstring(tree) or ""
        self.sizes = {
            target.id: statement.value
            for statement in tree.body
            if isinstance(statement, ast.Assign) and isinstance(statement.value, ast.Call)
            for target in statement.targets
            if isinstance(target, ast.Name) and target.id in {"FULL", "SHORT"}
        }
        self.functions = {
            statement.name: [argument.arg for argument in statement.args.args]
            for statement in tree.body
            if isinstance(statement, ast.FunctionDef)
        }
        self.is_campaign = bool(self.sizes) or self.functions.get("run") == ["size", "trial"]

    def shortens(self, size: str) -> bool:
        return any(keyword.arg == "shortens" for keyword in self.sizes[size].keywords)


CAMPAIGNS = {written.name: written for path in sorted(FOLDER.glob("*.py")) if (written := Written(path)).is_campaign}


@pytest.mark.parametrize("campaign", CAMPAIGNS.values(), ids=CAMPAIGNS)
def test_a_campaign_has_both_sizes_and_says_what_it_tries(campaign: Written) -> None:
    assert campaign.sizes.keys() == {"FULL", "SHORT"}
    assert ast.dump(campaign.sizes["FULL"].func) == ast.dump(campaign.sizes["SHORT"].func)
    assert ast.dump(campaign.sizes["FULL"]) != ast.dump(campaign.sizes["SHORT"])
    assert campaign.functions["run"] == ["size", "trial"]
    assert campaign.docstring
    assert f"`{campaign.name}`" in PAGE.read_text("utf-8")


def test_at_least_one_full_form_shortens_nothing() -> None:
    assert "kills" in {name for name, campaign in CAMPAIGNS.items() if not campaign.shortens("FULL")}
