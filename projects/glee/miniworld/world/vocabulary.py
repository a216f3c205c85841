"""Words of MiniWorld and the category names that its annotation files carry."""
import itertools

SHAPES = ('circle', 'square', 'triangle', 'star', 'ring', 'cross', 'heart', 'crescent', 'arrow',
          'hourglass')

# RGB. Saturated and far apart in hue, because every fill darkens them and backgrounds are grey.
COLOURS = {
    'red': (225, 35, 40),
    'green': (45, 165, 55),
    'blue': (45, 95, 245),
    'yellow': (245, 215, 35),
    'cyan': (45, 215, 230),
    'purple': (145, 50, 205),
    'pink': (255, 125, 190),
    'white': (248, 248, 248),
}

FILLS = ('solid', 'striped', 'dotted')

# Longest side of the box of the whole object, px. The gaps make the size words unambiguous.
SIZES = {'small': (23, 31), 'medium': (38, 52), 'large': (62, 82)}

ORDINALS = ('first', 'second', 'third', 'fourth')


def fine_name(fill: str, colour: str, shape: str) -> str:
    """The LVIS-like name of an object, for example 'dotted red star'."""
    return f'{fill} {colour} {shape}'


def sized_name(size: str, colour: str, shape: str) -> str:
    """The Objects365-like name of an object, for example 'large red star'."""
    return f'{size} {colour} {shape}'


# In the order of the category lists of the annotation files.
MINIWORLD_COCO_CLASSES = SHAPES
MINIWORLD_LVIS_CLASSES = tuple(
    sorted(fine_name(*words) for words in itertools.product(FILLS, COLOURS, SHAPES)))
MINIWORLD_OBJECTS365_CLASSES = tuple(
    sized_name(*words) for words in itertools.product(SIZES, COLOURS, SHAPES))
MINIWORLD_OPENIMAGES_CLASSES = tuple(f'{fill} {shape}' for shape, fill in itertools.product(SHAPES, FILLS))
MINIWORLD_BDD_DET_CLASSES = SHAPES
MINIWORLD_BDD_INST_CLASSES = SHAPES[:8]
# As the released models were trained: names with ', object' and 'object' alone.
MINIWORLD_UVO_CLASSES = tuple(f'{shape}, object' for shape in SHAPES) + ('object', )
