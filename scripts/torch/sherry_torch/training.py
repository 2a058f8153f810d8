"""A training run: model, data and Trainer put together, then the latent weights saved and the packable folder exported.

OUTPUT_DIR receives log.jsonl, the Trainer's own checkpoints, tokens/ (the packed text), latent/ (the weights as
trained, to continue from) and model/ (Q(W), for `sherry-pack`).
"""

import sys
from pathlib import Path

import torch
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    AutoTokenizer,
    HfArgumentParser,
    Trainer,
    default_data_collator,
    set_seed,
)
from transformers.trainer_utils import get_last_checkpoint

from .arguments import RunArguments, SherryArguments
from .callbacks import AnnealResidual, RunLog
from .export import export_folder, write_recipe
from .linear import Residual, replace_linears, sherry_linears
from .tokens import PackedTokens, tokens_of


def parse_arguments(arguments: list[str]) -> tuple[SherryArguments, RunArguments]:
    """From the command line, or from one JSON file; a setting that is not known is refused either way."""
    parser = HfArgumentParser((SherryArguments, RunArguments))
    if len(arguments) == 1 and arguments[0].endswith(".json"):
        return parser.parse_json_file(arguments[0], allow_extra_keys=False)
    return parser.parse_args_into_dataclasses(arguments)


def load_model(sherry: SherryArguments):
    """The model to start from, in float32: latent weights move by less than bfloat16 can tell."""
    if sherry.random_weights:
        return AutoModelForCausalLM.from_config(AutoConfig.from_pretrained(sherry.model)).float()
    return AutoModelForCausalLM.from_pretrained(sherry.model).float()


def train(arguments: list[str]) -> None:
    sherry, run = parse_arguments(arguments)
    schedule = sherry.residual_schedule()
    quantizer = sherry.quantizer()
    set_seed(run.seed)
    tokenizer = AutoTokenizer.from_pretrained(sherry.model)
    model = load_model(sherry)
    residual = Residual()
    if sherry.method != "none":
        residual = replace_linears(model, quantizer, sherry.linear_names, sherry.every_linear)
    linears = {name: tuple(layer.weight.shape) for name, layer in sherry_linears(model)}
    output = Path(run.output_dir)
    output.mkdir(parents=True, exist_ok=True)

    def dataset(files: list[str]) -> PackedTokens:
        with run.main_process_first(desc="tokens"):
            paths = [tokens_of(Path(file), tokenizer, sherry.separator, output / "tokens") for file in files]
        return PackedTokens(paths, sherry.sequence_length)

    tokens_per_step = (
        run.per_device_train_batch_size * run.gradient_accumulation_steps * max(run.n_gpu, 1) * run.world_size
    ) * sherry.sequence_length
    facts = {
        "name": output.name,
        "method": sherry.method,
        "arenas": schedule is not None,
        "schedule": None if schedule is None else sherry.schedule,
        "granularity": sherry.granularity,
        "group_columns": sherry.group_columns if sherry.granularity == "group" else 0,
        "seed": run.seed,
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "quantized_parameters": sum(rows * columns for rows, columns in linears.values()),
        "bits_per_weight": quantizer.bits_per_weight(linears.values()),
        "tokens_per_step": tokens_per_step,
        "thread_count": torch.get_num_threads(),
    }
    log = RunLog(output / "log.jsonl", residual, facts, tokens_per_step)
    trainer = Trainer(
        model=model,
        args=run,
        train_dataset=dataset(sherry.train_files),
        eval_dataset=dataset(sherry.eval_files) if sherry.eval_files else None,
        processing_class=tokenizer,
        # Sequences are all of one length: there is nothing to pad.
        data_collator=default_data_collator,
        callbacks=[AnnealResidual(residual, schedule), log],
    )
    refuse_ignored_sharding(run, trainer)
    trainer.train(resume_from_checkpoint=_checkpoint(run))
    if sherry.eval_files and log.evaluated_step != trainer.state.global_step:
        trainer.evaluate()
    log.finish(trainer.state)
    _save(trainer, sherry, output, list(linears))
    if residual.value != 0.0 and trainer.is_world_process_zero():
        print(
            f"Training ended with lambda at {residual.value}: the exported model lacks a residual that the trained one "
            "had, and is worse. Let the run reach its last step.",
            file=sys.stderr,
        )


def refuse_ignored_sharding(run: RunArguments, trainer: Trainer) -> None:
    """On CPU the Trainer leaves FSDP out without a word; who asked for it hears so."""
    if run.fsdp and not trainer.is_fsdp_enabled:
        raise ValueError("fsdp: expected accelerators to shard over, received a run on CPU. Leave --fsdp out")


def _checkpoint(run: RunArguments) -> str | bool | None:
    """`--resume_from_checkpoint True` means the latest in OUTPUT_DIR, anything else a folder."""
    wanted = run.resume_from_checkpoint
    if wanted is None or str(wanted).lower() == "false":
        return None
    if str(wanted).lower() != "true":
        return wanted
    latest = get_last_checkpoint(run.output_dir)
    if latest is None:
        raise FileNotFoundError(f"{run.output_dir}: expected a checkpoint to resume from, received none")
    return latest


def _save(trainer: Trainer, sherry: SherryArguments, output: Path, linears: list[str]) -> None:
    """Every process takes part in gathering the weights; the first one writes."""
    if trainer.is_fsdp_enabled:
        trainer.accelerator.state.fsdp_plugin.set_state_dict_type("FULL_STATE_DICT")
    latent = output / "latent"
    trainer.save_model(str(latent))
    if trainer.is_world_process_zero():
        write_recipe(latent, sherry.quantizer(), linears)
        count = export_folder(latent, output / "model", sherry.export_dtype, replace=True)
        print(f"Wrote {output / 'model'}: {count} layers as {sherry.method}. Next: bun run pack {output / 'model'}")
    trainer.accelerator.wait_for_everyone()
