__version__ = "0.1.0"

import logging

logging.getLogger(__name__).addHandler(logging.NullHandler())   # silent until somebody listens
