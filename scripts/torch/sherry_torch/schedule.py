"""How the residual's lambda moves over a run: from 0 up to 1, then down, and exactly 0 in the final phase.

Source: arXiv 2601.07892, section 4: a linear warm-up over the first tenth of the steps, then a cosine to 0 (the default
here), with linear and exponential annealing as the paper's other choices. The final phase in which lambda is 0 is this
repository's: the model that is exported is then the model that was trained last. scripts/training anneals alike.
"""

import math
from dataclasses import dataclass

SCHEDULES = ("cosine", "linear", "exponential")

# Where exponential annealing stands at its end, before it is set to exactly 0.
EXPONENTIAL_END = 0.01

_ANNEALING = {
    "cosine": lambda progress: (1.0 + math.cos(math.pi * progress)) / 2.0,
    "linear": lambda progress: 1.0 - progress,
    "exponential": lambda progress: EXPONENTIAL_END**progress,
}


@dataclass(frozen=True)
class ResidualSchedule:
    """Shares are of the run's steps. A `warm_up` of 0 begins at lambda 1."""

    schedule: str = "cosine"
    warm_up: float = 0.1
    final_phase: float = 0.05

    def __post_init__(self) -> None:
        if self.schedule not in SCHEDULES:
            raise ValueError(f"schedule: expected one of {', '.join(SCHEDULES)}, received {self.schedule!r}")
        if not (0.0 <= self.warm_up and 0.0 <= self.final_phase and self.warm_up + self.final_phase < 1.0):
            raise ValueError(
                "warm_up and final_phase: expected shares that leave something between them, received "
                f"{self.warm_up} and {self.final_phase}"
            )

    def value(self, step: int, steps: int) -> float:
        """Lambda of optimizer step `step` (0 is the first) of `steps`; 0 in the final phase, in the last step and after."""
        warm_up_steps = _rounded(self.warm_up * steps)
        final_steps = max(1, _rounded(self.final_phase * steps))
        if step >= steps - final_steps:
            return 0.0
        if step < warm_up_steps:
            return step / warm_up_steps
        decay_steps = max(1, steps - final_steps - warm_up_steps)
        return _ANNEALING[self.schedule]((step - warm_up_steps) / decay_steps)


def _rounded(value: float) -> int:
    """To the nearest whole number, halves up, as scripts/training/schedules.ts rounds."""
    return math.floor(value + 0.5)
