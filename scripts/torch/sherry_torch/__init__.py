"""Sherry training at sizes that need a GPU cluster: quantizers, the Arenas linear layer, schedules, export.

Source: "Sherry: Hardware-Efficient 1.25-Bit Ternary Quantization via Fine-grained Sparsification" (arXiv 2601.07892).
"""

from .linear import SherryLinear, replace_linears, sherry_linears
from .quantizers import GRANULARITIES, GROUP_COLUMNS, METHODS, Quantizer
from .schedule import SCHEDULES, ResidualSchedule

__all__ = [
    "GRANULARITIES",
    "GROUP_COLUMNS",
    "METHODS",
    "SCHEDULES",
    "Quantizer",
    "ResidualSchedule",
    "SherryLinear",
    "replace_linears",
    "sherry_linears",
]
