"""A card tells of groups what `cftrain explain summary=true` tells of them."""

import re

from cftrain.advice.overview.gathering import Gathering
from cftrain.advice.overview.grouping import Grouping
from cftrain.bundle.card.burden import burden
from tests.advice.telling import advice
from tests.bundle.sealing import export
from tests.console import call


def test_a_card_has_the_tables_of_the_summary(lent):
    asked = ("groups=job", "target=yes", "test_rows=40")
    card = (export(lent, "asked", *asked) / "MODEL_CARD.md").read_text()
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in card.splitlines()
        if line.startswith("|")
    ]
    words = ("explain", "outputs/all", "summary=true", *asked)
    told = call(*words, cwd=lent, CFTRAIN_DATA=str(lent)).out
    facts, changes, groups = told.split("\n\n")
    for line in facts.splitlines():
        name, text = re.split("  +", line)
        assert f"- {name}: {text}\n" in card
    tables = [*changes.splitlines(), *groups.splitlines()]
    lines = [re.split("  +", line.strip()) for line in tables if "  " in line]
    told_rows = [line for line in lines if not line[0].startswith("--")]
    assert ["job", "rows", "need", "answered", "cost", "farther out than"] in told_rows
    for line in told_rows:
        assert line in [[cell for cell in row if cell] for row in rows]
    counts = [row[1] for row in rows if row[0] in ("baker", "clerk", "nurse")]
    assert sum(map(int, counts)) == 40


def test_small_groups_are_warned_of_and_names_stay_texts():
    gathering = Gathering(grouping=Grouping(column="sex", edges=None))
    gathering.add(advice(group="<b>few"))
    told = "\n".join(burden(gathering.overview()))
    assert "**Note:** fewer than 30 rows need an answer in \\<b>few" in told
    assert told.count("<b>") == told.count("\\<b>") == 2


def test_a_card_says_how_to_have_it_told():
    assert "groups=COLUMN" in "\n".join(burden(None))
