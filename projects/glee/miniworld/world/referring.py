"""Which sentences each referring data set uses, and how they are worded."""
from dataclasses import dataclass

import numpy as np

from .relations import (
    Candidates,
    attribute_expressions,
    closest_expressions,
    ordinal_expressions,
    same_colour_expressions,
    side_expressions,
    size_expressions,
)

# RefCOCO+ forbids words of location, as the real one does; RefCOCOg is wordy.
DATASET_RELATIONS = {
    'refcoco': (side_expressions, ordinal_expressions, closest_expressions),
    'refcoco+': (closest_expressions, size_expressions, same_colour_expressions),
    'refcocog': (side_expressions, closest_expressions),
}

# Share of relations among the sentences of an object that allows both kinds: people locate in RefCOCO and
# describe where they may not.
RELATION_SHARE = {'refcoco': 0.75, 'refcoco+': 0.5, 'refcocog': 0.5}

# How often each relation is drawn where an object allows several. Nearly every object allows an
# ordinal and few allow a side.
WEIGHTS = {'side': 6, 'closest': 3, 'ordinal': 2, 'size': 2, 'same color': 6}


@dataclass(frozen=True)
class Referral:
    """An object of a picture and the sentences that refer to it.

    Args:
        target (int): index of the object in the picture.
        sentences (tuple[str]): two or three paraphrases.
    """
    target: int
    sentences: tuple


def refer(picture, dataset: str, kind: str, most: int = 4) -> list:
    """Refers to objects of a picture.

    Args:
        picture (Picture): annotated picture.
        dataset (str): 'refcoco', 'refcoco+' or 'refcocog'.
        kind (str): 'attribute', 'relation', or 'mixed' for both in one referral.
        most (int): the most objects to refer to.

    Returns:
        list[Referral]: objects that allow at least two sentences, in the order of the objects.
    """
    rng = picture.rng(dataset)
    pools = _pools(Candidates(picture.objects), dataset, kind)
    targets = [target for target in sorted(pools) if sum(map(len, pools[target].values())) > 1]
    rng.shuffle(targets)
    referrals = []
    for target in sorted(targets[:most]):
        sentences = _draw(rng, pools[target], dataset, int(rng.integers(2, 4)))
        if len(sentences) > 1:
            referrals.append(Referral(target, sentences))
    return referrals


def _pools(candidates, dataset: str, kind: str) -> dict:
    """target -> relation -> expressions."""
    expressions = []
    if kind != 'relation':
        expressions += attribute_expressions(candidates)
    if kind != 'attribute':
        for find in DATASET_RELATIONS[dataset]:
            expressions += [found for found in find(candidates) if _wanted(found, dataset)]
    pools = {}
    for found in expressions:
        pools.setdefault(found.target, {}).setdefault(found.relation, []).append(found)
    return pools


def _wanted(expression, dataset: str) -> bool:
    """RefCOCOg describes richly; elsewhere the noun alone must be ambiguous, and short."""
    words = sum(word is not None for word in expression.noun[:3])
    if dataset == 'refcocog':
        return words >= 2
    return expression.needed and words <= 1


def _draw(rng, pool: dict, dataset: str, count: int) -> tuple:
    """Different sentences; some of them relations where both kinds are in the pool."""
    relations = [name for name in pool if name != 'attribute']
    weights = np.array([WEIGHTS[name] for name in relations], float)
    sentences = []
    for _ in range(4 * count):
        name = 'attribute'
        if relations and ('attribute' not in pool or rng.random() < RELATION_SHARE[dataset]):
            name = relations[int(rng.choice(len(relations), p=weights / weights.sum()))]
        expression = pool[name][int(rng.integers(len(pool[name])))]
        sentence = word(rng, expression, dataset)
        if sentence not in sentences:
            sentences.append(sentence)
        if len(sentences) == count:
            break
    return tuple(sentences)


def word(rng, expression, dataset: str) -> str:
    """One wording of an expression."""
    noun = _noun(expression.noun)
    landmark = expression.landmark and _noun(expression.landmark)
    link = _pick(rng, ('that is ', 'which is ')) if dataset == 'refcocog' else ''
    if expression.relation == 'attribute':
        return _word_attributes(rng, expression.noun, dataset)
    if expression.relation == 'side':
        place = expression.word
        if place in ('left of', 'right of'):
            place = _pick(rng, (place, f'to the {place}'))
        return f'the {noun} {link}{place} the {landmark}'
    if expression.relation == 'ordinal':
        ordinal, side = expression.word.split()
        return f'the {ordinal} {noun} from the {side}'
    if expression.relation == 'closest':
        return f'the {noun} {link}{_pick(rng, ("closest", "nearest"))} to the {landmark}'
    if expression.relation == 'size':
        return f'the {expression.word} {noun}'
    return f'the {noun} with the same color as the {landmark}'


def _word_attributes(rng, noun: tuple, dataset: str) -> str:
    words = [word for word in noun[:3] if word is not None]
    if dataset == 'refcocog':
        return f'the {noun[-1]} {_pick(rng, ("that", "which"))} is {" and ".join(words)}'
    return _pick(rng, ('the ', '')) + _noun(noun)


def _noun(noun: tuple) -> str:
    return ' '.join(word for word in noun if word is not None)


def _pick(rng, choices: tuple) -> str:
    return choices[int(rng.integers(len(choices)))]
