"""SherryLinear under FSDP2, in two processes on CPU."""

import subprocess
import sys
import unittest
from pathlib import Path

import torch
import torch.distributed.fsdp

HAS_FSDP2 = hasattr(torch.distributed.fsdp, "fully_shard")


class Sharding(unittest.TestCase):
    @unittest.skipUnless(HAS_FSDP2, "this PyTorch has no FSDP2 (fully_shard came with 2.6)")
    def test_sharded_layers_learn_what_whole_ones_learn(self) -> None:
        launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
        program = Path(__file__).with_name("sharded_layers.py")
        ran = subprocess.run([*launch, program], capture_output=True, text=True, timeout=200)
        self.assertEqual(ran.returncode, 0, ran.stderr)
        self.assertIn("sharded weights agree", ran.stdout)


if __name__ == "__main__":
    unittest.main()
