"""Denoising queries: noised ground truth that the decoder learns to repair."""
from collections.abc import Sequence

import torch
from mmdet.models.layers import inverse_sigmoid
from mmdet.registry import MODELS
from mmengine.structures import InstanceData
from torch import Tensor, nn

from ...structures.denoising_queries import DenoisingQueries

# The label tables of the released models. 'obj365' serves every source with more than 100 names
# (Objects365, OpenImages, LVIS, GRIT), 'object' the expressions and class-agnostic sources.
RELEASED_LABEL_TABLES = dict(
    coco=80, obj365=100, vg=200, object=1, ytvis19=40, ytvis21=40, ovis=25, uvo=81, bdd_det=10,
    bdd_inst=8)


@MODELS.register_module()
class DenoisingGenerator(nn.Module):
    """Makes denoising queries from ground truth ('standard' denoising of MaskDINO, no negatives).

    DESIGN section 5, 'Denoising'. The label embedding is a row of one of several named tables:
    the sample's ``label_table`` chooses the table, the label's position in the batch's vocabulary
    the row. Tables that a batch does not use stay in the graph with a zero gradient, so that
    distributed training needs no ``find_unused_parameters``.

    Args:
        label_tables (dict[str, int] | None): rows of each named table; None takes those of the
            released models.
        embed_dims (int): channels D of a query.
        num_queries_dn (int): upper bound of the denoising queries of an image.
        noise_scale (float): boxes shift and scale by up to this share of half their size and of
            their size.
        label_flip (float): probability that a query starts from the embedding of a random label. With
            1 it carries no name, and denoising teaches to name what a box shows.
    """

    def __init__(self, label_tables: dict[str, int] | None = None, embed_dims: int = 256,
                 num_queries_dn: int = 100, noise_scale: float = 0.4,
                 label_flip: float = 0.2) -> None:
        super().__init__()
        tables = RELEASED_LABEL_TABLES if label_tables is None else label_tables
        # nn.Embedding starts from N(0, 1), as the released models do
        self.label_tables = nn.ModuleDict(
            {name: nn.Embedding(rows, embed_dims) for name, rows in tables.items()})
        self.num_queries_dn = num_queries_dn
        self.noise_scale = noise_scale
        self.label_flip = label_flip

    def forward(self, targets: Sequence[InstanceData], num_names: int, label_table: str | None,
                num_queries: int) -> DenoisingQueries | None:
        """Make the denoising queries of a batch.

        Args:
            targets (Sequence[InstanceData]): per image ``labels`` (N,) and ``boxes`` (N, 4)
                cxcywh normalised to the padded input.
            num_names (int): size of the batch's vocabulary, from which flips are drawn.
            label_table (str | None): name of the table to use; None (samples of stock pipelines) takes the first
                one with a row for each name.
            num_queries (int): number Q of ordinary queries behind the denoising ones.

        Returns:
            DenoisingQueries | None: None when no image has an object, or one has more than
            ``num_queries_dn``.

        Raises:
            ValueError: the table does not exist or is smaller than the vocabulary.
        """
        label_table = self._resolve(label_table, num_names)
        table = self._table(label_table, num_names)
        counts = [len(target.labels) for target in targets]
        group_size = max(counts, default=0)
        if not 0 < group_size <= self.num_queries_dn:
            return None
        num_groups = self.num_queries_dn // group_size
        labels, boxes, filled = self._padded(targets, group_size)
        filled = filled.repeat(1, num_groups).unsqueeze(-1)
        content = table(self._flip(labels.repeat(1, num_groups), num_names)) * filled
        noised = self._shift(boxes.repeat(1, num_groups, 1))
        return DenoisingQueries(
            content=content + self._idle_tables(label_table),
            boxes_unsigmoid=inverse_sigmoid(noised, eps=1e-5) * filled,
            attn_mask=_attention_mask(num_groups, group_size, num_queries, boxes.device),
            num_groups=num_groups,
            group_size=group_size,
            matches=[_filled_slots(n, num_groups, group_size, boxes.device) for n in counts])

    def _resolve(self, name: str | None, num_names: int) -> str:
        """Name of an existing table."""
        if name is None:
            fitting = (key for key, table in self.label_tables.items() if table.num_embeddings >= num_names)
            name = next(fitting, next(iter(self.label_tables)))
        if name not in self.label_tables:
            raise ValueError(f"label_table {name!r} is not among label_tables of the "
                             f'DenoisingGenerator: {list(self.label_tables)}')
        return name

    def _table(self, name: str, num_names: int) -> nn.Embedding:
        """The embedding table called ``name``, checked against the vocabulary."""
        table = self.label_tables[name]
        if num_names > table.num_embeddings:
            raise ValueError(
                f'label table {name!r} has {table.num_embeddings} rows, the vocabulary of the '
                f"batch {num_names} names: enlarge label_tables['{name}'] or draw fewer names")
        return table

    def _idle_tables(self, used: str) -> Tensor | float:
        """Zero that keeps the tables this batch does not use in the graph."""
        idle = [t.weight for name, t in self.label_tables.items() if name != used]
        return sum(weight.sum() for weight in idle) * 0 if idle else 0.

    @staticmethod
    def _padded(targets: Sequence[InstanceData],
                group_size: int) -> tuple[Tensor, Tensor, Tensor]:
        """Labels (B, M), boxes (B, M, 4) and filled slots (B, M) of one group."""
        boxes = targets[0].boxes.new_zeros(len(targets), group_size, 4)
        labels = torch.zeros(boxes.shape[:2], dtype=torch.long, device=boxes.device)
        filled = torch.zeros(boxes.shape[:2], dtype=torch.bool, device=boxes.device)
        for index, target in enumerate(targets):
            count = len(target.labels)
            labels[index, :count] = target.labels
            boxes[index, :count] = target.boxes
            filled[index, :count] = True
        return labels, boxes, filled

    def _flip(self, labels: Tensor, num_names: int) -> Tensor:
        """Replace labels (B, pad) by random ones with probability label_flip."""
        chosen = torch.rand(labels.shape, device=labels.device) < self.label_flip
        return torch.where(chosen, torch.randint_like(labels, num_names), labels)

    def _shift(self, boxes: Tensor) -> Tensor:
        """Move centres by up to half a side, sides by up to a side, times the noise scale.

        What leaves the image is clamped to it by the inverse sigmoid that follows.
        """
        reach = torch.cat([boxes[..., 2:] / 2, boxes[..., 2:]], dim=-1)
        noise = torch.rand(boxes.shape, device=boxes.device) * 2 - 1
        return boxes + noise * reach * self.noise_scale


def _filled_slots(count: int, num_groups: int, group_size: int,
                  device: torch.device) -> tuple[Tensor, Tensor]:
    """Slots of an image with ``count`` objects, and the object of each slot."""
    objects = torch.arange(count, device=device)
    starts = torch.arange(num_groups, device=device) * group_size
    return (starts[:, None] + objects).flatten(), objects.repeat(num_groups)


def _attention_mask(num_groups: int, group_size: int, num_queries: int,
                    device: torch.device) -> Tensor:
    """Blocked pairs (pad + Q, pad + Q): nobody but its own group sees a denoising query."""
    pad = num_groups * group_size
    group = torch.arange(pad, device=device) // group_size
    blocked = torch.zeros(pad + num_queries, pad + num_queries, dtype=torch.bool, device=device)
    blocked[pad:, :pad] = True
    blocked[:pad, :pad] = group[:, None] != group
    return blocked
