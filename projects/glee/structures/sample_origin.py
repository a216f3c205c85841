"""Where a data sample came from, for error messages."""
from mmdet.structures import DetDataSample


def sample_origin(sample: DetDataSample) -> str:
    """Source and picture of a sample, as far as it knows them."""
    return f'source {sample.get("source")!r}, image {sample.get("img_path", sample.get("img_id"))}'
