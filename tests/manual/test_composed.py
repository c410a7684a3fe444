"""What the reference shows of an option is what Hydra composes."""

from typing import Any

import pytest
from hydra import compose, initialize_config_dir
from hydra.core.hydra_config import HydraConfig
from omegaconf import OmegaConf

from cftrain.config import tree
from scripts.manual.composed import composed

OPTIONS = (
    "categories/snapped_adult",
    "compare/energy",
    "data/table",
    "evaluation/generator/revise",
    "evaluation/full",
    "evaluation/own_images",
    "generator/ecco_latent",
    "objective/aligned",
)
"""Options with each kind of entry that lists of defaults have."""


@pytest.mark.parametrize("option", OPTIONS)
def test_an_option_is_what_hydra_makes_of_it(option):
    group, _, name = option.rpartition("/")
    HydraConfig.instance().cfg = None
    with initialize_config_dir(str(tree.folder()), version_base="1.3"):
        node: Any = OmegaConf.to_container(compose(option), resolve=False)
    for part in group.split("/"):
        node = node[part]
    assert composed(group, name) == node
