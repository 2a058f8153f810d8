"""The quantizers against the golden vectors that the Zig kernels are held to, and their refusals."""

import unittest

import torch
from golden import vectors, weight

from sherry_torch.quantizers import Quantizer, zero_positions

SIGNS = {"+": 1.0, "-": -1.0, "0": 0.0}


def quantizer_of(entry: dict) -> Quantizer:
    if entry["granularity"] != "group":
        return Quantizer(entry["method"], entry["granularity"])
    return Quantizer(entry["method"], "group", entry["group_columns"])


class GoldenVectors(unittest.TestCase):
    def test_every_code_is_the_same_and_every_scale_to_the_last_bit_but_one(self) -> None:
        self.assertGreater(len(vectors()["quantized"]), 30)
        for entry in vectors()["quantized"]:
            with self.subTest({key: entry[key] for key in ("weight", "method", "granularity", "group_columns")}):
                quantizer = quantizer_of(entry)
                latent = weight(entry["weight"])
                scales, codes = quantizer.scales_and_codes(latent)
                # float64 sums in another order may round to the neighbouring float32.
                torch.testing.assert_close(scales.flatten(), torch.tensor(entry["scales"]), rtol=2.0**-22, atol=0)
                expected = torch.tensor([[SIGNS[sign] for sign in row] for row in entry["signs"]])
                # Where a scale is 0, codes say nothing.
                spelled = (codes * (scales != 0)).reshape(latent.shape)
                self.assertTrue(torch.equal(spelled, expected))
                quantized = quantizer.quantize(latent)
                self.assertTrue(torch.equal(quantized, (scales * codes).reshape(latent.shape)))

    def test_zero_positions_are_those_of_the_sherry_codes(self) -> None:
        for entry in vectors()["quantized"]:
            if entry["method"] != "sherry":
                continue
            latent = weight(entry["weight"])
            rows, columns = latent.shape
            _, codes = quantizer_of(entry).scales_and_codes(latent)
            places = (codes.reshape(rows, columns // 4, 4) == 0).nonzero()[:, 2].reshape(rows, columns // 4)
            self.assertTrue(torch.equal(zero_positions(latent), places))


class Choices(unittest.TestCase):
    def test_of_equal_weights_the_first_becomes_zero_and_kept_zeros_are_positive(self) -> None:
        latent = torch.tensor([[-1.0, 1.0, -1.0, 1.0, -0.0, -0.0, 0.0, 3.0]])
        scales, codes = Quantizer("sherry", "channel").scales_and_codes(latent)
        self.assertEqual(codes.tolist(), [[0, 1, -1, 1, 0, 1, 1, 1]])
        self.assertEqual(scales.tolist(), [[6 / 6]])

    def test_bfloat16_weights_give_bfloat16_results(self) -> None:
        latent = torch.randn(2, 64, generator=torch.Generator().manual_seed(1)).bfloat16()
        for method in ("none", "sherry", "absmean", "twn", "binary"):
            self.assertEqual(Quantizer(method, "group", 32).quantize(latent).dtype, torch.bfloat16)

    def test_none_is_the_weight_itself_in_memory_of_its_own(self) -> None:
        latent = torch.ones(1, 4)
        quantized = Quantizer("none").quantize(latent)
        quantized.add_(1)
        self.assertEqual(latent.tolist(), [[1, 1, 1, 1]])

    def test_bits_a_weight_count_scales_as_they_are_stored(self) -> None:
        shapes = [(4, 128), (2, 256)]
        self.assertEqual(Quantizer("sherry", "group", 128).bits_per_weight(shapes), 1.375)
        self.assertEqual(Quantizer("sherry", "channel").bits_per_weight(shapes), 1.25 + 6 * 32 / 1024)
        self.assertEqual(Quantizer("binary", "tensor").bits_per_weight(shapes), 1 + 2 * 32 / 1024)
        self.assertEqual(Quantizer("none").bits_per_weight([]), 32)

    def test_a_quantizer_without_such_a_method_reach_or_group_is_refused(self) -> None:
        for arguments, message in (
            (("ternary",), "method: expected one of none, sherry, absmean, twn, binary, received 'ternary'"),
            (("sherry", "row"), "granularity: expected one of tensor, channel, group, received 'row'"),
            (("sherry", "group", 48), "group_columns: expected one of 32, 64, 128, received 48"),
        ):
            with self.assertRaises(ValueError) as raised:
                Quantizer(*arguments)
            self.assertEqual(str(raised.exception), message)

    def test_rows_that_cannot_be_cut_are_refused_by_name(self) -> None:
        with self.assertRaisesRegex(ValueError, "q_proj: expected in_features a multiple of 4, received 6"):
            Quantizer("sherry", "channel").check_shape("q_proj", 6)
        with self.assertRaisesRegex(ValueError, "q_proj: expected in_features a multiple of group_columns 128, received 64"):
            Quantizer("sherry", "group", 128).check_shape("q_proj", 64)
        Quantizer("none").check_shape("q_proj", 6)


if __name__ == "__main__":
    unittest.main()
