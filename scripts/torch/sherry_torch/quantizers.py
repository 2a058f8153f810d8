"""The quantizers that training compares, each a function from a weight matrix to the matrix that inference will see.

Source: Sherry's Sparse-AbsMean (arXiv 2601.07892, section 3); BitNet b1.58's absmean (arXiv 2402.17764); Ternary
Weight Networks (arXiv 1605.04711); binary weights scaled by their mean magnitude (XNOR-Net, arXiv 1603.05279).

They agree with the Zig kernels of this repository and with its packer, choice by choice: of equally small weights in a
block the first becomes zero, a kept zero counts as positive, sums are taken in float64 and a scale is rounded to
float32 once. test/golden/quantizers.json holds both sides to it.

Legend: R out_features, K in_features, G scale groups, L weights of a group, B blocks of four.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import torch

METHODS = ("none", "sherry", "absmean", "twn", "binary")
GRANULARITIES = ("tensor", "channel", "group")
GROUP_COLUMNS = (32, 64, 128)

BLOCK_COLUMNS = 4
KEPT_SHARE = 0.75
TWN_THRESHOLD = 0.75

# Of a weight without its scale: five bits for a sherry block of four, five for three ternary weights.
CODE_BITS = {"none": 32.0, "sherry": 5 / 4, "absmean": 5 / 3, "twn": 5 / 3, "binary": 1.0}


def zero_positions(weight: torch.Tensor) -> torch.Tensor:
    """The place of the least magnitude in each block of four: weight [R, K] to int64 [R, K / 4].

    Among equal ones the first, which is what argmin documents.
    """
    rows, columns = weight.shape
    return weight.abs().reshape(rows, columns // BLOCK_COLUMNS, BLOCK_COLUMNS).argmin(dim=-1)


def _signs(groups: torch.Tensor) -> torch.Tensor:
    """+1 or -1; zeros of either sign give +1, because a packed block has no state for a weight without sign."""
    return torch.where(groups < 0, -1.0, 1.0)


def _mean(magnitudes: torch.Tensor) -> torch.Tensor:
    """Mean of each group [G, L], float32 [G, 1]."""
    length = magnitudes.shape[-1]
    return (magnitudes.sum(dim=-1, keepdim=True, dtype=torch.float64) / length).float()


def _sherry(groups: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    blocks = groups.reshape(-1, BLOCK_COLUMNS)
    positions = blocks.abs().argmin(dim=-1, keepdim=True)
    kept = torch.ones_like(blocks).scatter_(-1, positions, 0.0).reshape(groups.shape)
    sums = (groups.abs() * kept).sum(dim=-1, keepdim=True, dtype=torch.float64)
    return (sums / (KEPT_SHARE * groups.shape[-1])).float(), _signs(groups) * kept


def _absmean(groups: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    magnitudes = groups.abs()
    scales = _mean(magnitudes)
    return scales, torch.where(magnitudes < scales / 2, 0.0, _signs(groups))


def _twn(groups: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    magnitudes = groups.abs()
    kept = magnitudes > TWN_THRESHOLD * _mean(magnitudes)
    counts = kept.sum(dim=-1, keepdim=True)
    sums = (magnitudes * kept).sum(dim=-1, keepdim=True, dtype=torch.float64)
    # A group of zeros keeps nothing; its scale is zero.
    return (sums / counts.clamp(min=1)).float(), torch.where(kept, _signs(groups), 0.0)


def _binary(groups: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    return _mean(groups.abs()), _signs(groups)


# From groups float32 [G, L] to scales float32 [G, 1] and codes -1, 0 or +1 [G, L].
_CODERS: dict[str, Callable[[torch.Tensor], tuple[torch.Tensor, torch.Tensor]]] = {
    "sherry": _sherry,
    "absmean": _absmean,
    "twn": _twn,
    "binary": _binary,
}


@dataclass(frozen=True)
class Quantizer:
    """A method, and how far one of its scales reaches. `group_columns` counts for granularity "group" alone."""

    method: str = "sherry"
    granularity: str = "group"
    group_columns: int = 128

    def __post_init__(self) -> None:
        _check_choice("method", self.method, METHODS)
        _check_choice("granularity", self.granularity, GRANULARITIES)
        if self.granularity == "group":
            _check_choice("group_columns", self.group_columns, GROUP_COLUMNS)

    def check_shape(self, name: str, in_features: int) -> None:
        """Raises ValueError when a layer's rows cannot be cut into blocks of four and whole groups."""
        if self.method == "none":
            return
        if in_features % BLOCK_COLUMNS != 0:
            raise ValueError(f"{name}: expected in_features a multiple of {BLOCK_COLUMNS}, received {in_features}")
        if self.granularity == "group" and in_features % self.group_columns != 0:
            raise ValueError(
                f"{name}: expected in_features a multiple of group_columns {self.group_columns}, received "
                f"{in_features}. Choose a smaller --group_columns or --granularity channel"
            )

    def _groups(self, weight: torch.Tensor) -> torch.Tensor:
        if self.granularity == "tensor":
            return weight.reshape(1, -1)
        return weight if self.granularity == "channel" else weight.reshape(-1, self.group_columns)

    @torch.no_grad()
    def scales_and_codes(self, weight: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Weight [R, K] to scales float32 [G, 1] and codes float32 [G, L], groups in the weight's order."""
        return _CODERS[self.method](self._groups(weight.detach().float()))

    @torch.no_grad()
    def quantize(self, weight: torch.Tensor) -> torch.Tensor:
        """Q(W) [R, K] in the weight's dtype, a new tensor without gradient."""
        if self.method == "none":
            return weight.detach().clone()
        scales, codes = self.scales_and_codes(weight)
        return (scales * codes).reshape(weight.shape).to(weight.dtype)

    def bits_per_weight(self, shapes: Iterable[tuple[int, int]]) -> float:
        """Mean over weight matrices [R, K], scales included as they are stored: 16 bits by group, else 32."""
        bits = 0.0
        weights = 0
        for rows, columns in shapes:
            weights += rows * columns
            bits += rows * columns * CODE_BITS[self.method]
            if self.method == "none":
                continue
            if self.granularity == "group":
                bits += rows * columns / self.group_columns * 16
            else:
                bits += (rows if self.granularity == "channel" else 1) * 32
        return bits / weights if weights > 0 else CODE_BITS["none"]


def _check_choice(name: str, received: object, choices: tuple[object, ...]) -> None:
    if received not in choices:
        raise ValueError(f"{name}: expected one of {', '.join(map(str, choices))}, received {received!r}")
