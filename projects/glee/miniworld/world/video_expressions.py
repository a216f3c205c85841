"""Sentences that refer to objects of a video by what they do, or by how they look.

A fact is true, false, or unclear of an object. A sentence is used only if it is clear for every
object that its noun fits.
"""
import itertools
from dataclasses import dataclass

import numpy as np

from .motion import DIRECTIONS, ROUND

CLEAR, SLIGHT = 22., 6.  # px of a movement that everybody sees, and that nobody needs to mention
STRAIGHT = 0.4  # sidewards share of a movement in a direction
SCALED, SAME_SIZE = 1.35, 1.1  # ratios of sizes, likewise
TURNED, UNTURNED = 90., 10.  # degrees, likewise
FASTER = 1.6  # ratio of the way of the fastest to that of the second

PHRASES = {
    'left': ('that moves left', 'moving to the left'),
    'right': ('that moves right', 'moving to the right'),
    'up': ('that moves up', 'moving upwards'),
    'down': ('that moves down', 'moving downwards'),
    'still': ('that stays still', 'that does not move'),
    'grow': ('that grows', 'getting bigger'),
    'shrink': ('that shrinks', 'getting smaller'),
    'turn': ('that turns around', 'turning on the spot'),
    'leave': ('that leaves for good', 'that goes out and stays away'),
    'enter': ('that comes in later', 'entering from outside'),
    'come back': ('that leaves and comes back', 'going out and coming back'),
    'fastest': ('that moves the most', 'moving fastest'),
}
PLURAL = {'moves': 'move', 'stays': 'stay', 'does': 'do', 'grows': 'grow', 'shrinks': 'shrink', 'turns': 'turn',
          'leaves': 'leave', 'goes': 'go', 'comes': 'come'}


@dataclass(frozen=True)
class VideoReferral:
    """What a sentence refers to.

    Args:
        targets (tuple[int]): positions of tracks in the video; several for a plural.
        kind (str): 'motion' or 'look'.
        sentences (tuple[str]): wordings of the same.
    """
    targets: tuple
    kind: str
    sentences: tuple


def refer_to_tracks(video, plurals: bool = False) -> list:
    """All that can be said about one object (or several alike) of a video.

    Args:
        video (Video): annotated video.
        plurals (bool): also sentences about several objects that do the same.

    Returns:
        list[VideoReferral]: motions first, in a fixed order.
    """
    tracks = [(index, track) for index, track in enumerate(video.tracks) if any(track.glimpses)]
    facts = {index: facts_of(track, video) for index, track in tracks}
    nouns = {}
    for index, track in tracks:
        for noun in _nouns(track.obj):
            nouns.setdefault(noun, []).append(index)
    found = []
    for noun, indices in nouns.items():
        found += [referral for fact, phrases in PHRASES.items() if len(indices) > 1
                  for referral in _by_motion(noun, indices, fact, phrases, facts, plurals)]
    looks = [(index, noun) for noun, indices in nouns.items() if len(indices) == 1 for index in indices]
    for index, _ in tracks:
        names = [' '.join(noun) for target, noun in looks if target == index][:3]
        if names:
            found.append(VideoReferral((index, ), 'look', tuple(f'the {name}' for name in names)))
    return found


def _by_motion(noun: tuple, indices: list, fact: str, phrases: tuple, facts: dict, plurals: bool) -> list:
    """The sentence that a fact gives about a noun, if it is clear and not true of all."""
    values = {index: facts[index].get(fact) for index in indices}
    if fact == 'fastest':
        values = _fastest({index: facts[index]['way'] for index in indices})
    targets = tuple(index for index in indices if values[index])
    if None in values.values() or not targets or len(targets) == len(indices):
        return []
    name = ' '.join(noun)
    if len(targets) == 1:
        return [VideoReferral(targets, 'motion', tuple(f'the {name} {phrase}' for phrase in phrases))]
    phrases = [' '.join(PLURAL.get(word, word) for word in phrase.split()) for phrase in phrases]
    name = f'{name}es' if name.endswith(('s', 'x')) else f'{name}s'
    return [VideoReferral(targets, 'motion', tuple(f'the {name} {phrase}' for phrase in phrases))] if plurals else []


def _nouns(obj) -> list:
    """'star', 'red star', 'striped star', 'striped red star'; sizes change, so no size words."""
    return [(obj.shape, ), (obj.colour, obj.shape), (obj.fill, obj.shape), (obj.fill, obj.colour, obj.shape)]


def facts_of(track, video) -> dict:
    """What an object does.

    Args:
        track (Track): the object.
        video (Video): for the size of the image.

    Returns:
        dict: fact -> True, False, or None where it is unclear; 'way' is the length of its way, px.
    """
    places = np.array([(pose.x, pose.y) for pose in track.poses])
    sizes = np.array([pose.size for pose in track.poses])
    shown = np.array([glimpse is not None for glimpse in track.glimpses])
    # Out of sight behind another object is not outside of the image.
    inside = np.array([0 <= pose.x <= video.width and 0 <= pose.y <= video.height for pose in track.poses])
    facts = {name: _moves(places, direction) for name, direction in DIRECTIONS.items()}
    facts['grow'] = _scales(sizes)
    facts['shrink'] = _scales(sizes[::-1])
    facts['turn'] = _turns(track)
    offset = np.linalg.norm(places - places[0], axis=1).max()
    changes = [facts[name] for name in ('grow', 'shrink', 'turn')]
    facts['still'] = _between(-offset, -CLEAR, -3.) if changes == [False] * 3 else (None if None in changes else False)
    facts.update(_visits(shown, inside))
    facts['way'] = float(np.linalg.norm(np.diff(places, axis=0), axis=1).sum())
    return facts


def _between(value: float, low: float, high: float):
    """True from `high` on, False up to `low`, None between."""
    return True if value >= high else False if value <= low else None


def _moves(places: np.ndarray, direction: tuple):
    """Whether an object goes in a direction all the time."""
    along = places @ np.array(direction, float)
    across = np.ptp(places @ np.array(direction[::-1], float))
    forth = (along - np.minimum.accumulate(along)).max()
    back = (np.maximum.accumulate(along) - along).max()
    if forth <= SLIGHT:
        return False
    return True if forth >= CLEAR and back <= 1 and across <= STRAIGHT * forth else None


def _scales(sizes: np.ndarray):
    """Whether an object grows."""
    return _between((sizes / np.minimum.accumulate(sizes)).max(), SAME_SIZE, SCALED)


def _turns(track):
    if track.obj.shape in ROUND:
        return False
    steps = np.diff([pose.angle for pose in track.poses])
    return _between(abs(((steps + 180) % 360 - 180).sum()), UNTURNED, TURNED)


def _visits(shown: np.ndarray, inside: np.ndarray) -> dict:
    """Leaving, entering and coming back, from what lies inside and is to be seen per frame."""
    runs = [(here, len(list(group))) for here, group in itertools.groupby(zip(shown.tolist(), inside.tolist()))]
    states = [here for here, _ in runs]
    gone = [not any(state) for state in states]  # neither seen nor with its centre inside
    unclear = None if any(seen != within for seen, within in (states[0], states[-1])) else False
    return {
        'leave': True if gone[-1] and not gone[0] else unclear,
        'enter': True if gone[0] and not gone[-1] else unclear,
        'come back': True if any(gone[1:-1]) and not gone[0] and not gone[-1] else unclear,
    }


def _fastest(ways: dict) -> dict:
    order = sorted(ways, key=ways.get)
    first, second = order[-1], order[-2]
    clear = ways[first] >= max(FASTER * ways[second], ways[second] + CLEAR)
    return {index: (index == first) if clear else None for index in ways}
