"""Which files a bundle may have: these, and no others."""

import os
from pathlib import Path

from cftrain.results.folders import EXPORTED
from cftrain.results.identifiers import is_id
from cftrain.results.weights_file import FOLDER as WEIGHTS
from cftrain.results.weights_file import weights_path

FORMAT = 1
"""Raised when a file of a bundle changes its meaning."""

MANIFEST, MODEL = EXPORTED
PREPROCESSING = "preprocessing.json"
LIMITS = "limits.json"
DOMAIN = "domain.json"
METRICS = "metrics.json"
PROTOCOL = "protocol.json"
REFERENCE = "reference.safetensors"
NETWORK = "model.onnx"
DECISION = "decision.json"
CARD = "MODEL_CARD.md"

ALWAYS = (MODEL, PREPROCESSING, LIMITS, DOMAIN, METRICS, PROTOCOL, CARD)
"""Files of every bundle, besides the manifest and the weights."""

OTHERS = (REFERENCE, NETWORK, DECISION)
"""Files that a bundle may have or not."""

MOST_TEXT, MOST_BYTES = 2**26, 2**30
"""Bytes of a JSON file, and of any file."""


def is_bundle(folder: Path) -> bool:
    """Whether a folder has what bundles have and results do not."""
    own = (MANIFEST, MODEL, PREPROCESSING, LIMITS)
    return any(os.path.lexists(folder / name) for name in own)


def weights_name(cell: str) -> str:
    """Returns how the manifest calls a model's weights."""
    return weights_path(Path(), cell).as_posix()


def is_known(name: str) -> bool:
    """Whether a bundle may have a file of that name, besides the manifest."""
    if name in (*ALWAYS, *OTHERS):
        return True
    path = Path(name)
    return is_id(path.stem) and name == weights_name(path.stem)


def most_bytes(name: str) -> int:
    """Returns how large a file of a bundle may be."""
    return MOST_TEXT if name.endswith((".json", ".md")) else MOST_BYTES


def entries(folder: Path) -> list[str]:
    """Returns the names of all that is in a bundle, links and folders in it too.

    Those in the folder of the weights have its name before theirs; no folder below
    that is looked into.
    """
    found = []
    for entry in sorted(folder.iterdir()):
        if entry.name == WEIGHTS and entry.is_dir() and not entry.is_symlink():
            found += [f"{WEIGHTS}/{each.name}" for each in sorted(entry.iterdir())]
        else:
            found.append(entry.name)
    return found
