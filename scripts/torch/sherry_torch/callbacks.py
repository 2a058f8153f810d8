"""What happens around the Trainer's steps: lambda is set before each, and the run's log is written.

The log (OUTPUT_DIR/log.jsonl) has the lines that scripts/training writes too, so `bun run train:report` draws runs of
both side by side. Diagnostics of single layers are not among them: they need whole matrices, which a sharded run has not.
"""

import json
import math
import time
from pathlib import Path

from transformers import TrainerCallback

from .linear import Residual
from .schedule import ResidualSchedule

LOG_VERSION = 1


class AnnealResidual(TrainerCallback):
    """Sets lambda before every optimizer step from the step's number alone, so that a resumed run continues rightly."""

    def __init__(self, residual: Residual, schedule: ResidualSchedule | None) -> None:
        self.residual = residual
        self.schedule = schedule

    def on_step_begin(self, args, state, control, **kwargs) -> None:
        if self.schedule is not None:
            self.residual.value = self.schedule.value(state.global_step, state.max_steps)


class RunLog(TrainerCallback):
    """Appends to the log, from the first process only. A loss that is not finite stops every process with its step."""

    def __init__(self, path: Path, residual: Residual, facts: dict, tokens_per_step: int) -> None:
        self.path = path
        self.residual = residual
        self.facts = facts
        self.tokens_per_step = tokens_per_step
        self._started_s = 0.0
        self._first_step = 0
        self._last_evaluation: dict = {}
        self.evaluated_step = -1

    def on_train_begin(self, args, state, control, **kwargs) -> None:
        self._started_s = time.monotonic()
        self._first_step = state.global_step
        if state.is_world_process_zero:
            _keep_lines_before(self.path, state.global_step)
        if state.global_step == 0:
            self._write(state, {"kind": "start", "version": LOG_VERSION, **self.facts, "steps": state.max_steps})

    def on_log(self, args, state, control, logs=None, **kwargs) -> None:
        logs = logs or {}
        if "loss" not in logs:
            return
        loss = float(logs["loss"])
        if not math.isfinite(loss):
            raise FloatingPointError(f"loss is {loss} at step {state.global_step}. Lower --learning_rate")
        seconds = self._seconds()
        tokens = (state.global_step - self._first_step) * self.tokens_per_step
        self._write(
            state,
            {
                "kind": "step",
                "step": state.global_step,
                "tokens": state.global_step * self.tokens_per_step,
                "loss": loss,
                "learning_rate": float(logs.get("learning_rate", 0.0)),
                "lambda": self.residual.value,
                "gradient_norm": float(logs.get("grad_norm", 0.0)),
                "tokens_per_second": tokens / max(seconds, 1e-9),
                "seconds": seconds,
            },
        )

    def on_evaluate(self, args, state, control, metrics=None, **kwargs) -> None:
        loss = float((metrics or {}).get("eval_loss", math.nan))
        if not math.isfinite(loss):
            raise FloatingPointError(f"held-out loss is {loss} at step {state.global_step}")
        self._last_evaluation = {"loss": loss, "perplexity": math.exp(loss)}
        self.evaluated_step = state.global_step
        self._write(
            state,
            {
                "kind": "evaluation",
                "step": state.global_step,
                **self._last_evaluation,
                "tokens": state.global_step * self.tokens_per_step,
                "lambda": self.residual.value,
            },
        )

    def finish(self, state) -> None:
        """The closing line, with the last evaluation's numbers; without an evaluation there is none to write."""
        if not self._last_evaluation:
            return
        seconds = self._seconds()
        tokens = (state.global_step - self._first_step) * self.tokens_per_step
        self._write(
            state,
            {
                "kind": "finish",
                "step": state.global_step,
                **self._last_evaluation,
                "seconds": seconds,
                "tokens_per_second": tokens / max(seconds, 1e-9),
                "runtime_perplexity": None,
            },
        )

    def _seconds(self) -> float:
        return time.monotonic() - self._started_s

    def _write(self, state, line: dict) -> None:
        if not state.is_world_process_zero:
            return
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")


def _keep_lines_before(path: Path, step: int) -> None:
    """A run that resumes at `step` repeats what came after it, and one that begins anew all: those lines go.

    So does a line that is not whole, which is what a process leaves that was killed while it wrote.
    """
    if not path.exists():
        return
    lines = path.read_text(encoding="utf-8").splitlines() if step > 0 else []
    kept = [line for line in lines if (at := _step_of(line)) is not None and at <= step]
    path.write_text("".join(f"{line}\n" for line in kept), encoding="utf-8")


def _step_of(line: str) -> int | None:
    try:
        return json.loads(line).get("step", 0)
    except json.JSONDecodeError:
        return None
