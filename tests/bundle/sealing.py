"""Bundles as tests make them, explain from them and seal them again."""

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import safetensors.torch
from torch import Tensor

from tests.console import Outcome, call

MANIFEST = "manifest.json"


def export(lent: Path, target: str, *words: str) -> Path:
    """Export from the trained folder, without the ONNX file, which takes seconds."""
    done = call(
        "export",
        "outputs/all",
        target,
        "onnx=false",
        *words,
        cwd=lent,
        CFTRAIN_DATA=str(lent),
    )
    assert done.code == 0, done
    return lent / target


def explain_elsewhere(bundle: Path, rows: Path, *words: str) -> Outcome:
    """Explain from a bundle where its data are not to be seen."""
    return call(
        "explain", str(bundle), f"rows={rows}", *words, cwd=bundle, CFTRAIN_DATA=None
    )


def change(bundle: Path, name: str, **values: Any) -> None:
    """Change a JSON file, and seal the bundle as whoever has changed it would."""
    path = bundle / name
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))
    seal(bundle)


def change_tensors(bundle: Path, name: str, **tensors: Tensor) -> None:
    """Change a file of tensors, keep what is noted in it, and seal the bundle."""
    content = (bundle / name).read_bytes()
    header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
    held = {**safetensors.torch.load(content), **tensors}
    metadata = header.get("__metadata__")
    (bundle / name).write_bytes(safetensors.torch.save(held, metadata))
    seal(bundle)


def seal(bundle: Path) -> None:
    """Write the checksums of what is there now."""
    path = bundle / MANIFEST
    manifest = json.loads(path.read_text())
    manifest["files"] = {
        found.relative_to(bundle).as_posix(): sha256(found.read_bytes()).hexdigest()
        for found in sorted(bundle.rglob("*"))
        if found.is_file() and found != path
    }
    path.write_text(json.dumps(manifest))
