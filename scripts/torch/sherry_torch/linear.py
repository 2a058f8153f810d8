"""The quantized linear layer with the Arenas residual, and how it takes the place of a model's own linear layers.

Y = X (Q(W) + lambda W)^T. The gradients are dX = dY (Q(W) + lambda W) and, straight through the quantizer,
dW = (1 + lambda) dY^T X. Source: arXiv 2601.07892, sections 3 and 4.

The effective weight is one matrix, made anew from the latent weight at every forward pass, so the layer costs one
matrix product like any other. It holds the latent weight under the name and in the shape of torch.nn.Linear: state
dictionaries, FSDP, DeepSpeed, gradient checkpointing and the Trainer see an ordinary linear layer.
"""

from collections.abc import Iterator, Sequence

import torch
from torch import nn
from torch.nn import functional

from .quantizers import Quantizer

# The seven linear layers of a block, as Llama, Qwen, Mistral, Hunyuan and their relatives name them.
BLOCK_LINEARS = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")


class Residual:
    """The one lambda that all layers of a model share. A Python number, so no cast of the model ever rounds it."""

    def __init__(self, value: float = 0.0) -> None:
        self.value = value


class EffectiveWeight(torch.autograd.Function):
    """Q(W) + lambda W, whose gradient to W is (1 + lambda) times its own: straight-through and residual."""

    @staticmethod
    def forward(ctx, weight: torch.Tensor, quantizer: Quantizer, residual: float) -> torch.Tensor:
        ctx.factor = 1.0 + residual
        effective = quantizer.quantize(weight)
        # At exactly 0 nothing is added: what is trained then is bit for bit what is exported.
        return effective if residual == 0.0 else effective.add_(weight, alpha=residual)

    @staticmethod
    def backward(ctx, gradient: torch.Tensor):
        return gradient if ctx.factor == 1.0 else gradient * ctx.factor, None, None


class SherryLinear(nn.Linear):
    """torch.nn.Linear over the quantized weight. Make it of a layer with `from_linear`."""

    quantizer: Quantizer
    residual: Residual

    @classmethod
    def from_linear(cls, linear: nn.Linear, quantizer: Quantizer, residual: Residual) -> "SherryLinear":
        """Takes over the very parameters of `linear`: tied and sharded ones, and ones without storage, stay so."""
        layer = cls(linear.in_features, linear.out_features, bias=linear.bias is not None, device="meta")
        layer.weight = linear.weight
        if linear.bias is not None:
            layer.bias = linear.bias
        layer.quantizer = quantizer
        layer.residual = residual
        layer.train(linear.training)
        return layer

    def forward(self, input: torch.Tensor) -> torch.Tensor:  # noqa: A002 (the base class's name)
        effective = EffectiveWeight.apply(self.weight, self.quantizer, self.residual.value)
        return functional.linear(input, effective, self.bias)

    def extra_repr(self) -> str:
        scale = self.quantizer.granularity
        reach = f"{scale}:{self.quantizer.group_columns}" if scale == "group" else scale
        return f"{super().extra_repr()}, method={self.quantizer.method}, scale={reach}"


def replace_linears(
    model: nn.Module,
    quantizer: Quantizer,
    names: Sequence[str] = BLOCK_LINEARS,
    every_linear: bool = False,
) -> Residual:
    """Replaces linear layers of `model` in place and returns the lambda that they share, 0 at first.

    By name: those whose last name is one of `names`. With `every_linear`, by class: each torch.nn.Linear but the head
    (`get_output_embeddings`). Embeddings, norms and the head are never touched.

    Raises ValueError when no layer matches, when one of `names` matches none, or when a layer's shape does not fit; the
    model is unchanged then.
    """
    head = model.get_output_embeddings() if hasattr(model, "get_output_embeddings") else None
    found: list[tuple[nn.Module, str, str, nn.Linear]] = []
    for path, module in model.named_modules():
        for name, child in module.named_children():
            if not isinstance(child, nn.Linear) or isinstance(child, SherryLinear) or child is head:
                continue
            if every_linear or name in names:
                found.append((module, name, f"{path}.{name}".lstrip("."), child))
    if not found:
        raise ValueError(f"expected linear layers named {', '.join(names)}, received a model without any")
    missing = [] if every_linear else sorted(set(names) - {name for _, name, _, _ in found})
    if missing:
        raise ValueError(
            f"expected linear layers named {', '.join(names)}, received a model without {', '.join(missing)}. "
            "Name its own with --linear_names, or choose --every_linear"
        )
    for _, _, path, child in found:
        quantizer.check_shape(path, child.in_features)
    residual = Residual()
    for module, name, _, child in found:
        setattr(module, name, SherryLinear.from_linear(child, quantizer, residual))
    return residual


def sherry_linears(model: nn.Module) -> Iterator[tuple[str, SherryLinear]]:
    """The replaced layers with their full names, without what wrappers (DDP, FSDP, compilation) add to them."""
    for name, module in model.named_modules():
        if isinstance(module, SherryLinear):
            yield _plain_name(name), module


def _plain_name(name: str) -> str:
    wrappers = ("module", "_orig_mod", "_fsdp_wrapped_module", "_checkpoint_wrapped_module")
    return ".".join(part for part in name.split(".") if part not in wrappers)
