"""Damaged pictures and videos: frames or a clear error, never a crash, a hang or a gigabyte."""
import multiprocessing
import resource
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from mutated_files import VIDEOS, mutate, sound_files

from projects.glee.apis.frame_reader import open_frames
from projects.glee.datasets.store.pictures import picture_size, read_picture

FILES = 108


def outcome(path: Path) -> str:
    """What reading it to the end gives: 'read', 'refused' or 'partly'; anything else is raised."""
    if path.suffix.lstrip('.') in dict(VIDEOS):
        try:
            frames = [frame for _, frame in open_frames(path).frames]
        except ValueError as error:
            assert path.name in str(error)
            return 'refused'
        assert all(isinstance(frame, ValueError) or frame.ndim == 3 for frame in frames)
        return 'partly' if any(isinstance(frame, ValueError) for frame in frames) else 'read'
    try:
        picture = read_picture(path)
    except ValueError as error:
        assert path.name in str(error)
        try:
            picture_size(path)
        except OSError:
            pass
        return 'refused'
    assert picture.dtype == np.uint8 and picture.shape[:2] == picture_size(path)
    return 'read'


def read_all(paths, results) -> None:
    """``outcome`` of every file, in a process of its own; the one at work is known when it dies."""
    for path in paths:
        results.send((path.name, None))
        try:
            results.send((path.name, outcome(path)))
        except Exception as error:  # told to the test, which fails
            results.send((path.name, f'{type(error).__name__}: {error}'))
    results.send(('memory', resource.getrusage(resource.RUSAGE_SELF).ru_maxrss))
    results.close()


def test_mutated_files_are_read_or_refused(tmp_path):
    rng, paths = np.random.default_rng(7), []
    sound = sound_files(tmp_path / 'sound')
    assert [outcome(path) for path in sound] == ['read'] * len(sound)
    for number in range(FILES):
        source = sound[number % len(sound)]
        paths.append(tmp_path / f'{number}_{source.name}')
        paths[-1].write_bytes(mutate(source.read_bytes(), rng))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    receiver, sender = multiprocessing.Pipe(duplex=False)
    reader = multiprocessing.get_context('fork').Process(target=read_all, args=(paths, sender))
    reader.start()
    sender.close()
    found, name = {}, None
    try:
        while receiver.poll(60):
            name, result = receiver.recv()
            found[name] = result
        pytest.fail(f'{name} took more than a minute')
    except EOFError:
        reader.join()
    finally:
        reader.kill()
    assert reader.exitcode == 0, f'reading {name} ended the process with {reader.exitcode}'
    assert found.pop('memory') - before < 1e6  # kB
    assert len(found) == FILES
    kinds = Counter(found.values())
    assert set(kinds) <= {'read', 'refused', 'partly'}, {k: v for k, v in found.items() if v not in kinds or len(v) > 8}
    assert min(kinds['read'], kinds['refused']) > FILES / 20
