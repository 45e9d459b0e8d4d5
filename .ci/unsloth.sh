#!/usr/bin/env bash
# Install Unsloth, for a CPU, and Ray into the Python that is given (default: python on the PATH), beside
# what constraints.txt pins. Versions: .ci/unsloth.txt. Exit code 3: they cannot be had here, and why
# stands above.
#
# Unsloth's requirements name what only a GPU can use (triton, xformers, bitsandbytes), what text models do
# not need (torchvision, diffusers), and a newer list of certificates than some indexes have. So it comes
# without its requirements, and those are installed from its metadata, less these.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
python=${1:-python}
wanted=$(mktemp)
trap 'rm -f "$wanted"' EXIT
pip() { "$python" -m pip install -q --disable-pip-version-check -c "$here/unsloth.txt" "$@"; }

pip --no-deps unsloth unsloth_zoo torchao cut_cross_entropy || exit 3
for package in unsloth unsloth_zoo; do
    "$python" "$here/requires.py" "$package" torch torchvision torchao cut_cross_entropy triton xformers \
        bitsandbytes diffusers certifi unsloth_zoo
done | sort -u > "$wanted"
pip -c "$here/../constraints.txt" -r "$wanted" "ray[data]" || exit 3
"$python" -c "from importlib.metadata import version as v; print('Unsloth', v('unsloth'), 'Ray', v('ray'))" || exit 3
