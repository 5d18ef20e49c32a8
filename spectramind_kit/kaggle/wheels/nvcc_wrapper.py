"""Call nvcc for chosen architectures, whatever the caller asked for: a program that stands in for the compiler.

The set-ups of mamba-ssm and causal-conv1d name their own architectures, and torch leaves its list aside where a flag
already names one. torch calls the compiler named in ``PYTORCH_NVCC``, so that is where the choice is made. Standard
library only: it runs under any Python. See NVIDIA, "CUDA compiler driver nvcc", options for steering GPU code.
"""

import os
import sys

ARCHITECTURES_VARIABLE = "SPECTRAMIND_ARCHITECTURES"
CUDA_HOME_VARIABLE = "CUDA_HOME"
DROPPED_WITH_VALUE = ("-gencode", "--generate-code", "--threads", "-t")
DROPPED = ("-lineinfo", "--generate-line-info")
"""Line numbers for profilers make the machine code half as large again; nobody profiles in a rerun."""


def gencode(architectures: list[str]) -> list[str]:
    """Return nvcc's flags for architectures: "sm_75" is machine code, "compute_80" is PTX for newer devices."""
    return [f"-gencode=arch=compute_{name.split('_')[1]},code={name}" for name in architectures]


def arguments_for(arguments: list[str], architectures: list[str]) -> list[str]:
    """Return a compiler command's arguments with its architectures, threads and line numbers replaced.

    Commands that name no architecture (asking for the version, linking) stay as they are.
    """
    passed, skip_next = [], False
    for argument in arguments:
        name, has_value = argument.split("=")[0], "=" in argument
        if not skip_next and argument not in DROPPED and name not in DROPPED_WITH_VALUE:
            passed.append(argument)
        skip_next = not skip_next and name in DROPPED_WITH_VALUE and not has_value
    asked = any(argument.split("=")[0] in DROPPED_WITH_VALUE[:2] for argument in arguments)
    return [*passed, *gencode(architectures)] if asked else list(arguments)


if __name__ == "__main__":
    nvcc = os.path.join(os.environ[CUDA_HOME_VARIABLE], "bin", "nvcc")
    os.execv(nvcc, [nvcc, *arguments_for(sys.argv[1:], os.environ[ARCHITECTURES_VARIABLE].split())])
