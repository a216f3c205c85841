"""Texts of samples, videos and sessions to the encoder: one string is one name, each text is read once."""
import pytest
import torch
from mini_model import NAMES, build, category_sample, expression_sample, images, mini_config
from mini_video import track_video, video_model
from sessions import picture

from projects.glee.apis import InteractiveSession
from projects.glee.models.data_preprocessors import GLEEDataPreprocessor
from projects.glee.models.language_models.text_prompt import encode_expressions, read_texts

SENTENCES = ('the red star', 'a ring left of the circle', 'square')


@pytest.fixture(scope='module')
def glee():
    config = mini_config()
    config.panoptic_head.prompter.update(template_size=64)
    return build(config).eval()


@pytest.fixture
def passes(glee):
    """Number of texts of each pass of the transformer."""
    sizes = []
    encoder = glee.panoptic_head.text_encoder
    hook = encoder.text_model.register_forward_hook(lambda _, __, out: sizes.append(len(out.last_hidden_state)))
    encoder.eval()  # forgets what it knows
    yield sizes
    hook.remove()


def predict(model, *samples, mode='predict'):
    with torch.no_grad():
        return model(images(len(samples)), list(samples), mode=mode)


def test_a_string_is_one_name_for_the_model(glee):
    one, listed = (predict(glee, category_sample(('x', )), mode='tensor')['pred_logits'] for _ in range(2))
    sample = category_sample(('x', ))
    sample.set_metainfo(dict(text='star'))
    assert predict(glee, sample, mode='tensor')['pred_logits'].shape == one.shape == listed.shape
    found = predict(glee, sample)[0].pred_instances
    expected = predict(glee, category_sample(('star', )))[0].pred_instances
    assert torch.equal(found.scores, expected.scores) and set(found.labels.tolist()) == {0}
    sentence = expression_sample('x')
    sentence.set_metainfo(dict(text='the red star'))
    assert len(predict(glee, sentence)[0].pred_instances.scores) == 1
    stuffed = category_sample(stuff_text='sky')
    assert set(predict(glee, stuffed)[0].pred_sem_seg.sem_seg.unique().tolist()) <= set(range(len(NAMES) + 1))
    assert read_texts([sample]) == ((('star', ), ), False)
    with pytest.raises(ValueError, match='a name or a list of names'):
        predict(glee, category_sample(text=5))


def test_a_string_is_one_name_for_a_session(glee):
    session = InteractiveSession(glee, vocabulary='star', scale=(96, 64))
    assert session.vocabulary == ('star', )
    session.set_image(picture())
    found = session.add(points=[(30, 20)])
    assert found.label == 'star' and [name for name, _ in session.label(found.id, 'ring', top_k=9)] == ['ring']
    panoptic, listed = session.panoptic('star', 'sky'), session.panoptic(['star'], ['sky'])
    assert (panoptic[0] == listed[0]).all() and panoptic[1] == listed[1]
    for names in ((), ' ', {'star': 1}):
        with pytest.raises(ValueError, match='vocabulary'):
            session.label(found.id, names)


def test_text_alone_is_enough_for_the_preprocessor():
    """A sample of a stock pipeline: no ``text_mode``, a list or a string of names."""
    model = GLEEDataPreprocessor()
    for text, expected in (('star', ('star', )), (['star', 'ring'], ('star', 'ring'))):
        sample = category_sample(('x', 'y'), labels=[0])
        sample.set_metainfo(dict(text=text))
        del sample.text_mode
        sample.gt_instances.labels[:] = 0
        for training in (False, True):
            inputs = dict(inputs=[torch.zeros(3, 60, 90, dtype=torch.uint8)], data_samples=[sample.clone()])
            assert model(inputs, training)['data_samples'][0].text == expected


def test_expressions_of_an_image_are_read_in_one_pass(glee, passes):
    """And give what each of them gives on its own."""
    together = predict(glee, expression_sample(*SENTENCES))[0].pred_instances
    assert passes == [3]
    glee.panoptic_head.text_encoder.eval()
    for index, sentence in enumerate(SENTENCES):
        alone = predict(glee, expression_sample(sentence))[0].pred_instances
        torch.testing.assert_close(together.scores[index], alone.scores[0], atol=2e-5, rtol=0)
        torch.testing.assert_close(together.bboxes[index], alone.bboxes[0], atol=2e-3, rtol=0)  # px
        assert torch.equal(together.masks[index], alone.masks[0]) and together.labels[index] == index


def test_encoded_together_and_apart(glee):
    encoder = glee.panoptic_head.text_encoder
    with torch.no_grad():
        together = encode_expressions(encoder, SENTENCES)
        for index, sentence in enumerate(SENTENCES):
            encoder.eval()
            alone = encode_expressions(encoder, [sentence])
            torch.testing.assert_close(together.pick([index]).embeds, alone.embeds, atol=2e-5, rtol=0)
            torch.testing.assert_close(together.pick([index]).fusion_tokens, alone.fusion_tokens, atol=2e-5, rtol=0)


def test_nine_expressions_through_four_windows():
    """One pass for a video, and none for the next one with the same expressions."""
    model, sizes = video_model(dict(type='ExpressionTracker')), []
    text = tuple(f'the {name} of row {row}' for row in range(3) for name in ('star', 'ring', 'square'))
    model.panoptic_head.text_encoder.text_model.register_forward_hook(
        lambda _, __, out: sizes.append(len(out.last_hidden_state)))
    for _ in range(2):
        tracks = track_video(model, 4, 1, text=text, text_mode='expression')
        assert [track.label for track in tracks] == list(range(9))
    assert sizes == [9]


def test_a_session_reads_each_text_once(glee, passes):
    session = InteractiveSession(glee, scale=(96, 64))
    session.set_image(picture())
    for _ in range(2):
        for number in range(9):
            session.add(text=f'star number {number}')
    assert sum(passes) == 9  # each sentence once; the vocabulary, which nobody reads then, not at all
