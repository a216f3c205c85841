"""Several expressions of one image: as one by one, and what does not depend on them is computed once."""
from collections import Counter

import pytest
import torch
from mini_model import NAMES, SIZE, build, category_sample, images, mini_config

from projects.glee.structures.prompted_objects import PromptedObjects

TEXTS = ['the red star', 'a ring', 'the ring on the left', 'object', 'the largest of all shapes in the picture']


@pytest.fixture(scope='module')
def glee():
    return build(mini_config()).eval()


def decoded(glee, feats, texts):
    objects = PromptedObjects.of_texts(texts, SIZE, feats[0].device)
    return glee.panoptic_head.prompt_decoder.decode(feats, objects, None, lambda each: each)


@torch.no_grad()
@pytest.mark.parametrize('chunk_pixels', [8 * 3 * SIZE[0] * SIZE[1], 1], ids=['three at a time', 'one by one'])
def test_many_expressions_equal_single_passes(glee, chunk_pixels, monkeypatch):
    head, feats, counts = glee.panoptic_head, glee.extract_feat(images(1)), Counter()
    monkeypatch.setattr(head.prompt_decoder, 'chunk_pixels', chunk_pixels)
    head.text_encoder.train().eval()  # nothing is kept of the texts
    parts = dict(text=head.text_encoder.text_model, lateral=head.pixel_decoder.lateral_conv,
                 projection=head.pixel_decoder.input_convs[0], encoder=head.pixel_decoder.layers[0],
                 decoder=head.decoder)
    hooks = [part.register_forward_hook(lambda *_, name=name: counts.update([name])) for name, part in parts.items()]
    sizes = []
    hooks.append(parts['lateral'].register_forward_hook(lambda _, inputs, __: sizes.append(len(inputs[0]))))
    found = decoded(glee, feats, TEXTS)
    for hook in hooks:
        hook.remove()
    passes = 2 if chunk_pixels > 1 else 5
    assert counts == dict(text=1, lateral=passes, projection=passes, encoder=passes, decoder=passes)
    assert set(sizes) == {1}  # one image, however many expressions
    for text, one in zip(TEXTS, found):
        alone = head.decode(feats, head.encode_expressions([text]), last_only=True)
        last = alone.predictions['']
        for value, wanted in ((one.logits, last['logits'][0]), (one.boxes, last['boxes'][0]),
                              (one.embeddings, alone.embeddings[0]),
                              (one.masks(torch.arange(5)), alone.masks(0, slice(5)))):
            torch.testing.assert_close(value, wanted, atol=2e-5, rtol=0)


@torch.no_grad()
def test_one_image_for_all_prompts_equals_copies_of_it(glee):
    """Both decoders, also where they record a graph or have the text read the pixels."""
    head, feats = glee.panoptic_head, glee.extract_feat(images(1))
    text = head.encode_expressions(TEXTS[:3])
    copies = [feat.expand(3, -1, -1, -1) for feat in feats]
    for inside in (torch.no_grad, torch.enable_grad):  # the ways of inference on a CPU, and torch's own
        with inside():
            for tokens in (text.fusion_tokens, None):
                one, many = (head.pixel_decoder(maps, tokens, with_text=True) for maps in (feats, copies))
                torch.testing.assert_close(one.expand(3).mask_features, many.mask_features, atol=2e-5, rtol=0)
                torch.testing.assert_close(one.expand(3).levels[0], many.levels[0], atol=2e-5, rtol=0)
                if tokens is not None:
                    torch.testing.assert_close(one.text, many.text, atol=2e-5, rtol=0)
            shared = head.pixel_decoder(feats, head.encode_names(NAMES).fusion_tokens)
            single, tripled = (head.decode_pixels(pixels, text, last_only=True)
                               for pixels in (shared, shared.expand(3)))
            for key, value in single.predictions[''].items():
                torch.testing.assert_close(value, tripled.predictions[''][key], atol=2e-5, rtol=0)
            assert torch.equal(single.topk_indices, tripled.topk_indices)


def test_a_batch_of_expressions_is_predicted_as_its_parts(glee):
    sample = category_sample(text=tuple(TEXTS), text_mode='expression')
    with torch.no_grad():
        together = glee.predict(images(1), [sample])[0].pred_instances
        for row, text in enumerate(TEXTS):
            alone = glee.predict(images(1), [category_sample(text=(text, ), text_mode='expression')])[0].pred_instances
            torch.testing.assert_close(together.bboxes[row], alone.bboxes[0], atol=1e-3, rtol=0)
            torch.testing.assert_close(together.scores[row], alone.scores[0], atol=2e-5, rtol=0)
