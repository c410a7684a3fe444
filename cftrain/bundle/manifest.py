"""What is in a bundle: every file with its checksum, and who wrote it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from cftrain.bundle.layout import ALWAYS, FORMAT, MANIFEST, entries, is_known
from cftrain.bundle.sealed import Sealed, read_bytes
from cftrain.config.build import build_object
from cftrain.errors import ConfigError, ResultError
from cftrain.results.described import described
from cftrain.results.provenance import provenance


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """The SHA-256 of every file by its name, what wrote them, and what is to be said of
    the ONNX file.
    """

    format: int
    files: dict[str, str]
    versions: dict[str, str | None]
    created: str
    onnx: str


def write_manifest(folder: Path, onnx: str) -> None:
    """Write the manifest of all files that are in a folder."""
    made_by = provenance()
    created = made_by.pop("created")
    content = {
        "format": FORMAT,
        "files": {
            name: sha256((folder / name).read_bytes()).hexdigest()
            for name in entries(folder)
        },
        "versions": made_by,
        "created": created.isoformat(timespec="seconds"),
        "onnx": onnx,
    }
    (folder / MANIFEST).write_text(json_text(content), encoding="utf-8")


def opened(folder: Path) -> Sealed:
    """The files of a bundle, of which none is missing, additional or changed.

    Raises ResultError that names the first one that is.
    """
    there = entries(folder)
    if MANIFEST not in there:
        raise ResultError(f"{folder / MANIFEST}: expected the file, got none")
    manifest = _read(folder)
    for name in sorted(set(there) - set(manifest.files) - {MANIFEST}):
        raise ResultError(
            f"{folder / name}: expected no file that is not in {MANIFEST}"
        )
    for name in (*ALWAYS, *sorted(manifest.files)):
        if name not in manifest.files or name not in there:
            raise ResultError(f"{folder / name}: expected the file, got none")
    return Sealed(folder=folder, digests=manifest.files)


def json_text(content: Mapping[str, Any]) -> str:
    """Returns JSON that people can read and any program too: there is no NaN in it."""
    return json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def _read(folder: Path) -> Manifest:
    path = folder / MANIFEST
    values = described(read_bytes(folder, MANIFEST), str(path))
    if values.get("format") != FORMAT:
        raise ResultError(
            f"{path}: expected a bundle of format {FORMAT}, got one of format "
            f"{str(values.get('format'))[:20]}; use the cftrain that wrote it"
        )
    target = f"{Manifest.__module__}.{Manifest.__qualname__}"
    try:
        found = build_object({**values, "_target_": target}, Manifest, MANIFEST)
    except ConfigError as error:
        raise ResultError(f"{path}: {error}") from error
    for name in found.files:
        if not is_known(name):
            raise ResultError(
                f"{path}: expected names of the files that bundles have, got "
                f"{name[:120]!r}"
            )
    return found
