"""Overrides as people type them, and as Hydra has to get them."""

from collections.abc import Sequence
from typing import Any, NoReturn

from cftrain.config.pairs import are_pairs
from cftrain.errors import ConfigError


def replacing_overrides(overrides: Sequence[str]) -> list[str]:
    """Returns overrides in which `key={...}` replaces a mapping, as `=` does elsewhere.

    OmegaConf merges mappings: `data.missing={}` changes nothing, and a name that the
    mapping does not have yet is refused. After `key=null` there is nothing to merge
    with. `+key={...}` still adds to the mapping, and names without a dot are groups.
    So it is with `key=[[name,value],...]`, the pairs of a mapping, whose names may be
    quoted.
    """
    replacing = []
    for word in overrides:
        key = _mapping_key(word)
        if key is not None:
            replacing.append(f"{key}=null")
        replacing.append(word)
    return replacing


def typed_overrides(overrides: Sequence[str]) -> list[str]:
    """Returns what was typed of overrides that `replacing_overrides` returned."""
    following = [*overrides, ""][1:]
    return [
        word
        for word, after in zip(overrides, following, strict=True)
        if not word.endswith("=null") or f"{_mapping_key(after)}=null" != word
    ]


def options_first(words: Sequence[str]) -> list[str]:
    """Returns Hydra's options, wherever they were typed, and after them the overrides.

    Raises ConfigError for options that it does not have.
    """
    if not any(word.startswith("-") for word in words):
        return list(words)
    from hydra._internal.utils import get_args_parser  # slow to load

    def refuse(message: str) -> NoReturn:
        raise ConfigError(f"expected options that --help shows, got: {message}")

    parser = get_args_parser()
    parser.error = refuse  # type: ignore[method-assign]
    overrides = list(parser.parse_intermixed_args(list(words)).overrides)
    options = list(words)
    for override in overrides:
        options.remove(override)
    return [*options, *overrides]


def _mapping_key(word: str) -> str | None:
    """Returns the key that a word sets to a mapping, or to the pairs of one; None for
    all other words.
    """
    key, _, text = word.partition("=")
    pairs = text.replace(" ", "").startswith("[[")
    if not ("{" in text or pairs) or "." not in key or key.startswith(("-", "hydra.")):
        return None
    # Imported here, since few commands have such a word and the parser is slow to load.
    from hydra.core.override_parser.overrides_parser import OverridesParser
    from hydra.core.override_parser.types import OverrideType
    from hydra.errors import HydraException

    try:
        override = OverridesParser.create().parse_override(word)
    except HydraException:  # Hydra will say what is wrong with it
        return None
    if override.type is not OverrideType.CHANGE or override.package is not None:
        return None
    return override.key_or_group if _has_mapping(override.value()) else None


def _has_mapping(value: Any) -> bool:
    """Whether a value, or one of those that a sweep goes through, is a mapping or has
    the form of its pairs.
    """
    choices = getattr(value, "list", [value])
    return any(isinstance(choice, dict) or are_pairs(choice) for choice in choices)
