"""A whole small run in this process: its log, its folders, resuming, and a loss that is not finite."""

import contextlib
import io
import json
import shutil
import tempfile
import unittest
from pathlib import Path
from types import SimpleNamespace

import torch
from safetensors.torch import load_file
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import AutoModelForCausalLM, LlamaConfig, PreTrainedTokenizerFast

from sherry_torch.export import project
from sherry_torch.quantizers import Quantizer
from sherry_torch.training import refuse_ignored_sharding, train

STEPS = 6
WORDS = ["<end>", "<unknown>", *"the a cat dog sat ran on under mat tree and then".split()]


def model_folder(folder: Path) -> Path:
    source = folder / "source"
    words = Tokenizer(models.WordLevel({word: index for index, word in enumerate(WORDS)}, unk_token="<unknown>"))
    words.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=words, eos_token="<end>", unk_token="<unknown>")
    tokenizer.save_pretrained(source)
    config = LlamaConfig(
        vocab_size=len(WORDS),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=64,
        tie_word_embeddings=True,
        bos_token_id=None,
        eos_token_id=0,
    )
    config.save_pretrained(source)
    return source


class Run(unittest.TestCase):
    @classmethod
    def setUpClass(cls) -> None:
        temporary = tempfile.TemporaryDirectory()
        cls.addClassCleanup(temporary.cleanup)
        cls.folder = Path(temporary.name)
        cls.source = model_folder(cls.folder)
        text = cls.folder / "text.txt"
        text.write_text("\n=====\n".join(["the cat sat on the mat and then the dog ran under a tree"] * 40))
        cls.text = text
        cls.train("whole")

    @classmethod
    def train(cls, name: str, *more: str) -> Path:
        output = cls.folder / name
        settings = {
            "model": cls.source,
            "random_weights": True,
            "train_files": cls.text,
            "eval_files": cls.text,
            "separator": "=====",
            "sequence_length": 16,
            "granularity": "group",
            "group_columns": 32,
            "output_dir": output,
            "use_cpu": True,
            "max_steps": STEPS,
            "logging_steps": 1,
            "save_steps": 3,
            "eval_strategy": "steps",
            "eval_steps": 3,
            "learning_rate": 0.01,
            "per_device_train_batch_size": 2,
            "per_device_eval_batch_size": 8,
            "disable_tqdm": True,
        }
        arguments = [part for key, value in settings.items() for part in (f"--{key}", str(value))]
        with contextlib.redirect_stdout(io.StringIO()):
            train([*arguments, *more])
        return output

    def lines(self, name: str) -> list[dict]:
        text = (self.folder / name / "log.jsonl").read_text()
        return [json.loads(line) for line in text.splitlines()]

    def test_the_log_tells_every_step(self) -> None:
        lines = self.lines("whole")
        kinds = [line["kind"] for line in lines]
        self.assertEqual(kinds, ["start", "step", "step", "step", "evaluation", "step", "step", "step", "evaluation", "finish"])
        start, *_, finish = lines
        self.assertEqual((start["method"], start["steps"], start["tokens_per_step"]), ("sherry", STEPS, 32))
        self.assertEqual(start["quantized_parameters"], 2 * (2 * 32 * 32 + 2 * 16 * 32 + 3 * 32 * 64))
        steps = [line for line in lines if line["kind"] == "step"]
        self.assertEqual([line["tokens"] for line in steps], [32, 64, 96, 128, 160, 192])
        self.assertEqual(steps[1]["lambda"], 1.0)
        self.assertEqual(steps[-1]["lambda"], 0.0)
        self.assertLess(steps[-1]["loss"], steps[0]["loss"])
        self.assertIsNone(finish["runtime_perplexity"])

    def test_the_model_is_the_latent_one_projected(self) -> None:
        latent = load_file(self.folder / "whole" / "latent" / "model.safetensors")
        exported = load_file(self.folder / "whole" / "model" / "model.safetensors")
        self.assertEqual(sorted(latent), sorted(exported))
        quantizer = Quantizer("sherry", "group", 32)
        for name, weight in latent.items():
            expected = project(weight, quantizer, torch.float32) if "_proj" in name else weight
            self.assertTrue(torch.equal(exported[name], expected), name)
        AutoModelForCausalLM.from_pretrained(self.folder / "whole" / "model")

    def test_a_resumed_run_ends_with_the_same_weights_and_a_log_without_repetition(self) -> None:
        # What a run leaves that was stopped after its last step but before its second checkpoint.
        shutil.copytree(self.folder / "whole", self.folder / "stopped")
        for name in ("checkpoint-6", "latent", "model"):
            shutil.rmtree(self.folder / "stopped" / name)
        with (self.folder / "stopped" / "log.jsonl").open("a") as log:
            log.write('{"kind":"step","st')
        self.train("stopped", "--resume_from_checkpoint", "True")
        whole = load_file(self.folder / "whole" / "latent" / "model.safetensors")
        resumed = load_file(self.folder / "stopped" / "latent" / "model.safetensors")
        for name, weight in whole.items():
            self.assertTrue(torch.equal(resumed[name], weight), name)
        steps = [line["step"] for line in self.lines("stopped") if line["kind"] == "step"]
        self.assertEqual(steps, [1, 2, 3, 4, 5, 6])

    def test_a_loss_that_is_not_finite_stops_the_run(self) -> None:
        with self.assertRaisesRegex(FloatingPointError, r"loss is (nan|inf) at step \d. Lower --learning_rate"):
            self.train("broken", "--learning_rate", "1e30", "--max_grad_norm", "0", "--eval_strategy", "no")
        self.assertFalse((self.folder / "broken" / "model").exists())

    def test_what_cannot_be_trained_is_refused(self) -> None:
        with self.assertRaisesRegex(ValueError, "learning_speed"):
            self.train("refused", "--learning_speed", "1")
        with self.assertRaisesRegex(ValueError, "fsdp: expected accelerators to shard over, received a run on CPU"):
            refuse_ignored_sharding(SimpleNamespace(fsdp=True), SimpleNamespace(is_fsdp_enabled=False))
        refuse_ignored_sharding(SimpleNamespace(fsdp=True), SimpleNamespace(is_fsdp_enabled=True))
        with self.assertRaisesRegex(FileNotFoundError, "expected a checkpoint to resume from, received none"):
            self.train("nothing", "--resume_from_checkpoint", "True")


if __name__ == "__main__":
    unittest.main()
