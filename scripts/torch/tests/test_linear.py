"""The quantized layer against the golden vectors' gradients, and what takes the place of a model's linear layers."""

import unittest

import torch
from golden import matrix, vectors, weight
from test_quantizers import quantizer_of
from torch import nn

from sherry_torch.linear import EffectiveWeight, Residual, SherryLinear, replace_linears, sherry_linears
from sherry_torch.quantizers import Quantizer

CHANNEL = Quantizer("sherry", "channel")


class Block(nn.Module):
    """Two of a block's layers, a norm, and an embedding that the head shares."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(10, 8)
        self.q_proj = nn.Linear(8, 8, bias=True)
        self.norm = nn.LayerNorm(8)
        self.mlp = nn.ModuleDict({"down_proj": nn.Linear(8, 8, bias=False)})
        self.head = nn.Linear(8, 10, bias=False)
        self.head.weight = self.embedding.weight

    def get_output_embeddings(self) -> nn.Module:
        return self.head


class GoldenGradients(unittest.TestCase):
    def test_output_and_both_gradients(self) -> None:
        self.assertGreater(len(vectors()["gradients"]), 5)
        for entry in vectors()["gradients"]:
            with self.subTest(method=entry["method"], residual=entry["lambda"]):
                latent = weight(entry["weight"])
                linear = nn.Linear(latent.shape[1], latent.shape[0], bias=False)
                linear.weight = nn.Parameter(latent.clone())
                layer = SherryLinear.from_linear(linear, quantizer_of(entry), Residual(entry["lambda"]))
                input_values = matrix(entry["input"]).requires_grad_()
                output = layer(input_values)
                output.backward(matrix(entry["output_gradient"]))
                # float32 sums of at most 128 products in different orders.
                close = {"rtol": 2e-5, "atol": 2e-6}
                torch.testing.assert_close(output.flatten(), torch.tensor(entry["output"]), **close)
                gradient = torch.tensor(entry["input_gradient"])
                torch.testing.assert_close(input_values.grad.flatten(), gradient, **close)
                gradient = torch.tensor(entry["weight_gradient"])
                torch.testing.assert_close(layer.weight.grad.flatten(), gradient, **close)


class TheLayer(unittest.TestCase):
    def test_at_lambda_0_the_effective_weight_is_the_quantized_one_bit_for_bit(self) -> None:
        latent = torch.randn(4, 64, generator=torch.Generator().manual_seed(2))
        for method in ("sherry", "absmean", "twn", "binary"):
            quantizer = Quantizer(method, "group", 32)
            effective = EffectiveWeight.apply(latent, quantizer, 0.0)
            self.assertTrue(torch.equal(effective, quantizer.quantize(latent)))

    def test_the_latent_weight_is_never_changed_by_a_forward_pass(self) -> None:
        layer = SherryLinear.from_linear(nn.Linear(8, 2), CHANNEL, Residual(0.5))
        before = layer.weight.detach().clone()
        layer(torch.randn(3, 8)).sum().backward()
        self.assertTrue(torch.equal(layer.weight, before))

    def test_autocast_multiplies_in_bfloat16_and_keeps_float32_gradients(self) -> None:
        layer = SherryLinear.from_linear(nn.Linear(8, 2), CHANNEL, Residual(0.5))
        with torch.autocast("cpu", dtype=torch.bfloat16):
            output = layer(torch.randn(3, 8))
        self.assertEqual(output.dtype, torch.bfloat16)
        output.float().sum().backward()
        self.assertEqual(layer.weight.grad.dtype, torch.float32)

    def test_gradient_checkpointing_gives_the_same_gradients(self) -> None:
        layer = SherryLinear.from_linear(nn.Linear(8, 2), CHANNEL, Residual(0.25))
        values = torch.randn(3, 8)
        layer(values).sum().backward()
        expected = layer.weight.grad.clone()
        layer.weight.grad = None
        torch.utils.checkpoint.checkpoint(layer, values, use_reentrant=False).sum().backward()
        self.assertTrue(torch.equal(layer.weight.grad, expected))


class Replacing(unittest.TestCase):
    def test_by_name_it_keeps_embedding_norm_head_and_every_key(self) -> None:
        model = Block()
        keys = list(model.state_dict())
        bias = model.q_proj.bias
        residual = replace_linears(model, CHANNEL, ["q_proj", "down_proj"])
        self.assertEqual([name for name, _ in sherry_linears(model)], ["q_proj", "mlp.down_proj"])
        self.assertEqual(list(model.state_dict()), keys)
        self.assertIs(model.q_proj.bias, bias)
        self.assertNotIsInstance(model.head, SherryLinear)
        self.assertIs(model.head.weight, model.embedding.weight)
        self.assertEqual(residual.value, 0.0)
        residual.value = 0.5
        self.assertEqual([layer.residual.value for _, layer in sherry_linears(model)], [0.5, 0.5])

    def test_by_class_it_takes_all_but_the_head(self) -> None:
        model = Block()
        replace_linears(model, CHANNEL, every_linear=True)
        self.assertEqual([name for name, _ in sherry_linears(model)], ["q_proj", "mlp.down_proj"])

    def test_names_that_are_not_there_are_refused(self) -> None:
        with self.assertRaisesRegex(ValueError, "received a model without gate_proj, k_proj, o_proj, up_proj, v_proj"):
            replace_linears(Block(), CHANNEL)
        with self.assertRaisesRegex(ValueError, "received a model without any"):
            replace_linears(nn.Sequential(nn.Linear(4, 4)), CHANNEL, ["q_proj"])

    def test_a_shape_that_does_not_fit_leaves_the_model_as_it_was(self) -> None:
        model = Block()
        with self.assertRaisesRegex(ValueError, "q_proj: expected in_features a multiple of group_columns 32"):
            replace_linears(model, Quantizer("sherry", "group", 32), ["q_proj", "down_proj"])
        self.assertEqual(list(sherry_linears(model)), [])


if __name__ == "__main__":
    unittest.main()
