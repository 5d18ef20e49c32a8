"""Run the Triton scan in Triton's interpreter and print its errors: needs a process of its own, started with
TRITON_INTERPRET=1, because Triton's own functions are made for the interpreter or the compiler when it is imported.
"""

import json

import torch

from spectramind_kit.networks import triton_scan
from spectramind_kit.networks.scan_paths import SCANS
from tests.networks.scan_inputs import relative_errors, scan_inputs, value_and_gradients

torch.set_num_threads(1)
# The interpreter takes half a millisecond for each element of a scan: tiny tiles, several in every direction.
triton_scan.STEPS, triton_scan.CHANNELS, triton_scan.CHUNKS = 8, 2, 2


def errors(names, **shape):
    """Return the errors in single precision against the segments in double."""
    inputs = {name: x for name, x in scan_inputs(**shape).items() if name in names}
    softplus = "delta_bias" in names
    wanted = value_and_gradients(SCANS["segmented"], inputs, delta_softplus=softplus)
    single = {name: x.float() for name, x in inputs.items()}
    return relative_errors(value_and_gradients(SCANS["triton"], single, delta_softplus=softplus), wanted)


everything = {"u", "delta", "A", "B", "C", "D", "z", "delta_bias"}
bare = {"u", "delta", "A", "B", "C"}
cases = {
    "everything": errors(everything, batch=2, channels=3, time=19, states=3),
    "bare": errors(bare, batch=1, channels=2, time=16, states=2),
    "shorter than a chunk": errors(bare, batch=1, channels=1, time=2, states=1),
    "large steps": errors(bare, batch=1, channels=1, time=21, states=4, largest_step=2.0),
}
print(json.dumps(cases))
