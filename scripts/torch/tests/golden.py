"""Reads test/golden/quantizers.json: what the Zig kernels answered, and the inputs they were asked about."""

import json
from functools import cache
from pathlib import Path

import torch

PATH = Path(__file__).resolve().parents[3] / "test" / "golden" / "quantizers.json"
MAGIC = "sherry quantizer golden vectors"
VERSION = 1


@cache
def vectors() -> dict:
    read = json.loads(PATH.read_text(encoding="utf-8"))
    if read["magic"] != MAGIC or read["version"] != VERSION:
        raise ValueError(f"{PATH}: expected {MAGIC}, version {VERSION}, received {read['magic']}, {read['version']}")
    return read


def matrix(entry: dict) -> torch.Tensor:
    return torch.tensor(entry["values"], dtype=torch.float32).reshape(entry["rows"], entry["columns"])


def weight(name: str) -> torch.Tensor:
    return matrix(vectors()["matrices"][name])
