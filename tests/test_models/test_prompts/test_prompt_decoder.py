"""Prompted objects at test time: batching, composition, negatives and errors."""
import copy

import pytest
import torch
import torch.nn.functional as F
from mini_model import NAMES, SIZE, build, category_sample, images, mini_config
from mmengine.structures import InstanceData

from projects.glee.models.prompts import PromptComposer
from projects.glee.models.prompts.prompt_composer import PromptEvidence
from projects.glee.structures.prompted_objects import PromptedObjects


@pytest.fixture(scope='module')
def glee():
    config = mini_config()
    config.panoptic_head.prompter.update(template_size=64, num_points=40)  # some masks have more pixels
    # as released; the mini model's own is tested where it is set
    config.panoptic_head.composer.update(pos_weight=0., reference_as='tokens')
    return build(config).eval()


def blocks(count, seed=0):
    """Random rectangles (P, H, W) bool inside the picture, a different one each."""
    generator = torch.Generator().manual_seed(seed)
    masks = torch.zeros(count, *SIZE, dtype=torch.bool)
    for mask in masks:
        y, x = (int(torch.randint(high, (), generator=generator)) for high in (40, 70))
        h, w = (int(torch.randint(2, 20, (), generator=generator)) for _ in range(2))
        mask[y:y + h, x:x + w] = True
    return masks


def prompted(masks, kinds=None, **fields):
    sample = category_sample()
    kinds = kinds or ['point', 'box', 'polygon', 'scribble', 'mask'] * (len(masks) // 5 + 1)
    sample.prompts = InstanceData(masks=masks, kinds=kinds[:len(masks)], **fields)
    return sample


def predict(glee, sample, batch=None):
    with torch.no_grad():
        return glee(images(1) if batch is None else batch, [copy.deepcopy(sample)], mode='predict')[0].pred_instances


def assert_same(one, other, atol=1e-5):
    torch.testing.assert_close(one.bboxes, other.bboxes, atol=100 * atol, rtol=0)  # px
    torch.testing.assert_close(one.scores, other.scores, atol=atol, rtol=0)
    assert torch.equal(one.labels, other.labels) and torch.equal(one.masks, other.masks)


def test_many_objects_in_one_call_equal_separate_calls(glee):
    """Also across chunks: eleven objects, eight per chunk, one backbone pass over the image."""
    masks = blocks(11)
    sizes = []
    hook = glee.backbone.register_forward_hook(lambda _, inputs, __: sizes.append(tuple(inputs[0].shape)))
    together = predict(glee, prompted(masks))
    hook.remove()
    assert [size for size in sizes if size[2:] == SIZE] == [(1, 3, *SIZE)]
    assert sum(size[0] for size in sizes if size[2:] == (64, 64)) == 11
    assert together.masks.shape == (11, 120, 180) and together.bboxes.shape == (11, 4)
    kinds = (['point', 'box', 'polygon', 'scribble', 'mask'] * 3)[:11]
    for row in range(11):
        assert_same(together[row:row + 1], predict(glee, prompted(masks[row:row + 1], [kinds[row]])))


def test_raw_outputs_of_a_batch_equal_separate_ones(glee):
    masks = blocks(3, 1)
    with torch.no_grad():
        together = glee(images(1), [prompted(masks)], mode='tensor')
        for row, kind in enumerate(('point', 'box', 'polygon')):
            alone = glee(images(1), [prompted(masks[row:row + 1], [kind])], mode='tensor')
            for key in ('pred_logits', 'pred_boxes', 'pred_scores', 'pred_masks'):
                torch.testing.assert_close(together[key][row], alone[key][0], atol=1e-5, rtol=0)


@pytest.mark.parametrize('chunk', [1, 3, 100])
def test_chunks_and_order_do_not_matter(glee, chunk):
    masks, order = blocks(7), [3, 0, 6, 2, 5, 1, 4]
    kinds = ['point', 'box', 'polygon', 'scribble', 'mask', 'point', 'box']
    expected = predict(glee, prompted(masks, kinds))
    decoder = glee.panoptic_head.prompt_decoder
    before, decoder.chunk = decoder.chunk, chunk
    shuffled = predict(glee, prompted(masks[order], [kinds[i] for i in order]))
    decoder.chunk = before
    assert_same(expected[order], shuffled)


def test_a_hundred_objects(glee):
    masks = torch.zeros(100, *SIZE, dtype=torch.bool)
    masks[torch.arange(100), torch.arange(100) // 10 * 4, torch.arange(100) % 10 * 6] = True  # single pixels
    result = predict(glee, prompted(masks, ['point'] * 100))
    assert len(result.scores) == 100 and result.scores.isfinite().all()


def test_images_with_and_without_objects(glee):
    samples = [prompted(blocks(2)), prompted(blocks(0)), prompted(blocks(3, 2))]
    with torch.no_grad():
        results = glee(images(3), samples, mode='predict')
    assert [len(r.pred_instances.scores) for r in results] == [2, 0, 3]
    assert results[1].pred_instances.masks.shape == (0, 120, 180)
    assert_same(results[2].pred_instances, predict(glee, prompted(blocks(3, 2)), images(3)[2:]))


@pytest.mark.parametrize('text', [('heart', 'disk'), NAMES])
def test_a_plain_picture_beside_prompted_ones_is_detected_as_ever(glee, text):
    """With the same and with another vocabulary; the prompted ones are as alone, too."""
    samples = [prompted(blocks(2)), category_sample(text), prompted(blocks(1, 2))]
    with torch.no_grad():
        together = glee(images(3), copy.deepcopy(samples), mode='predict')
    assert [len(found.pred_instances) for found in together] == [2, min(100, 30 * len(text)), 1]
    for index, sample in enumerate(samples):
        assert_same(together[index].pred_instances, predict(glee, sample, images(3)[index:index + 1]))
    with pytest.raises(ValueError, match='prompts in all samples of a batch or in none'):
        glee(images(3), [samples[0], category_sample(), samples[2]], mode='tensor')


def test_raw_outputs_of_described_objects(glee):
    """One entry per object, as of expression samples; texts beside pixels count."""
    sentences = ('a ring', 'the red star')
    sample = prompted(torch.zeros(2, *SIZE, dtype=torch.bool), ['mask'] * 2, texts=list(sentences))
    expressions = [category_sample((sentence, ), text_mode='expression') for sentence in sentences]
    with torch.no_grad():
        found = glee(images(1), [sample], mode='tensor')
        expected = glee(images(1).expand(2, -1, -1, -1), expressions, mode='tensor')
        silent, told = (glee(images(1), [prompted(blocks(1), ['box'], texts=[text])], mode='tensor')
                        for text in (None, 'a ring'))
    for key in ('pred_logits', 'pred_boxes', 'pred_masks'):
        torch.testing.assert_close(found[key], expected[key], atol=1e-5, rtol=1e-5)
    assert silent['pred_logits'].shape[-1] == len(NAMES) and told['pred_logits'].shape[-1] == 1
    mixed = prompted(torch.cat([blocks(1), torch.zeros(1, *SIZE, dtype=torch.bool)]), ['box', 'mask'],
                     texts=[None, 'a ring'])
    with pytest.raises(ValueError, match='objects with the same prompts'):
        glee(images(1), [mixed], mode='tensor')


def test_carried_tokens_stand_for_pixels(glee):
    """Ranked as by the pixels, in the picture that they come from; the object decoder does not run for them."""
    masks = blocks(3, 6)
    sample, decoder = prompted(masks, ['point', 'box', 'mask']), glee.panoptic_head.prompt_decoder
    with torch.no_grad():
        feats, _, objects = glee._head_inputs(images(1), [sample])
        runs = []
        hook = glee.panoptic_head.decoder.register_forward_hook(lambda *_: runs.append(1))
        tokens = decoder.carry(feats, objects, sample.text)
        hook.remove()
        nothing = torch.zeros_like(masks)
        carried = PromptedObjects.of_image(nothing, nothing, [False] * 3, [False] * 3, carried=tokens)
        found = decoder.decode(feats, carried, sample.text, lambda decoded: decoded.ranking)
    assert not runs
    for ranking, expected in zip(found, outputs_of(glee, sample)):
        torch.testing.assert_close(ranking, expected.ranking, atol=1e-5, rtol=0)


def test_prompts_choose_by_confidence_and_name_the_result(glee):
    sample = prompted(blocks(1), ['box'])
    with torch.no_grad():
        raw = glee(images(1), [sample], mode='tensor')
    best = raw['pred_scores'][0, :, 0].argmax()
    result = predict(glee, sample)
    mask = torch.nn.functional.interpolate(raw['pred_masks'][:, best][None], SIZE, mode='bilinear')[..., :60, :90]
    full = torch.nn.functional.interpolate(mask, (120, 180), mode='bilinear')[0, 0]
    quality = (full.sigmoid() * (full > 0)).sum() / ((full > 0).sum() + 1e-6)
    assert torch.equal(result.masks[0], full > 0)
    torch.testing.assert_close(result.scores[0], raw['pred_scores'][0, best, 0].sigmoid() * quality)
    assert result.labels[0] == raw['pred_logits'][0, best].argmax()


def test_text_and_prompt_share_one_object(glee):
    """Three kinds of object in one call equal separate calls; a text changes what a prompt alone gives."""
    masks = blocks(3)
    masks[1] = False
    masks[2] = masks[0]
    texts = [None, 'the red star', 'the red star']
    together = predict(glee, prompted(masks, ['box', 'mask', 'box'], texts=texts))
    for row in range(3):
        alone = predict(glee, prompted(masks[row:row + 1], [['box', 'mask', 'box'][row]], texts=texts[row:row + 1]))
        assert_same(together[row:row + 1], alone)
    assert_same(together[:1], predict(glee, prompted(masks[:1], ['box'])))  # others with text change nothing
    assert together.scores[0] != together.scores[2]


def test_a_text_alone_is_the_expression(glee):
    """Bit by bit what an expression sample gives."""
    words = predict(glee, prompted(torch.zeros(1, *SIZE, dtype=torch.bool), ['mask'], texts=['a ring']))
    expression = category_sample(('a ring', ), text_mode='expression')
    assert_same(words, predict(glee, expression), atol=0)


def test_negative_pixels_rerank_and_can_be_taken_back(glee):
    """The ranking, against full masks; without the negatives every bit is as before."""
    masks, negatives = blocks(1, 3), blocks(1, 4)
    assert masks.sum() < 512 and negatives.sum() < 512  # all pixels are read
    sample = prompted(masks, ['mask'], neg_masks=negatives)
    with torch.no_grad():
        raw = glee(images(1), [sample], mode='tensor')
    full = torch.nn.functional.interpolate(raw['pred_masks'], SIZE, mode='bilinear')[0].sigmoid()
    ranking = raw['pred_scores'][0, :, 0].sigmoid() + full[:, masks[0]].mean(1) - full[:, negatives[0]].mean(1)
    torch.testing.assert_close(output_of(glee, sample).ranking, ranking)
    plain = predict(glee, prompted(masks, ['mask']))
    assert_same(predict(glee, prompted(masks, ['mask'], neg_masks=torch.zeros_like(negatives))), plain, atol=0)


def output_of(glee, sample):
    """All queries of the one prompted object."""
    return outputs_of(glee, sample)[0]


def outputs_of(glee, sample):
    """All queries of each prompted object."""
    with torch.no_grad():
        feats, _, objects = glee._head_inputs(images(1), [sample])
        return glee.panoptic_head.prompt_decoder.decode(feats, objects, sample.text, lambda decoded: decoded)


def reference_of(glee, masks):
    """The object of a box in the picture, encoded for other pictures."""
    with torch.no_grad():
        feats, _, objects = glee._head_inputs(images(1), [prompted(masks, ['box'])])
        return glee.panoptic_head.prompt_decoder.encode_reference(feats, objects, NAMES)


def test_the_previous_mask_attracts(glee):
    masks = blocks(1, 3)
    with torch.no_grad():
        raw = glee(images(1), [prompted(masks, ['mask'])], mode='tensor')
    before, all_masks = raw['pred_masks'][0, 4], raw['pred_masks'][0] > 0
    overlap = (all_masks & (before > 0)).sum((1, 2)) / (all_masks | (before > 0)).sum((1, 2)).clamp(min=1)
    ranking = output_of(glee, prompted(masks, ['mask'], prev_logits=[before])).ranking
    torch.testing.assert_close(ranking, raw['pred_scores'][0, :, 0].sigmoid() + 0.25 * overlap)


def test_covering_the_positive_pixels_counts_on_request(glee):
    """Against the masks at full size: few pixels, so that all of them are looked at."""
    masks = torch.zeros(1, *SIZE, dtype=torch.bool)
    masks[0, 10:18, 20:31] = True
    sample, composer = prompted(masks, ['point']), glee.panoptic_head.prompt_decoder.composer
    plain = output_of(glee, sample)
    full = F.interpolate(plain.masks(torch.arange(len(plain.ranking)))[None], SIZE, mode='bilinear')[0].sigmoid()
    composer.pos_weight = 0.5
    ranking = output_of(glee, sample).ranking
    composer.pos_weight = 0.
    torch.testing.assert_close(ranking, plain.ranking + 0.5 * full[:, masks[0]].mean(1))


def test_negative_tokens_only_on_request(glee):
    masks, negatives = blocks(2)[:1], blocks(2)[1:]
    sample, signed = prompted(masks, ['mask']), prompted(masks, ['mask'], neg_masks=negatives)
    with torch.no_grad():
        plain = glee(images(1), [sample], mode='tensor')['pred_scores']
        assert torch.equal(glee(images(1), [signed], mode='tensor')['pred_scores'], plain)
        glee.panoptic_head.prompter.negative_tokens = True
        changed = glee(images(1), [signed], mode='tensor')['pred_scores']
        same = glee(images(1), [sample], mode='tensor')['pred_scores']
        glee.panoptic_head.prompter.negative_tokens = False
    assert torch.equal(same, plain) and not torch.allclose(changed, plain)


def test_composer_oracle():
    """A is best by text, B by click, C second in both but best jointly."""
    evidence = PromptEvidence(visual=torch.tensor([0.1, 0.9, 0.8]), text=torch.tensor([0.9, 0.1, 0.8]))
    assert PromptComposer()(evidence).argmax() == 2
    torch.testing.assert_close(PromptComposer()(evidence), torch.tensor([0.3, 0.3, 0.8]))
    assert PromptComposer('priority')(evidence).argmax() == 1
    assert PromptComposer('priority')(evidence._replace(visual=None)).argmax() == 0
    reference = PromptEvidence(reference=torch.tensor([1., 0., -1.]), text=torch.tensor([0.25, 0.8, 1.]))
    torch.testing.assert_close(PromptComposer()(reference), torch.tensor([0.5, 0.4**0.5, 1e-6]))
    assert PromptComposer('priority')(reference).argmax() == 0
    torch.testing.assert_close(PromptComposer(reference_power=3.)(reference), torch.tensor([0.5, 0.1**0.5, 1e-6]))
    with pytest.raises(ValueError, match="reference_space='looks'"):
        PromptComposer(reference_space='looks')
    with pytest.raises(ValueError, match="reference_as='query'"):
        PromptComposer(reference_as='query')


def test_priority_asks_the_first_modality_that_was_given(glee, monkeypatch):
    """All kinds of objects through the decoder: pixels, then the likeness with a reference, then the text."""
    head = glee.panoptic_head
    nowhere = torch.zeros(1, *SIZE, dtype=torch.bool)
    reference = reference_of(glee, blocks(1))
    with torch.no_grad():
        given = dict(reference=prompted(nowhere, ['mask'], refs=[reference]),
                     reference_text=prompted(nowhere, ['mask'], refs=[reference], texts=['a ring']),
                     text=prompted(nowhere, ['mask'], texts=['a ring']),
                     pixels=prompted(blocks(1, 5), ['box']),
                     all=prompted(blocks(1, 5), ['box'], refs=[reference], texts=['a ring']))
        joint = {key: output_of(glee, sample) for key, sample in given.items()}
        confidence = glee(images(1), [given['pixels']], mode='tensor')['pred_scores'][0, :, 0].sigmoid()
        monkeypatch.setattr(head.prompt_decoder, 'composer', PromptComposer('priority'))
        priority = {key: output_of(glee, sample).ranking for key, sample in given.items()}
        names = head.decoder.norm(joint['all'].embeddings) @ head.category_embed
    for key in ('reference', 'reference_text'):
        likeness = (1 + torch.cosine_similarity(joint[key].mask_embeds, reference.pooled[None])) / 2
        torch.testing.assert_close(priority[key], likeness)
    torch.testing.assert_close(priority['text'], joint['text'].logits.sigmoid().amax(-1))
    torch.testing.assert_close(priority['pixels'], confidence)
    # of an object that was given everything, joint multiplies what priority asks alone with the other two
    cosine = torch.cosine_similarity(names, reference.name[None])
    product = priority['all'] * ((1 + cosine) / 2)**32 * joint['all'].logits.sigmoid().amax(-1)
    torch.testing.assert_close(joint['all'].ranking, product**(1 / 3))


def test_a_reference_as_a_name_is_decoded_like_a_vocabulary_of_one_name(glee, monkeypatch):
    """Two references in one call: as ``head.decode`` without visual prompt finds the name; labels stay the sample's."""
    head = glee.panoptic_head
    monkeypatch.setattr(head.prompt_decoder.composer, 'reference_as', 'name')
    nowhere = torch.zeros(2, *SIZE, dtype=torch.bool)
    references = [reference_of(glee, blocks(1, seed)) for seed in (3, 5)]
    with torch.no_grad():
        text, feats = head.encode_names(NAMES), glee.extract_feat(images(1))
        sample = prompted(nowhere, ['mask', 'mask'], refs=references)
        found = outputs_of(glee, sample)
        result = predict(glee, sample)
        for row, (output, reference) in enumerate(zip(found, references)):
            name = reference.name * text.embeds.norm(dim=-1).mean() / reference.name.norm()
            words = text._replace(embeds=name[None, None], fusion_tokens=torch.cat(
                [text.fusion_tokens, reference.template_tokens[None]], 1))
            expected = head.decode(feats, words, last_only=True)
            torch.testing.assert_close(output.embeddings, expected.embeddings[0], atol=1e-5, rtol=0)
            looks = head.decoder.norm(expected.embeddings[0]) @ head.category_embed
            likeness = ((1 + F.cosine_similarity(looks, reference.name[None])) / 2)**32
            probability = expected.predictions['']['logits'][0, :, 0].sigmoid()
            torch.testing.assert_close(output.ranking, (likeness * probability)**0.5, atol=1e-5, rtol=1e-4)
            best = head.name_logits(expected.embeddings, text.embeds)[0, output.ranking.argmax()]
            assert len(best) == len(NAMES) and result.labels[row] == best.argmax()


def test_pixels_and_words_beside_a_reference_are_decoded_as_before(glee, monkeypatch):
    """Only a reference alone becomes a name."""
    head = glee.panoptic_head
    reference = reference_of(glee, blocks(1))
    with torch.no_grad():
        nowhere = torch.zeros(1, *SIZE, dtype=torch.bool)
        given = [prompted(nowhere, ['mask'], refs=[reference], texts=['a ring']),
                 prompted(blocks(1, 5), ['box'], refs=[reference]), prompted(nowhere, ['mask'], refs=[reference])]
        before = [output_of(glee, sample).ranking for sample in given]
        monkeypatch.setattr(head.prompt_decoder.composer, 'reference_as', 'name')
        after = [output_of(glee, sample).ranking for sample in given]
    assert [torch.equal(one, other) for one, other in zip(before, after)] == [True, True, False]


def test_signs_and_history_oracle():
    """Two queries alike but for the negative pixel; then the previous mask breaks a tie."""
    tie = PromptEvidence(visual=torch.tensor([0.6, 0.55]))
    assert PromptComposer()(tie).argmax() == 0
    signed = tie._replace(positive=torch.tensor([0.9, 0.9]), negative=torch.tensor([0.9, 0.1]))
    torch.testing.assert_close(PromptComposer()(signed), torch.tensor([0.6, 1.35]))
    torch.testing.assert_close(PromptComposer(pos_weight=0.5)(signed), torch.tensor([1.05, 1.8]))
    covered = tie._replace(positive=torch.tensor([0.1, 0.9]))
    torch.testing.assert_close(PromptComposer(pos_weight=0.5)(covered), torch.tensor([0.65, 1.]))
    stay = tie._replace(previous=torch.tensor([0.1, 0.9]))
    torch.testing.assert_close(PromptComposer()(stay), torch.tensor([0.625, 0.775]))


def test_object_text_selection():
    composer = PromptComposer(select='object_text')
    scores = composer.visual_probability(torch.tensor([[9.], [-9.]]), torch.tensor([[-1., 0.], [1., -2.]]))
    torch.testing.assert_close(scores, torch.tensor([0., 1.]).sigmoid())
    with pytest.raises(ValueError, match='select'):
        PromptComposer(select='best')


@pytest.mark.parametrize('change, message', [
    (dict(masks=torch.zeros(2, *SIZE, dtype=torch.bool)), r'object 0 \(point\) has no positive pixel'),
    (dict(masks=torch.ones(2, 60, 90, dtype=torch.bool)), r'masks of \(60, 90\) px but the padded input is'),
    (dict(kinds=['point', 'lasso']), "object 1 has kind 'lasso'"),
])
def test_bad_prompts_are_named(glee, change, message):
    fields = dict(dict(masks=blocks(2), kinds=['point', 'box']), **change)
    with pytest.raises(ValueError, match=message):
        predict(glee, prompted(fields['masks'], fields['kinds']))


def test_previous_logits_of_another_size_are_named(glee):
    with pytest.raises(ValueError, match='prev_logits'):
        predict(glee, prompted(blocks(1), ['box'], prev_logits=[torch.zeros(4, 4)]))
