"""Which images every source of images consists of, and the files that describe them."""
from .formats.bdd import write_bdd_det, write_bdd_image, write_bdd_inst
from .formats.coco import write_coco, write_coco_image, write_coco_test, write_coco_test_image
from .formats.grit import write_grit, write_grit_image
from .formats.lvis import write_lvis
from .formats.objects365 import write_objects365, write_objects365_image
from .formats.odinw import write_odinw
from .formats.omnilabel import write_omnilabel, write_omnilabel_image
from .formats.openimages import write_openimages, write_openimages_image
from .formats.refcoco import write_refcoco, write_refcoco_image, write_refcoco_mixed
from .formats.sa1b import write_sa1b, write_sa1b_image
from .formats.uvo_frames import write_uvo_frame, write_uvo_frames
from .formats.visual_genome import write_visual_genome, write_visual_genome_image
from .plan import Plan
from .world.scene import SceneSampler

CROWDED = {9: 0.25, 10: 0.25, 11: 0.25, 12: 0.25}  # objects per image of SA-1B


def write_coco_sources(plan: Plan) -> None:
    """COCO, LVIS and RefCOCO/+/g share their images, as the real ones do."""

    def write_image(root, split, picture, data):
        write_coco_image(root, split, picture, data)
        write_refcoco_image(root, picture, data)

    splits = {}
    for split in ('train', 'val'):
        splits[split] = plan.draw('coco', split, write_image)
        write_coco(plan.root, split, splits[split])
    write_lvis(plan.root, splits['train'], splits['val'])
    write_refcoco(plan.root, splits['train'], splits['val'])


def _source(name: str, write_image, write_files, splits: tuple = ('train', 'val'), sampler: SceneSampler = None):
    """The function that writes a source with images of its own."""

    def write(plan: Plan) -> None:
        for split in splits:
            write_files(plan.root, split, plan.draw(name, split, write_image, sampler))

    return write


IMAGE_SOURCES = {
    'coco': write_coco_sources,
    'refcoco_mixed': lambda plan: write_refcoco_mixed(plan.root),
    'coco_test': _source('coco_test', write_coco_test_image, write_coco_test, ('val', )),
    'objects365': _source('objects365', write_objects365_image, write_objects365),
    'openimages': _source('openimages', write_openimages_image, write_openimages),
    'bdd_det': _source('bdd_det', write_bdd_image('bdd_det'), write_bdd_det),
    'bdd_inst': _source('bdd_inst', write_bdd_image('bdd_inst'), write_bdd_inst),
    'visual_genome': _source('visual_genome', write_visual_genome_image, write_visual_genome, ('train', )),
    'grit': _source('grit', write_grit_image, write_grit, ('train', )),
    'uvo_frames': _source('uvo_frames', write_uvo_frame, write_uvo_frames),
    'sa1b': _source('sa1b', write_sa1b_image, write_sa1b, ('train', ), SceneSampler(counts=CROWDED)),
    'omnilabel': _source('omnilabel', write_omnilabel_image, write_omnilabel, ('val', )),
    'odinw': write_odinw,
}
