"""Exports latent weights again, to another type: `python3 scripts/torch/export.py RUN/latent OUTPUT [--dtype bfloat16]`."""

import argparse
import sys
from pathlib import Path

from sherry_torch.export import DTYPES, ExportError, export_folder

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("latent", type=Path, help="a folder of latent weights that training wrote")
    parser.add_argument("output", type=Path, help="the folder to write")
    parser.add_argument("--dtype", choices=list(DTYPES), default="float32")
    options = parser.parse_args()
    try:
        layers = export_folder(options.latent, options.output, options.dtype)
    except ExportError as error:
        sys.exit(str(error))
    print(f"Wrote {options.output}: {layers} quantized layers. Next: bun run pack {options.output}")
