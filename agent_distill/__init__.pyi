# made from __init__.py by .ci/stubs.py: edit the notebook
from typing import Any

__version__: str
