"""How dialogues become embeddings, and what does not depend on how they are batched."""
import pytest
import torch
from toy_llm import LLAVA, PICTURES, QWEN, WORDS, sample_of, toy_segmentor
from toy_video_llm import talkative

import projects.glee.llm  # noqa: F401
from projects.glee.llm.adapters import LlavaAdapter
from projects.glee.llm.dialogue import Turn, tokenize
from projects.glee.llm.losses import IGNORED

FAMILIES = pytest.mark.parametrize('family', [LLAVA, QWEN], ids=['llava', 'qwen'])


def states_of(model, inputs, samples, side='right'):
    return [one.states for one in model._taught(inputs, samples, side)]


@FAMILIES
def test_without_objects_it_is_the_model_of_transformers(family):
    segmentor = toy_segmentor(family, num_objects=0).eval()
    model, picture = segmentor.language_model, PICTURES[0]
    tokens, read = segmentor.read([Turn((0, 'red square'))], segmentor.see([picture]))
    ours = segmentor.reader([read])[0]
    ids = tokens.ids[None]
    if family is LLAVA:
        given = dict(pixel_values=model.pixel_values(picture))
    else:
        given = dict(model.processor(picture, return_tensors='pt'), mm_token_type_ids=(ids == model.image_id).int())
    with torch.no_grad():
        theirs = model.core(input_ids=ids, attention_mask=torch.ones_like(ids), **given).logits
    assert (ids == model.image_id).sum() > 1
    torch.testing.assert_close(model.logits(ours), theirs[0], atol=1e-5, rtol=1e-4)


@FAMILIES
def test_batch_and_side_of_padding_do_not_matter(family):
    model = toy_segmentor(family).eval()
    samples = [sample_of(PICTURES[0], 'red'), sample_of(PICTURES[1], 'white', 'green')]
    with torch.no_grad():
        alone = [states_of(model, [[picture]], [sample])[0] for picture, sample in zip(PICTURES, samples)]
        assert len(alone[0]) != len(alone[1])
        for side in ('left', 'right'):
            for one, other in zip(alone, states_of(model, [[picture] for picture in PICTURES], samples, side)):
                torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-4)


@FAMILIES
def test_said_states_are_those_of_a_taught_answer(family):
    model = toy_segmentor(family, max_new_tokens=5).eval()
    turn, seen = Turn((0, 'red')), model.see([PICTURES[0]])
    with torch.no_grad():
        model.language_model.core.get_output_embeddings().weight[model.language_model.end_id] = 0
        said = list(model.stream([turn], seen))
        tokens, read = model.read([turn], seen)
        embeds = torch.cat([read.embeds, model.language_model.embed(torch.tensor([one.token for one in said]))])
        last = read.positions[..., -1:]
        positions = torch.cat([read.positions, last + torch.arange(1, len(said) + 1)], -1)
        taught = model.reader([read._replace(embeds=embeds, positions=positions)])[0][len(tokens.ids) - 1:-1]
    assert len(said) == 5
    torch.testing.assert_close(torch.stack([one.state for one in said]), taught, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize('seg_state', ['predict', 'token'])
def test_masks_of_an_answer_are_those_of_a_taught_one(seg_state):
    model = talkative(toy_segmentor(seg_state=seg_state, max_new_tokens=3).eval())
    seg, sample = model.language_model.seg_id, sample_of(PICTURES[0], 'red', answer='[SEG] [SEG] [SEG]')
    sample.set_metainfo(dict(seg_pictures=[0] * 3))
    with torch.no_grad():
        found = model.ask([sample.turns[0]._replace(answer=None)], model.see([PICTURES[0]]))
        taught, = model._taught([[PICTURES[0]]], [sample])
        at = (taught.tokens.ids == seg).nonzero()[:, 0]
        own = model.seg_projector(taught.states[at if seg_state == 'token' else at - 1].float())
    torch.testing.assert_close(taught.embeds, own)
    # the last [SEG] ends the answer, so that nothing follows that would tell its own state
    count = 3 if seg_state == 'predict' else 2
    assert len(found.embeds) == count
    torch.testing.assert_close(found.embeds, taught.embeds[:count], atol=1e-5, rtol=1e-4)


def test_without_picture_tokens_only_objects_are_seen():
    model = toy_segmentor(use_image_tokens=False).eval()
    sample, seen = sample_of(PICTURES[0], 'red'), model.see([PICTURES[0]])
    tokens, read = model.read(sample.turns, seen)
    assert seen.towers == (None, ) and not (tokens.ids == model.language_model.image_id).any()
    other = seen._replace(objects=tuple(one._replace(queries=0 * one.queries) for one in seen.objects))
    with torch.no_grad():
        assert not torch.equal(model.reader([read])[0], model.reader([model.read(sample.turns, other)[1]])[0])


def test_objects_matter_and_are_as_many_as_asked_for():
    model = toy_segmentor().eval()
    sample, seen = sample_of(PICTURES[0], 'red'), model.see([PICTURES[0]])
    blind = seen._replace(objects=tuple(one._replace(queries=0 * one.queries) for one in seen.objects))
    with torch.no_grad():
        states = [model.reader([model.read(sample.turns, one)[1]])[0] for one in (seen, blind)]
    assert (states[0] - states[1]).abs().max() > 1e-3
    for count in (1, 2, 8):  # the picture has two
        other = toy_segmentor(num_objects=count)
        tokens, _ = other.read(sample.turns, seen)
        assert (tokens.ids == other.language_model.object_id).sum() == count
        assert [one.shape for one in other([[PICTURES[0]]], [sample])[0]] == [(32, 48)]


def test_what_of_a_dialogue_is_learned():
    model = toy_segmentor().language_model
    turns = [Turn((0, 'red ?'), 'it is [SEG]'), Turn(('blue ?', ), 'it')]
    learned = [token for token in tokenize(model, turns, [3], 2).labels.tolist() if token != IGNORED]
    assert model.tokenizer.convert_ids_to_tokens(learned) == ['it', 'is', '[SEG]', '</s>', 'it', '</s>']
    said = tokenize(model, turns, [3], 2).ids
    assert model.tokenizer.convert_ids_to_tokens(said) == [
        'USER', ':', *['<image>'] * 3, *['<obj>'] * 2, 'red', '?', 'ASSISTANT', ':', 'it', 'is', '[SEG]', '</s>',
        'USER', ':', 'blue', '?', 'ASSISTANT', ':', 'it', '</s>']
    only = tokenize(model, turns, [3], 2, ce_on='seg').labels
    assert only[only != IGNORED].tolist() == [model.seg_id]
    assert tokenize(model, turns, [3], 2, open_answer=True).ids[-1] != model.end_id
    with pytest.raises(ValueError, match='turn 0 of 2 has no answer'):
        tokenize(model, [Turn((0, 'a')), Turn(('b', ))], [3], 2)


def test_new_tokens_are_single_and_unknown_words_are_one():
    model = toy_segmentor().language_model
    assert len({model.seg_id, model.object_id, model.score_id, model.image_id, model.end_id}) == 5
    assert model.encode_text('red [SEG] zebra') == [
        model.encode_text('red')[0], model.seg_id, model.tokenizer.unk_token_id]
    assert model.decode_text(model.encode_text('Sure , it is [SEG] .') + [model.end_id]) == 'Sure, it is [SEG].'


def test_what_is_wrong_is_said(tmp_path):
    with pytest.raises(FileNotFoundError, match='no such folder; download the model there first'):
        LlavaAdapter(path=str(tmp_path / 'llava'))
    with pytest.raises(ValueError, match='either path='):
        LlavaAdapter()
    with pytest.raises(ValueError, match='leave nothing to see'):
        toy_segmentor(num_objects=0, use_image_tokens=False)
    with pytest.raises(KeyError, match='unknown .*rank.*, choose from r, alpha, dropout'):
        toy_segmentor(dict(LLAVA, lora=dict(rank=4)))
    assert '[SEG]' not in WORDS
