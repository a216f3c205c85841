"""How closely outputs must agree with the recorded ones."""
import numpy as np

LOGITS, BOXES = 1e-3, 5e-5  # tolerances: of logits, and of boxes as shares of the image


def align(ours, golden) -> list[int]:
    """Row order that maps our queries to the golden ones; the sets must agree."""
    position = {index: row for row, index in enumerate(ours.tolist())}
    assert set(position) == set(golden.tolist())
    return [position[index] for index in golden.tolist()]


def close(ours, golden, atol: float) -> None:
    """A tensor of ours equals a recorded array but for ``atol``."""
    np.testing.assert_allclose(ours.detach().numpy(), golden, atol=atol, rtol=0)
