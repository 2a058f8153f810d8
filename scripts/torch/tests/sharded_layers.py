"""Two processes: SherryLinear under FSDP2 gives the weights that one process without sharding gives.

Started by test_sharding.py under torchrun, on CPU with gloo; exits with an error when they differ.
"""

import torch
import torch.distributed as distributed
from torch import nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard

from sherry_torch.linear import replace_linears
from sherry_torch.quantizers import Quantizer

STEPS = 5


def build() -> tuple[nn.Module, object]:
    torch.manual_seed(5)
    layers = {"up_proj": nn.Linear(32, 64, bias=False), "down_proj": nn.Linear(64, 32)}
    model = nn.Sequential(*(nn.ModuleDict({name: layer}) for name, layer in layers.items()))
    residual = replace_linears(model, Quantizer("sherry", "group", 32), list(layers))
    return model, residual


def layers_of(model: nn.Module) -> list[nn.Module]:
    return [layer for block in model for layer in block.values()]


def train(model: nn.Module, residual, batches: list[torch.Tensor]) -> None:
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.01)
    for step, batch in enumerate(batches):
        residual.value = 1 - step / (STEPS - 1)
        values = batch
        for layer in layers_of(model):
            values = torch.tanh(layer(values))
        values.square().mean().backward()
        optimizer.step()
        optimizer.zero_grad()


def main() -> None:
    distributed.init_process_group("gloo")
    rank, size = distributed.get_rank(), distributed.get_world_size()
    generator = torch.Generator().manual_seed(6)
    batches = [torch.randn(4 * size, 32, generator=generator) for _ in range(STEPS)]

    whole, residual = build()
    train(whole, residual, batches)

    sharded, residual = build()
    mesh = init_device_mesh("cpu", (size,))
    for layer in layers_of(sharded):
        fully_shard(layer, mesh=mesh)
    train(sharded, residual, [batch.chunk(size)[rank] for batch in batches])

    shards = 0
    for (name, expected), received in zip(whole.named_parameters(), sharded.parameters()):
        shards += received.to_local().numel()
        # The mean over two processes is rounded otherwise than the mean over one batch.
        torch.testing.assert_close(received.full_tensor(), expected, rtol=1e-4, atol=1e-5, msg=name)
    if shards >= sum(parameter.numel() for parameter in whole.parameters()):
        raise AssertionError("expected each process to hold a part of the weights, received all of them")
    if rank == 0:
        print("sharded weights agree")
    distributed.destroy_process_group()


if __name__ == "__main__":
    main()
