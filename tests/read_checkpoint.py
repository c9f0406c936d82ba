"""Prints what the safetensors library of Python reads from a checkpoint, as JSON.

    read_checkpoint.py FILE

    {"metadata": {name: text}, "tensors": {name: {"type": dtype, "shape": [size...], "finite": whether all are}}}
"""

import json
import sys

import numpy
from safetensors import safe_open

with safe_open(sys.argv[1], framework="numpy") as file:
    tensors = {name: file.get_tensor(name) for name in file.keys()}
    shown = {
        name: {
            "type": str(tensor.dtype),
            "shape": list(tensor.shape),
            "finite": bool(numpy.isfinite(tensor).all()),
        }
        for name, tensor in tensors.items()
    }
    print(json.dumps({"metadata": file.metadata(), "tensors": shown}))
