"""What a checkpoint and a file sink hold, read without the engine."""
from __future__ import annotations

import json
import pathlib


def numbered(folder: pathlib.Path) -> dict[int, pathlib.Path]:
    """Files named by a number."""
    return {int(path.name): path for path in folder.iterdir() if path.name.isdigit()} if folder.is_dir() else {}


def newest(folder: pathlib.Path) -> int:
    return max(numbered(folder), default=-1)


def log_entries(folder: pathlib.Path) -> list[dict]:
    """All entries of a compacting log (a file source's or a file sink's): the last compacted file and what follows it."""
    compacted = {int(path.name.split(".")[0]): path for path in folder.glob("*.compact")} if folder.is_dir() else {}
    start = max(compacted, default=-1)
    files = [compacted[start]] if compacted else []
    files += [path for number, path in sorted(numbered(folder).items()) if number > start]
    return [json.loads(line) for path in files for line in path.read_text("utf-8").splitlines()[1:]]


def log_newest(folder: pathlib.Path) -> int:
    names = [path.name.removesuffix(".compact") for path in folder.iterdir()] if folder.is_dir() else []
    return max((int(name) for name in names if name.isdigit()), default=-1)


def source_positions(checkpoint: pathlib.Path) -> dict[int, int]:
    """Batch -> last entry of the file source's log that it covers."""
    return {number: json.loads(path.read_text("utf-8").splitlines()[2])["logOffset"]
            for number, path in numbered(checkpoint / "offsets").items()}


def local(path: str) -> pathlib.Path:
    return pathlib.Path(path.removeprefix("file://"))


def batches_of_files(checkpoint: pathlib.Path) -> list[list[pathlib.Path]]:
    """The files that each committed batch reads."""
    entries = log_entries(checkpoint / "sources" / "0")
    out, before = [], -1
    for number, position in sorted(source_positions(checkpoint).items()):
        assert number == len(out), "the log of offsets has a gap"
        out.append([local(entry["path"]) for entry in entries if before < entry["batchId"] <= position])
        before = position
    return out


def sink_rows(output: pathlib.Path) -> list[dict]:
    """The rows of all files that the file sink's log names."""
    rows = []
    for entry in log_entries(output / "_spark_metadata"):
        assert entry["action"] == "add"
        path = local(entry["path"])
        assert path.stat().st_size == entry["size"]
        rows += [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    return rows


def state_version(checkpoint: pathlib.Path) -> int:
    """The newest version of the first operator's state."""
    folder = checkpoint / "state" / "0" / "pystream"
    names = [path.stem for path in folder.iterdir() if path.suffix in (".delta", ".snap")] if folder.is_dir() else []
    return max((int(name) for name in names if name.isdigit()), default=0)
