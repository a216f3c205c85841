"""Text-conditioned Mask DINO head: text, pixel decoder, object decoder and losses in one component."""
from functools import partial
from typing import Sequence

import torch
from mmdet.models.layers import MLP, inverse_sigmoid
from mmdet.registry import MODELS, TASK_UTILS
from mmdet.structures import SampleList
from mmengine.model import BaseModule
from mmengine.structures import InstanceData
from torch import Tensor, nn

from ...structures.clips import flatten_clips
from ...structures.pixel_features import PixelFeatures
from ...structures.prompt_tokens import join_tokens
from ...structures.prompted_objects import PromptedObjects
from ...structures.sample_text import as_names
from ...structures.selected_queries import Segments, SelectedQueries
from ...utils.unwaited import as_index, unwaited_copies
from ..language_models.text_prompt import TextPrompt, encode_batch, encode_category, encode_expressions, read_texts
from ..layers.cpu_products import fast_products
from ..layers.query_selection import encode_memory, select_queries
from ..layers.row_linear import row_linear
from ..losses.dynamic_loss_selector import LossSwitch, check_labels, labels_outside
from ..prompts.prompt_decoder import PromptDecoder
from ..prompts.visual_prompter import VisualPrompt
from .head_outputs import HeadOutputs, each_once, split_denoising, split_layers
from .head_targets import image_targets


@MODELS.register_module()
class GLEEHead(BaseModule):
    """GLEE's object decoder with everything it reads (GLEE section 3; DESIGN section 5).

    It has the interface of mmdet's ``MaskFormerHead``, so that it also serves as the
    ``panoptic_head`` of a stock ``MaskFormer`` or ``Mask2Former``, together with ``GLEEFusionHead``.
    Data samples need ``text`` in their meta information; ``text_mode``, ``supervision`` and
    ``label_table`` have defaults ('category', what is annotated, the only table).

    Args:
        text_encoder (dict): config of the text encoder.
        pixel_decoder (dict): config of the pixel decoder.
        decoder (dict): config of the object decoder.
        criterion (dict): config of matching and losses.
        loss_selector (dict): config of the dynamic-loss selector.
        denoising (dict | None): config of the denoising queries; None trains without.
        dense_supervision (dict | None): config of additional losses on the memory that queries are selected
            from, for training from scratch.
        prompter (dict | None): config of the visual prompter; None refuses visual prompts.
        composer (dict): config of what chooses the query of a prompted object at test.
        prompt_chunk, prompt_pixels (int): prompted objects decoded at once at test, see ``PromptDecoder``.
        align_gain (float): scale of the initial alignment matrix.
        align_prior (float | None): initial probability of a name, through a learned bias on all alignment
            logits, for training from scratch; released models have no bias.
        embed_dims (int): width D.
        num_queries (int): object queries Q.
        num_things_classes, num_stuff_classes (int): read by stock ``MaskFormer``; the vocabulary is
            open, so nothing here depends on them.
        train_cfg, test_cfg (dict): ``test_cfg.max_per_img`` detections per image in category mode.
    """

    def __init__(self,
                 text_encoder: dict,
                 pixel_decoder: dict = dict(type='MaskDINOPixelDecoder'),
                 decoder: dict = dict(type='MaskDINODecoder'),
                 criterion: dict = dict(type='GLEECriterion'),
                 loss_selector: dict = dict(type='DynamicLossSelector'),
                 denoising: dict | None = dict(type='DenoisingGenerator'),
                 dense_supervision: dict | None = None,
                 prompter: dict | None = None,
                 composer: dict = dict(type='PromptComposer'),
                 prompt_chunk: int = 8,
                 prompt_pixels: int = 2**22,
                 align_gain: float = 1.0,
                 align_prior: float | None = None,
                 embed_dims: int = 256,
                 num_queries: int = 300,
                 num_things_classes: int = 0,
                 num_stuff_classes: int = 0,
                 train_cfg: dict | None = None,
                 test_cfg: dict | None = None,
                 init_cfg: dict | None = None) -> None:
        super().__init__(init_cfg)
        self.num_queries = num_queries
        self.num_things_classes = num_things_classes
        self.num_stuff_classes = num_stuff_classes
        self.num_classes = num_things_classes + num_stuff_classes
        self.max_per_img = (test_cfg or {}).get('max_per_img', 100)
        self.text_encoder = MODELS.build({'embed_dims': embed_dims, **text_encoder})
        self.pixel_decoder = MODELS.build({'embed_dims': embed_dims, **pixel_decoder})
        self.decoder = MODELS.build({
            'embed_dims': embed_dims, 'num_levels': self.pixel_decoder.num_levels, **decoder})
        self.criterion = MODELS.build(criterion)
        self.loss_selector = TASK_UTILS.build(loss_selector)
        self.denoising = None if denoising is None else MODELS.build({'embed_dims': embed_dims, **denoising})
        self.dense_supervision = None if dense_supervision is None else MODELS.build(dense_supervision)
        self.prompter = None if prompter is None else MODELS.build({
            'in_channels': self.pixel_decoder.in_channels[-3:], 'embed_dims': embed_dims,
            'num_levels': self.pixel_decoder.num_levels, **prompter})
        self.prompt_decoder = PromptDecoder(self, TASK_UTILS.build(composer), prompt_chunk, prompt_pixels)
        self.align_gain = align_gain
        self.align_bias = None if align_prior is None else nn.Parameter(torch.tensor(align_prior).logit())
        self.memory_proj = nn.Linear(embed_dims, embed_dims)
        self.memory_norm = nn.LayerNorm(embed_dims)
        self.category_embed = nn.Parameter(torch.zeros(embed_dims, embed_dims))
        self.box_head = MLP(embed_dims, embed_dims, 4, 3)
        self.mask_head = MLP(embed_dims, embed_dims, embed_dims, 3)
        self.confidence_head = MLP(embed_dims, embed_dims, 1, 2)

    def init_weights(self) -> None:
        """Box deltas start at zero; alignment logits start at unit scale.

        The original draws ``category_embed`` from U[0, 1), which makes the first logits hundreds.
        """
        super().init_weights()
        nn.init.xavier_uniform_(self.memory_proj.weight)
        nn.init.zeros_(self.memory_proj.bias)
        nn.init.zeros_(self.box_head.layers[-1].weight)
        nn.init.zeros_(self.box_head.layers[-1].bias)
        nn.init.orthogonal_(self.category_embed, gain=self.align_gain * self.category_embed.shape[0]**-0.5)

    # ---- text ----
    def encode_names(self, names: Sequence[str], batch_size: int = 1) -> TextPrompt:
        """A vocabulary that ``batch_size`` images share."""
        return encode_category(self.text_encoder, names, batch_size)

    def encode_expressions(self, expressions: Sequence[str]) -> TextPrompt:
        """Expressions, one per image."""
        return encode_expressions(self.text_encoder, expressions)

    def name_embeds(self, embeddings: Tensor) -> Tensor:
        """What names are compared with (..., D), of query embeddings (..., D)."""
        return self.decoder.norm(embeddings) @ self.category_embed

    def name_logits(self, embeddings: Tensor, text_embeds: Tensor) -> Tensor:
        """Alignment logits (B, Q, C) of query embeddings (B, Q, D) with any names (B, C, D)."""
        return self._align(self.decoder.norm(embeddings), text_embeds)

    def name_probability(self, embedding: Tensor, names: Sequence[str]) -> Tensor:
        """Probability (C,) of each name for a query embedding (D,)."""
        return self.name_logits(embedding[None, None], self.encode_names(names).embeds)[0, 0].float().sigmoid()

    # ---- modes of the detector ----
    def forward(self, feats: Sequence[Tensor], data_samples: SampleList,
                objects: PromptedObjects | None = None) -> dict[str, Tensor]:
        """Raw tensors of the last layer (``mode='tensor'``), one text list per sample.

        Args:
            feats (Sequence[Tensor]): backbone maps [(B, C, h, w)], fine to coarse.
            data_samples (SampleList): B samples.
            objects (PromptedObjects | None): with templates; where samples have prompts all have some, objects
                were given the same ones, and B below is their number.

        Returns:
            dict: ``pred_logits`` (B,Q,C), ``pred_boxes`` (B,Q,4) cxcywh relative to the padded input,
            ``pred_scores`` (B,Q,1) confidence logits, ``pred_masks`` (B,Q,h,w) logits, ``embeddings``
            (B,Q,D), ``topk_indices`` (B,Q).
        """
        text, visual = encode_batch(self.text_encoder, data_samples), None
        if objects is not None:
            if not all('prompts' in sample for sample in data_samples):
                raise ValueError('tensor mode takes prompts in all samples of a batch or in none')
            text, visual = self.prompt_decoder.read(objects, text)
            feats = [feat[objects.images] for feat in feats]
        outputs = self.decode(feats, text, last_only=True, visual=visual)
        last = outputs.predictions['']
        return dict(
            pred_logits=last['logits'],
            pred_boxes=last['boxes'],
            pred_scores=last['scores'],
            pred_masks=torch.einsum('bqd,bdhw->bqhw', last['mask_embeds'], outputs.mask_features),
            embeddings=outputs.embeddings,
            topk_indices=outputs.topk_indices)

    def loss(self, feats: Sequence[Tensor], data_samples: SampleList,
             objects: PromptedObjects | None = None) -> dict[str, Tensor]:
        """Losses of one homogeneous batch; a switched-off term is exactly zero.

        With prompts each of ``objects`` is decoded on its own, and everything but what it means is background;
        arguments as of ``forward``. Clips (``TrackDataSample``) pass as so many images and add the tracking loss; a
        clip has one prompt, in its first frame, and the chosen object alone. The program waits for its device once,
        for the costs of the matching.

        Raises:
            ValueError: a label is outside of the text, and as of the loss selector and the criterion.
        """
        with unwaited_copies(feats[0].device):
            return self._loss(feats, data_samples, objects)

    def _loss(self, feats: Sequence[Tensor], data_samples: SampleList,
              objects: PromptedObjects | None) -> dict[str, Tensor]:
        switch = self.loss_selector(data_samples, self.text_encoder.mode)
        data_samples, num_frames = flatten_clips(data_samples)
        vocabulary, is_wrong = encode_batch(self.text_encoder, data_samples), labels_outside(data_samples)
        targets = [image_targets(sample, switch.match_masks) for sample in data_samples]
        text, visual = vocabulary, None
        if objects is not None:
            text, visual = self.prompt_decoder.read(objects, vocabulary)
            if num_frames > 1:
                text = text.pick(torch.arange(len(text.embeds)).repeat_interleave(num_frames))
                visual = None if visual is None else visual.for_frames(objects.images, num_frames)
            else:
                feats = [feat[objects.images] for feat in feats]
                targets = [targets[image][[index]]
                           for image, index in zip(objects.images.tolist(), objects.objects.tolist())]
            if text.embeds.shape[1] == 1:  # an object's own text is the only name
                for target in targets:
                    target.labels = torch.zeros_like(target.labels)
        outputs = self.decode(feats, text, targets, data_samples[0].get('label_table'), visual=visual)
        losses = self.loss_by_feat(outputs, targets, switch, num_frames)
        if is_wrong is not None and is_wrong:  # the matching has waited for it
            check_labels(data_samples)
        losses['loss_distill'] = vocabulary.distill_loss * float(switch.distillation)
        losses['loss_idle'] = sum(p.sum() for p in self._idle_parameters(outputs)) * 0.
        return losses

    def loss_by_feat(self, outputs: HeadOutputs, targets: list[InstanceData], switch: LossSwitch,
                     num_frames: int = 1) -> dict[str, Tensor]:
        """Losses of raw predictions.

        Args:
            outputs (HeadOutputs): of a batch of B images.
            targets (list[InstanceData]): of each image, see ``image_targets``.
            switch (LossSwitch): the terms that are on.
            num_frames (int): T where the images are clips, one after the other.
        """
        losses, matches = self.criterion(outputs.predictions, outputs.mask_features, targets, switch,
                                         outputs.dn_predictions, outputs.denoising)
        if self.dense_supervision is not None:
            losses.update(self.dense_supervision(outputs.memory, targets, switch, self.box_head, self.confidence_head))
        if num_frames > 1:
            losses['loss_track'] = self.criterion.track(outputs.embeddings, matches[''], targets, switch, num_frames)
        return losses

    def predict(self, feats: Sequence[Tensor], data_samples: SampleList, objects: PromptedObjects | None = None,
                max_per_img: int | None = None) -> tuple[list[SelectedQueries], list[Tensor]]:
        """Select the final queries of every image.

        An image with prompts yields one instance per prompted object, in their order, ``labels`` as of
        ``PromptDecoder.predict``; one with K expressions yields one instance per expression, ``labels`` its index.
        Others yield detections; those that share a vocabulary run together. Names in ``stuff_text`` follow those in
        ``text``; they make no instances, but all queries are then handed on. The backbone has run once per image.

        Args:
            feats, data_samples, objects: as of ``forward``.
            max_per_img (int | None): detections of an image with a vocabulary; None takes ``test_cfg``'s.

        Returns:
            tuple: per image its ``SelectedQueries`` and their mask logits (M, h, w) at mask-feature resolution.
        """
        texts, is_expression = read_texts(data_samples)
        prompted = ['prompts' in sample for sample in data_samples]
        if any(prompted) and is_expression:
            raise ValueError("samples with prompts carry a vocabulary in 'text' (text_mode='category'); the "
                             'expression of an object goes to prompts.texts')
        images = objects.images.tolist() if any(prompted) else []
        found, plain = [None] * len(texts), {}
        for index, (sample, names) in enumerate(zip(data_samples, texts)):
            maps = [feat[index:index + 1] for feat in feats]
            if is_expression:
                told = PromptedObjects.of_texts(names, sample.batch_input_shape, feats[0].device)
                selected, masks = self.prompt_decoder.predict(maps, told, None)
                found[index] = selected._replace(labels=told.objects), masks
            elif prompted[index]:
                own = objects.pick([number for number, image in enumerate(images) if image == index])
                found[index] = self.prompt_decoder.predict(maps, own, names)
            else:
                plain.setdefault((names, as_names(sample.get('stuff_text', ()))), []).append(index)
        for (names, stuff), members in plain.items():
            text = self.encode_names(names + stuff, len(members))
            rows = as_index(members, feats[0].device)
            outputs = self.decode([feat[rows] for feat in feats], text, last_only=True)
            for index, pair in zip(members, self.predict_by_feat(outputs, len(stuff), max_per_img)):
                found[index] = pair
        return [selected for selected, _ in found], [masks for _, masks in found]

    def predict_by_feat(self, outputs: HeadOutputs, num_stuff: int = 0,
                        max_per_img: int | None = None) -> list[tuple[SelectedQueries, Tensor]]:
        """The best pairs of query and name of each image, with one mask (M, h, w) of each chosen query.

        Args:
            outputs (HeadOutputs): of a batch.
            num_stuff (int): how many of the names, at their end, are stuff.
            max_per_img (int | None): pairs of an image; None takes ``test_cfg``'s.
        """
        results, count = [], self.max_per_img if max_per_img is None else max_per_img
        for index in range(len(outputs.mask_features)):
            last = outputs.last(index)
            probs = last['logits'].float().sigmoid()
            num_names = probs.shape[-1] - num_stuff
            scores = probs[:, :num_names].flatten()
            scores, picked = scores.topk(min(count, len(scores)))
            queries, which = each_once(picked // num_names)
            segments = Segments(probs, outputs.masks(index), num_names) if num_stuff else None
            boxes = last['boxes'][picked // num_names]
            selected = SelectedQueries(scores, picked % num_names, boxes, segments, mask_index=which)
            results.append((selected, outputs.masks(index, queries)))
        return results

    def predict_segments(self, feats: Sequence[Tensor], things: Sequence[str], stuff: Sequence[str]) -> Segments:
        """All queries of one image, ``feats`` [(1, C, h, w)], under the names of things and stuff."""
        outputs = self.decode(feats, self.encode_names((*things, *stuff)), last_only=True)
        return Segments(outputs.last(0)['logits'].float().sigmoid(), outputs.masks(0), len(things))

    # ---- the network ----
    def encode(self, feats: Sequence[Tensor], text: TextPrompt, visual: VisualPrompt | None = None) -> PixelFeatures:
        """Pixel decoder with early fusion, before any query: encoder maps and mask features; as of ``decode``.

        ``feats`` of one image serve all B prompts.
        """
        tokens = text.fusion_tokens
        if visual is not None and visual.template_tokens is not None:
            tokens = torch.cat([tokens, visual.template_tokens], 1)
        return self.pixel_decoder(feats, tokens, groups=text.token_groups)

    def decode(self,
               feats: Sequence[Tensor],
               text: TextPrompt,
               targets: list[InstanceData] | None = None,
               label_table: str | None = None,
               last_only: bool = False,
               visual: VisualPrompt | None = None) -> HeadOutputs:
        """All of the network behind the backbone, whose maps ``feats`` [(B, C, h, w)] are, fine to coarse: ``encode``,
        then ``decode_pixels``, whose other arguments these are.
        """
        return self.decode_pixels(self.encode(feats, text, visual), text, targets, label_table, last_only, visual)

    def decode_pixels(self,
                      pixels: PixelFeatures,
                      text: TextPrompt,
                      targets: list[InstanceData] | None = None,
                      label_table: str | None = None,
                      last_only: bool = False,
                      visual: VisualPrompt | None = None) -> HeadOutputs:
        """Query selection, object decoder and prediction heads.

        Args:
            pixels (PixelFeatures): encoded pixels of the B images, or of one image for all prompts.
            text (TextPrompt): encoded text of the batch.
            targets (list[InstanceData] | None): ground truth, for denoising queries in training.
            label_table (str | None): denoising label table of this source.
            last_only (bool): predict from the last layer only.
            visual (VisualPrompt | None): one visual prompt per image of the batch.
        """
        decoder_tokens, levels, batch_size = text.decoder_tokens, pixels.levels[::-1], text.embeds.shape[0]
        pixels = pixels.expand(batch_size)
        mask_features = pixels.mask_features
        if visual is not None:
            decoder_tokens = join_tokens(decoder_tokens, self.prompter.point_tokens(pixels.levels, visual))
            mask_features = self.prompter.mask_features(mask_features, visual)
        sizes = [tuple(level.shape[-2:]) for level in levels]
        memory = torch.cat([level.flatten(2).transpose(1, 2) for level in levels], 1)
        # A visual prompt singles out an object, a vocabulary does not; an expression does so itself.
        by_confidence = visual is not None and text.decoder_tokens is None
        align = None if by_confidence and targets is None else partial(self._align, text_embeds=text.embeds)
        encoded = encode_memory(memory, sizes, self._project_memory, align)
        scores = self.confidence_head(encoded.content) if by_confidence else encoded.logits
        content, boxes, indices = select_queries(encoded, scores, self.box_head, self.num_queries)
        content, boxes, indices = (part.expand(batch_size, *part.shape[1:]) for part in (content, boxes, indices))
        query, references, noised = content.detach(), boxes.detach(), None
        if targets is not None and self.denoising is not None:
            noised = self.denoising(targets, text.embeds.shape[1], label_table, query.shape[1])
        if noised is not None:
            query = torch.cat([noised.content, query], 1)
            references = torch.cat([noised.boxes_unsigmoid.sigmoid(), references], 1)
        states = self.decoder(query, references, memory, sizes, self.box_head, noised and noised.attn_mask,
                              decoder_tokens)
        outputs = self._predict_layers(query, states, text.embeds, last_only)
        pad = query.shape[1] - content.shape[1]
        predictions, dn_predictions = split_denoising(outputs, pad)
        if not last_only:
            predictions['enc'] = self._predict_queries(content, boxes, text.embeds)
        return HeadOutputs(predictions, mask_features, states.hidden[-1][:, pad:], indices,
                           noised, noised and dn_predictions, pixels.levels, encoded)

    def _project_memory(self, memory: Tensor) -> Tensor:
        return self.memory_norm(row_linear(memory, self.memory_proj))

    def _align(self, query: Tensor, text_embeds: Tensor) -> Tensor:
        """Alignment logits (B, Q, C) of (B, Q, D) with text (B, C, D)."""
        logits = query @ self.category_embed @ text_embeds.transpose(1, 2)
        return logits if self.align_bias is None else logits + self.align_bias

    def _predict_queries(self, hidden: Tensor, boxes: Tensor, text_embeds: Tensor) -> dict[str, Tensor]:
        """Heads on (B, Q, D); they read the shared LayerNorm of their input."""
        hidden = self.decoder.norm(hidden)
        return dict(logits=self._align(hidden, text_embeds), boxes=boxes, scores=self.confidence_head(hidden),
                    mask_embeds=self.mask_head(hidden))

    def _predict_layers(self, query: Tensor, states, text_embeds: Tensor,
                        last_only: bool) -> dict[str, dict[str, Tensor]]:
        """Predictions of the initial queries and of each layer; look forward twice for the boxes."""
        if last_only:
            hidden, references = states.hidden[-1], states.references[-2]
        else:  # all layers in one call of each head
            hidden, references = torch.cat(states.hidden, 1), torch.cat(states.references[:-1], 1)
        with fast_products(hidden, with_gradients=True):
            boxes = (self.box_head(hidden) + inverse_sigmoid(references)).sigmoid()
            if last_only:
                return {'': self._predict_queries(hidden, boxes, text_embeds)}
            fields = self._predict_queries(
                torch.cat([query, hidden], 1), torch.cat([states.references[0], boxes], 1), text_embeds)
        return split_layers(fields, len(states.hidden) + 1)

    def _idle_parameters(self, outputs: HeadOutputs) -> list[Tensor]:
        """Parameters this batch does not touch; kept in the graph so that every rank reduces the same set."""
        fusion = self.pixel_decoder.early_fusion
        idle = list(fusion.idle_parameters()) if fusion is not None else []
        if outputs.denoising is None and self.denoising is not None:
            idle += list(self.denoising.parameters())
        if self.prompter is not None:
            idle += list(self.prompter.parameters())
        return idle
