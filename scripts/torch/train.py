"""Trains under torchrun: `torchrun --nproc-per-node N scripts/torch/train.py --help`, or with one JSON file of settings."""

import sys

from sherry_torch.training import train

if __name__ == "__main__":
    train(sys.argv[1:])
