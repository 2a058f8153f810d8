"""Latent folders to packable ones: weights exactly on the grid in each type, and what is refused."""

import json
import tempfile
import unittest
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

from sherry_torch.export import ExportError, export_folder, project, write_recipe
from sherry_torch.quantizers import Quantizer

NAME = "model.layers.0.self_attn.q_proj"


def normal(rows: int, columns: int) -> torch.Tensor:
    return torch.randn(rows, columns, generator=torch.Generator().manual_seed(3)) * 0.05


def latent_folder(folder: Path, quantizer: Quantizer) -> Path:
    source = folder / "latent"
    source.mkdir()
    tensors = {f"{NAME}.weight": normal(8, 128), "model.norm.weight": torch.ones(128), "ids": torch.tensor([7])}
    save_file(tensors, source / "model.safetensors")
    (source / "config.json").write_text(json.dumps({"model_type": "llama", "dtype": "float32", "use_cache": False}))
    (source / "tokenizer.json").write_text("{}")
    (source / "training_args.bin").write_text("not for a model's users")
    write_recipe(source, quantizer, [NAME])
    return source


class Projecting(unittest.TestCase):
    def on_grid(self, stored: torch.Tensor, group: int) -> None:
        """Each block of four holds one zero, each group one magnitude, as sherry-pack looks for them."""
        values = stored.float()
        zeros = (values.reshape(-1, 4) == 0).sum(dim=-1)
        self.assertTrue((zeros == 1).all())
        for segment in values.reshape(-1, group):
            self.assertEqual(len(segment.abs()[segment != 0].unique()), 1)

    def test_every_reach_and_type_is_on_the_grid(self) -> None:
        for dtype in (torch.float32, torch.bfloat16):
            for quantizer, group in (
                (Quantizer("sherry", "tensor"), 8 * 128),
                (Quantizer("sherry", "channel"), 128),
                (Quantizer("sherry", "group", 32), 32),
            ):
                with self.subTest(dtype=dtype, reach=quantizer.granularity):
                    stored = project(normal(8, 128), quantizer, dtype)
                    self.assertEqual(stored.dtype, dtype)
                    self.on_grid(stored, group)

    def test_scales_by_group_are_float16_unless_that_loses_one(self) -> None:
        quantizer = Quantizer("sherry", "group", 32)
        stored = project(normal(8, 128), quantizer, torch.float32)
        self.assertTrue(torch.equal(stored, stored.half().float()))
        tiny = normal(8, 128) * 1e-7
        stored = project(tiny, quantizer, torch.float32)
        self.assertFalse(torch.equal(stored, stored.half().float()))
        self.on_grid(stored, 32)

    def test_rows_of_zeros_stay_plain_zeros(self) -> None:
        stored = project(-torch.zeros(1, 32), Quantizer("sherry", "channel"), torch.float32)
        self.assertFalse(torch.signbit(stored).any())

    def test_weights_that_are_not_finite_are_refused(self) -> None:
        for dtype in (torch.float32, torch.bfloat16):
            with self.assertRaisesRegex(ExportError, "expected finite weights"):
                project(torch.full((1, 32), float("inf")), Quantizer("sherry", "channel"), dtype)


class Folders(unittest.TestCase):
    def setUp(self) -> None:
        self.temporary = tempfile.TemporaryDirectory()
        self.addCleanup(self.temporary.cleanup)
        self.folder = Path(self.temporary.name)

    def test_only_the_layers_of_the_recipe_are_quantized(self) -> None:
        quantizer = Quantizer("sherry", "group", 64)
        source = latent_folder(self.folder, quantizer)
        target = self.folder / "model"
        self.assertEqual(export_folder(source, target, "bfloat16"), 1)
        stored = load_file(target / "model.safetensors")
        self.assertTrue(torch.equal(stored[f"{NAME}.weight"], project(normal(8, 128), quantizer, torch.bfloat16)))
        self.assertTrue(torch.equal(stored["model.norm.weight"], torch.ones(128).bfloat16()))
        self.assertEqual(stored["ids"].dtype, torch.int64)
        config = json.loads((target / "config.json").read_text())
        self.assertEqual(config, {"model_type": "llama", "dtype": "bfloat16", "use_cache": True})
        self.assertEqual(sorted(path.name for path in target.iterdir()), ["config.json", "model.safetensors", "tokenizer.json"])

    def test_several_files_with_an_index(self) -> None:
        source = latent_folder(self.folder, Quantizer("sherry", "channel"))
        (source / "model.safetensors").rename(source / "one.safetensors")
        save_file({"other.weight": torch.ones(4)}, source / "two.safetensors")
        weight_map = {f"{NAME}.weight": "one.safetensors", "other.weight": "two.safetensors"}
        (source / "model.safetensors.index.json").write_text(json.dumps({"metadata": {}, "weight_map": weight_map}))
        self.assertEqual(export_folder(source, self.folder / "model"), 1)
        index = json.loads((self.folder / "model" / "model.safetensors.index.json").read_text())
        self.assertEqual(index["weight_map"], weight_map)

    def refused(self, source: Path, message: str) -> None:
        with self.assertRaisesRegex(ExportError, message):
            export_folder(source, self.folder / "model")
        self.assertFalse((self.folder / "model").exists())
        self.assertFalse((self.folder / "model.partial").exists())

    def test_folders_that_are_not_whole_are_refused_and_leave_nothing(self) -> None:
        source = latent_folder(self.folder, Quantizer("sherry", "channel"))
        write_recipe(source, Quantizer("sherry", "channel"), [NAME, "model.layers.1.mlp.up_proj"])
        self.refused(source, "received none named model.layers.1.mlp.up_proj.weight")
        (source / "sherry.json").write_text('{"version": 2}')
        self.refused(source, "expected version 1, received 2")
        (source / "sherry.json").write_text('{"version": 1}')
        self.refused(source, "expected version, method, granularity")
        (source / "sherry.json").unlink()
        self.refused(source, "expected the recipe that training writes")
        write_recipe(source, Quantizer("sherry", "channel"), [NAME])
        (source / "model.safetensors").unlink()
        self.refused(source, "expected model.safetensors, received a folder without it")

    def test_a_folder_that_is_there_is_kept_unless_it_may_be_replaced(self) -> None:
        source = latent_folder(self.folder, Quantizer("sherry", "channel"))
        target = self.folder / "model"
        export_folder(source, target)
        (target / "own").write_text("")
        with self.assertRaisesRegex(ExportError, "expected a folder that is not there yet"):
            export_folder(source, target)
        self.assertTrue((target / "own").exists())
        export_folder(source, target, replace=True)
        self.assertFalse((target / "own").exists())


if __name__ == "__main__":
    unittest.main()
