"""The training script's own settings; everything else (optimizer, precision, FSDP, DeepSpeed, steps) is the Trainer's.

Defaults are the published run's where it says one: groups of 128, learning rate 1e-4 constant, AdamW without weight
decay, sequences of 1024 (arXiv 2601.07892).
"""

from dataclasses import dataclass, field

from transformers import TrainingArguments

from .linear import BLOCK_LINEARS
from .quantizers import GRANULARITIES, GROUP_COLUMNS, METHODS, Quantizer
from .schedule import SCHEDULES, ResidualSchedule


@dataclass
class SherryArguments:
    model: str = field(metadata={"help": "a Hugging Face folder or hub name to start from"})
    train_files: list[str] = field(metadata={"help": "text files (UTF-8), or .u32 files of tokens"})
    eval_files: list[str] = field(default_factory=list, metadata={"help": "held-out files, like train_files"})
    random_weights: bool = field(default=False, metadata={"help": "take the model's shape, not its weights"})
    sequence_length: int = field(default=1024, metadata={"help": "tokens of one packed sequence"})
    separator: str = field(
        default="<|endoftext|>", metadata={"help": "the line between documents; empty: a file is one document"}
    )
    method: str = field(default="sherry", metadata={"help": "quantizer", "choices": list(METHODS)})
    granularity: str = field(default="group", metadata={"choices": list(GRANULARITIES)})
    group_columns: int = field(default=128, metadata={"choices": list(GROUP_COLUMNS)})
    arenas: bool = field(default=True, metadata={"help": "add the annealed residual"})
    schedule: str = field(default="cosine", metadata={"help": "of lambda", "choices": list(SCHEDULES)})
    residual_warm_up: float = field(default=0.1, metadata={"help": "share of the steps in which lambda rises"})
    residual_final_phase: float = field(default=0.05, metadata={"help": "share of the steps with lambda exactly 0"})
    linear_names: list[str] = field(
        default_factory=lambda: list(BLOCK_LINEARS), metadata={"help": "last names of the layers to quantize"}
    )
    every_linear: bool = field(default=False, metadata={"help": "quantize every linear layer but the head"})
    export_dtype: str = field(
        default="float32", metadata={"help": "of the exported folder", "choices": ["float32", "bfloat16"]}
    )

    def quantizer(self) -> Quantizer:
        return Quantizer(self.method, self.granularity, self.group_columns)

    def residual_schedule(self) -> ResidualSchedule | None:
        """None without Arenas; with method "none" there is nothing that a residual would stand beside."""
        if not self.arenas or self.method == "none":
            return None
        return ResidualSchedule(self.schedule, self.residual_warm_up, self.residual_final_phase)


@dataclass
class RunArguments(TrainingArguments):
    learning_rate: float = field(default=1e-4, metadata={"help": "the published one"})
    lr_scheduler_type: str = field(default="constant", metadata={"help": "the published one"})
    weight_decay: float = field(default=0.0, metadata={"help": "the published one"})
    report_to: list[str] = field(default_factory=list, metadata={"help": "nothing is sent anywhere by default"})
    # A loss that is not finite ends the run; the Trainer would leave it out of its log instead.
    logging_nan_inf_filter: bool = field(default=False)
    # Every layer takes part in every step.
    ddp_find_unused_parameters: bool | None = field(default=False)
