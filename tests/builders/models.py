"""Builder for model files: archives as the engine writes them, without a model in them."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path
from random import Random

from bot.model import model_path


def a_model(folder: Path, fingerprint: str, **metadata: str) -> Path:
    """Write an archive as the engine does: metadata among other files."""
    path = model_path(folder, fingerprint)
    told = {
        "model_id": f"id of {fingerprint}",
        "rasa_open_source_version": "3.6.21",
        "trained_at": "2026-11-22T05:54:30.762210",
        **metadata,
    }
    weights = Random(fingerprint).randbytes(40_000)
    with tarfile.open(path, "w:gz") as archive:
        for name, content in (("components/weights", weights), ("metadata.json", json.dumps(told).encode())):
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path
