"""Colours of segment ids."""
import numpy as np

from projects.glee.structures.panoptic_ids import id2rgb, rgb2id


def test_ids_are_colours():
    ids = np.array([[0, 1, 255], [256, 70000, 256**3 - 1]])
    assert (rgb2id(id2rgb(ids)) == ids).all() and id2rgb(ids)[1, 0].tolist() == [0, 1, 0]
