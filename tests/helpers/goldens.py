"""The recorded outputs of the released code, and what its checkpoints hold."""
import json

import numpy as np
from paths import GOLDEN


def load_golden(name: str) -> tuple[dict, dict]:
    """Arrays by name and the description of a case of tests/data/golden."""
    arrays = dict(np.load(GOLDEN / f'{name}.npz'))
    return arrays, json.loads(arrays.pop('meta').tobytes())


def manifest(size: str) -> dict:
    """What the released checkpoint of a size ('lite', 'plus', 'pro') holds: its ``keys`` with shapes, and more."""
    return json.loads((GOLDEN / f'manifest_{size}.json').read_text())
