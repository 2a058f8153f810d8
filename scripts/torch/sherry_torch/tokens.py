"""Text to packed sequences of tokens: documents one after the other, each closed by the end token, cut every T tokens.

The tokens of a set of text files are kept beside the run as little-endian uint32, mapped into memory by every process;
so a resumed run and every rank read the same ones. A file that ends in .u32 is taken for such tokens as it is.

Legend: T tokens of a sequence.
"""

import hashlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy
import torch
from torch.utils.data import Dataset

TOKENS_SUFFIX = ".u32"
DOCUMENTS_AT_A_TIME = 256


class PackedTokens(Dataset):
    """Sequences int64 [T]; the labels are the same ones, which the model shifts itself. A rest shorter than T is left out."""

    def __init__(self, paths: Sequence[Path], sequence_length: int) -> None:
        self.sequence_length = sequence_length
        self._pieces = [numpy.memmap(path, dtype="<u4", mode="r") for path in paths if path.stat().st_size > 0]
        self._counts = [len(piece) // sequence_length for piece in self._pieces]
        if sum(self._counts) == 0:
            raise ValueError(
                f"{', '.join(map(str, paths))}: expected at least {sequence_length} tokens, one sequence, received fewer"
            )

    def __len__(self) -> int:
        return sum(self._counts)

    def __getitem__(self, index: int) -> dict[str, torch.Tensor]:
        for piece, count in zip(self._pieces, self._counts):
            if index < count:
                start = index * self.sequence_length
                tokens = piece[start : start + self.sequence_length].astype(numpy.int64)
                return {"input_ids": torch.from_numpy(tokens), "labels": torch.from_numpy(tokens.copy())}
            index -= count
        raise IndexError(index)


def documents(text_path: Path, separator: str) -> Iterator[str]:
    """The documents of a text file, split at lines that are `separator`; the whole file when it is empty."""
    lines: list[str] = []
    with text_path.open(encoding="utf-8") as file:
        for line in file:
            if separator and line.rstrip("\n") == separator:
                yield "".join(lines).strip("\n")
                lines = []
            else:
                lines.append(line)
    if lines:
        yield "".join(lines).strip("\n")


def tokens_of(path: Path, tokenizer, separator: str, folder: Path) -> Path:
    """The tokens file of a text file, written to `folder` when it is not there; a .u32 file is its own.

    Its name tells which text, tokenizer and separator it came from, by their content: another text gives another file.
    """
    if path.suffix == TOKENS_SUFFIX:
        return path
    if tokenizer.eos_token_id is None:
        raise ValueError("tokenizer: expected an end token (eos_token), which closes a document, received none")
    target = folder / f"{path.stem}-{_fingerprint(path, tokenizer, separator)}{TOKENS_SUFFIX}"
    if target.exists():
        return target
    folder.mkdir(parents=True, exist_ok=True)
    partial = target.with_suffix(f".{os.getpid()}.partial")
    with partial.open("wb") as file:
        for batch in _batches(documents(path, separator)):
            # What the tokenizer puts around a text by itself (a begin token, mostly) stays; the end is always there.
            for tokens in tokenizer(batch, verbose=False)["input_ids"]:
                closing = [] if tokens[-1:] == [tokenizer.eos_token_id] else [tokenizer.eos_token_id]
                file.write(numpy.array([*tokens, *closing], dtype="<u4").tobytes())
    # Renamed when complete: another process, or a later run, sees all of it or nothing.
    partial.replace(target)
    return target


def _batches(texts: Iterator[str]) -> Iterator[list[str]]:
    batch: list[str] = []
    for text in texts:
        if text:
            batch.append(text)
        if len(batch) == DOCUMENTS_AT_A_TIME:
            yield batch
            batch = []
    if batch:
        yield batch


def _fingerprint(path: Path, tokenizer, separator: str) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    digest.update(separator.encode())
    for token, index in sorted(tokenizer.get_vocab().items()):
        digest.update(f"{token}\0{index}\n".encode())
    return digest.hexdigest()[:16]
