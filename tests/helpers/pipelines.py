"""Pipelines of image sources as configs write them."""
CATEGORY_META = dict(type='SetSource', source='coco')
EXPRESSION_META = dict(type='SetSource', source='refcoco', text_mode='expression',
                       label_table='object')


def category_pipeline(*augmentations: dict, with_mask: bool = True, skip: bool = False) -> list:
    """Training pipeline of a category source, as configs write it."""
    rasterize = [dict(type='RasterizeMasks')] if with_mask else []
    return [dict(type='LoadImage', skip_unreadable=skip), CATEGORY_META,
            dict(type='LoadInstances', with_mask=with_mask), *augmentations, *rasterize,
            dict(type='FilterObjects'), dict(type='PackGLEEInputs')]


def expression_pipeline(*augmentations: dict) -> list:
    """Training pipeline of an expression source, as configs write it."""
    return [dict(type='LoadImage'), EXPRESSION_META, dict(type='CleanExpressions'),
            dict(type='PickExpression'), dict(type='LoadInstances'), *augmentations,
            dict(type='RasterizeMasks'), dict(type='BoxesFromMasks'),
            dict(type='FilterObjects', require_object=True), dict(type='PackGLEEInputs')]


def expression_test_pipeline() -> list:
    """Test pipeline: every sentence of the image, ground truth at the original size."""
    return [dict(type='LoadImage'), EXPRESSION_META, dict(type='CleanExpressions'),
            dict(type='PillowResize', scale=(96, 72), keep_ratio=True),
            dict(type='LoadInstances'), dict(type='PackGLEEInputs')]
