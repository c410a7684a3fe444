"""A stored protocol with what was typed in the place of its own values."""

from collections.abc import Sequence
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from cftrain.errors import ConfigError
from cftrain.evaluation.protocol import Protocol
from cftrain.grid.stored import built_protocol
from cftrain.results.leaves import value_at

GROUP = "evaluation"


def names_protocol(typed: Sequence[str]) -> bool:
    """Whether a whole protocol was chosen, as by `evaluation=full`."""
    return any(word.startswith(f"{GROUP}=") for word in typed)


def changed_protocol(
    described: dict[str, Any], composed: dict[str, Any], typed: Sequence[str]
) -> Protocol:
    """A stored protocol with the values of some overrides, as Hydra would set them.

    `composed` has what the typed options of groups within an evaluation stand for.
    Raises ConfigError.
    """
    config = OmegaConf.create({GROUP: described})
    for override in OverridesParser.create().parse_overrides(list(typed)):
        key = _place(override)
        if key is None:
            continue
        try:
            _change(config, key, override, composed)
        except (OmegaConfBaseException, KeyError, TypeError) as error:
            raise ConfigError(f"{override.input_line}: {error}") from error
    values: Any = OmegaConf.to_container(config, resolve=True)
    return built_protocol(values[GROUP])


def _place(override: Override) -> str | None:
    """The key of the evaluation that an override is about; None for others."""
    key = override.package or override.key_or_group.replace("/", ".")
    return key if key.startswith(f"{GROUP}.") else None


def _change(
    config: DictConfig, key: str, override: Override, composed: dict[str, Any]
) -> None:
    """Raises ConfigError for a key whose holder the protocol does not have; whether
    that may hold the key is known to who builds it.
    """
    holder = key.rpartition(".")[0]
    if not isinstance(value_at(OmegaConf.to_container(config), holder), dict):
        raise ConfigError(
            f"{key}: expected a key of the stored protocol, got an unknown one"
        )
    if override.is_delete():
        del OmegaConf.select(config, holder)[key.rpartition(".")[2]]
        return
    value = override.value()
    if override.package or "/" in override.key_or_group:
        value = value_at({GROUP: composed}, key)
        OmegaConf.update(config, key, None)  # nothing of the option before it stays
    OmegaConf.update(config, key, value, force_add=True)
