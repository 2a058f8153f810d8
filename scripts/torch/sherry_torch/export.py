"""From latent weights to the folder that `sherry-pack` takes without loss: every quantized layer replaced by Q(W).

Reads and writes safetensors file by file, so a model needs the memory of its largest file. Scales are rounded to what
the target can hold before codes are scaled by them, so each stored weight is exactly 0 or plus or minus its scale:

- bfloat16 folders: scales are bfloat16.
- float32 folders: scales by group are float16 (1.375 bit a weight at 128) unless that would lose one to zero, infinity
  or too few digits, which is the packer's own rule; scales by row or tensor stay float32.
"""

import json
import shutil
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save_file

from .quantizers import Quantizer

RECIPE_NAME = "sherry.json"
RECIPE_VERSION = 1
WEIGHTS_INDEX = "model.safetensors.index.json"
WEIGHTS_FILE = "model.safetensors"
DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16}

# What belongs to a model beside its weights; absent ones are left out.
COPIED_FILES = (
    "generation_config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "chat_template.jinja",
    "vocab.json",
    "merges.txt",
    "tokenizer.model",
)

FLOAT16_NORMAL_MIN = 2.0**-14
FLOAT16_MAX = 65504.0


class ExportError(Exception):
    """The folder cannot be exported; the message says what was expected and what to do."""


def write_recipe(folder: Path, quantizer: Quantizer, linears: list[str]) -> None:
    """Notes beside latent weights how they are to be quantized, and which of them."""
    recipe = {
        "version": RECIPE_VERSION,
        "method": quantizer.method,
        "granularity": quantizer.granularity,
        "group_columns": quantizer.group_columns,
        "linears": sorted(linears),
    }
    (folder / RECIPE_NAME).write_text(json.dumps(recipe, indent=1) + "\n", encoding="utf-8")


def read_recipe(folder: Path) -> tuple[Quantizer, list[str]]:
    path = folder / RECIPE_NAME
    if not path.exists():
        raise ExportError(f"{path}: expected the recipe that training writes, received no such file")
    try:
        recipe = json.loads(path.read_text(encoding="utf-8"))
        if recipe["version"] != RECIPE_VERSION:
            raise ExportError(f"{path}: expected version {RECIPE_VERSION}, received {recipe['version']}")
        quantizer = Quantizer(recipe["method"], recipe["granularity"], recipe["group_columns"])
        return quantizer, [str(name) for name in recipe["linears"]]
    except (KeyError, TypeError, ValueError) as error:
        raise ExportError(f"{path}: expected version, method, granularity, group_columns, linears: {error}") from error


def project(weight: torch.Tensor, quantizer: Quantizer, dtype: torch.dtype) -> torch.Tensor:
    """Q(W) [R, K] in `dtype` with scales that `dtype` and the packed file hold exactly."""
    if quantizer.method == "none":
        return weight.to(dtype)
    scales, codes = quantizer.scales_and_codes(weight)
    if not torch.isfinite(scales).all():
        raise ExportError("expected finite weights, received a scale that is not")
    if dtype == torch.bfloat16:
        scales = scales.to(dtype).float()
    elif quantizer.granularity == "group" and _float16_holds(scales):
        scales = scales.half().float()
    # A code of 0 times a scale may be -0.0; adding 0.0 makes it plain.
    return (scales * codes + 0.0).reshape(weight.shape).to(dtype)


def _float16_holds(scales: torch.Tensor) -> bool:
    rounded = scales.half().float()
    return bool(((scales == 0) | ((rounded >= FLOAT16_NORMAL_MIN) & (rounded <= FLOAT16_MAX))).all())


def export_folder(source: Path, target: Path, dtype_name: str = "float32", replace: bool = False) -> int:
    """Writes `target` from the latent folder `source` and returns the number of layers that were quantized.

    `target` appears complete or not at all. Raises ExportError when `source` is not whole or `target` exists already
    (unless `replace`).
    """
    if dtype_name not in DTYPES:
        raise ExportError(f"dtype: expected one of {', '.join(DTYPES)}, received {dtype_name}")
    if target.exists() and not replace:
        raise ExportError(f"{target}: expected a folder that is not there yet, received one that is. Choose another")
    quantizer, linears = read_recipe(source)
    files = _weight_files(source)
    partial = target.with_name(f"{target.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    try:
        missing = {f"{name}.weight" for name in linears}
        for file in files:
            missing -= _export_file(file, partial / file.name, missing, quantizer, DTYPES[dtype_name])
        if missing:
            raise ExportError(f"{source}: expected the weights of {len(linears)} layers, received none named {min(missing)}")
        _write_index(source, partial)
        _write_config(source, partial, dtype_name)
        for name in COPIED_FILES:
            if (source / name).exists():
                shutil.copyfile(source / name, partial / name)
        if target.exists():
            shutil.rmtree(target)
        partial.rename(target)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return len(linears)


def _weight_files(source: Path) -> list[Path]:
    index = source / WEIGHTS_INDEX
    names = {WEIGHTS_FILE}
    if index.exists():
        names = set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values())
    for name in names:
        if not (source / name).exists():
            raise ExportError(f"{source}: expected {name}, received a folder without it. Save the full state dictionary")
    return [source / name for name in sorted(names)]


def _export_file(source: Path, target: Path, wanted: set[str], quantizer: Quantizer, dtype: torch.dtype) -> set[str]:
    """Returns the names of the weights that were quantized."""
    done: set[str] = set()
    tensors: dict[str, torch.Tensor] = {}
    with safe_open(source, framework="pt") as file:
        for name in file.keys():
            tensor = file.get_tensor(name)
            if name in wanted:
                tensor = project(tensor, quantizer, dtype)
                done.add(name)
            elif tensor.is_floating_point():
                tensor = tensor.to(dtype)
            tensors[name] = tensor.contiguous()
    save_file(tensors, target, metadata={"format": "pt"})
    return done


def _write_index(source: Path, target: Path) -> None:
    path = source / WEIGHTS_INDEX
    if not path.exists():
        return
    index = json.loads(path.read_text(encoding="utf-8"))
    files = {target / name for name in index["weight_map"].values()}
    index["metadata"] = {"total_size": sum(file.stat().st_size for file in files)}
    (target / WEIGHTS_INDEX).write_text(json.dumps(index, indent=1) + "\n", encoding="utf-8")


def _write_config(source: Path, target: Path, dtype_name: str) -> None:
    config = json.loads((source / "config.json").read_text(encoding="utf-8"))
    key = "torch_dtype" if "torch_dtype" in config else "dtype"
    config[key] = dtype_name
    # Training switches the key-value cache off and saves that; a model to be used has it.
    if "use_cache" in config:
        config["use_cache"] = True
    (target / "config.json").write_text(json.dumps(config, indent=1) + "\n", encoding="utf-8")
