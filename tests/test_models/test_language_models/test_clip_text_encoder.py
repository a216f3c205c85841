"""Text features against the original's, and the behaviour of modes, cache and exported names."""
import json

import golden_recipe as recipe
import numpy as np
import pytest
import torch
from logs import captured_log
from mmdet.registry import MODELS
from paths import GOLDEN
from safetensors.torch import save_file

from projects.glee.models.language_models import build_clip_tokenizer
from projects.glee.models.language_models.text_cache import TextCache

SMALL = dict(type='CLIPTextEncoder', hidden_size=32, num_hidden_layers=2, num_attention_heads=4,
             intermediate_size=64, embed_dims=16)
NAMES = ['person', 'traffic light', 'a red car', 'object']


def small(seed=0, **kwargs):
    torch.manual_seed(seed)
    return MODELS.build({**SMALL, **kwargs})


@pytest.fixture(scope='module')
def released():
    """The full-size encoder with the weights of the golden runs."""
    manifest = json.loads((GOLDEN / 'manifest_lite.json').read_text())['keys']
    renamed = {'text_encoder.text_model.': 'text_model.',
               'text_encoder_teacher.text_model.': 'teacher.', 'lang_projection': 'lang_projection'}
    state = {}
    for key, entry in manifest.items():
        for old, new in renamed.items():
            if key.startswith(old):
                state[new + key[len(old):]] = torch.from_numpy(recipe.weight(key, entry['shape']))
    encoder = MODELS.build(dict(type='CLIPTextEncoder', mode='distill'))
    encoder.load_state_dict(state, strict=True)
    return encoder


def golden_case(name, key):
    golden = np.load(GOLDEN / f'{name}.npz')
    return golden, json.loads(golden['meta'].tobytes())[key]


def test_category_features_match_the_original(released):
    golden, names = golden_case('text_case1', 'names')
    released.train()
    with torch.no_grad():
        features = released(names)
        padded = released(names, pad_to_max=True)
    assert features.tokens.shape == (4, 5, 256)
    assert features.mask.sum(1).tolist() == [3, 4, 5, 3]
    np.testing.assert_allclose(features.pooled, golden['class_embeddings'], atol=5e-5)
    np.testing.assert_allclose(padded.pooled, golden['class_embeddings'], atol=5e-5)
    np.testing.assert_allclose(
        recipe.digest(padded.hidden), golden['text_last_hidden'], atol=5e-5)
    np.testing.assert_allclose(features.distill_loss / 4, golden['dist_loss'], rtol=1e-5)
    np.testing.assert_allclose(padded.distill_loss / 4, golden['dist_loss'], rtol=1e-5)


def test_expression_features_match_the_original(released):
    golden, expressions = golden_case('text_case3', 'expressions')
    released.eval()
    with torch.no_grad():
        features = released(expressions, pad_to_max=True)
    np.testing.assert_allclose(
        recipe.digest(features.hidden), golden['text_last_hidden'], atol=5e-5)
    np.testing.assert_allclose(
        recipe.digest(features.tokens.transpose(0, 1)), golden['grounding_tokens'], atol=5e-5)
    np.testing.assert_allclose(features.pooled, golden['grounding_class'], atol=5e-5)
    np.testing.assert_array_equal(features.mask, golden['attention_mask'] > 0)
    assert features.distill_loss == golden['dist_loss'] == 0


def test_names_do_not_depend_on_company_chunks_or_duplicates():
    encoder = small(mode='unfrozen', chunk_size=2).eval()
    alone = [encoder([name]).pooled[0] for name in NAMES]
    together = encoder([*NAMES, *NAMES[:2]])
    torch.testing.assert_close(together.pooled, torch.stack([*alone, *alone[:2]]))
    assert (together.tokens[~together.mask] == 0).all()
    # the mean over valid tokens, by hand
    by_hand = torch.stack([t[m].mean(0) for t, m in zip(together.tokens, together.mask)])
    torch.testing.assert_close(together.pooled, by_hand)


def test_tokens_of_equal_beginnings_are_one_group():
    encoder = small().eval()
    names = ['red car', 'red bus', 'car', 'red car', 'red']
    with torch.no_grad():
        features = encoder(names)
    # start, red, car, end | start, red, bus, end | start, car, end | start, red, car, end | start, red, end
    assert features.token_groups.tolist() == [0, 1, 2, 3, 0, 1, 4, 5, 0, 6, 7, 0, 1, 2, 3, 0, 1, 8]
    tokens = torch.cat([row[valid] for row, valid in zip(features.tokens, features.mask)])
    assert torch.equal(features.valid_tokens, tokens)
    first = torch.tensor([features.token_groups.tolist().index(group) for group in features.token_groups])
    torch.testing.assert_close(tokens, tokens[first], atol=1e-6, rtol=0)
    with torch.no_grad():
        assert encoder(['red'], pad_to_max=True).token_groups is None  # the padding's states differ by position
        assert encoder(['red ' * 200]).token_groups.tolist() == list(range(77))
    assert encoder.train()(names).token_groups.equal(features.token_groups)


def test_token_embeddings_are_rows_of_the_table():
    """CLIP's ids: start 49406, a 320, cat 2368, dog 1929, end 49407."""
    encoder = small(mode='unfrozen').eval()
    embeds, mask = encoder.embed_tokens(['cat', 'a dog'])
    table = encoder.text_model.get_input_embeddings().weight
    assert mask.tolist() == [[True, True, True, False], [True] * 4]
    assert torch.equal(embeds[0, :3], table[[49406, 2368, 49407]])
    assert torch.equal(embeds[1], table[[49406, 320, 1929, 49407]])
    with pytest.raises(ValueError, match='1'):
        encoder.embed_tokens(['cat', ' '])


def test_duplicates_pass_the_transformer_once():
    encoder = small(mode='unfrozen').train()
    sizes = []
    encoder.text_model.register_forward_hook(lambda _, __, out: sizes.append(len(out[0])))
    encoder(['cat', 'dog', 'cat', 'cat'])
    assert sizes == [2]


@pytest.mark.parametrize('mode, trains', [('frozen', False), ('unfrozen', True),
                                          ('distill', True)])
def test_gradient_reaches_what_trains(mode, trains):
    encoder = small(mode=mode).train()
    features = encoder(NAMES)
    (features.pooled.sum() + features.distill_loss).backward()
    assert encoder.lang_projection.grad.abs().sum() > 0
    grads = [p.grad for p in encoder.text_model.parameters()]
    assert all((g is not None) == trains for g in grads)
    if mode == 'distill':
        assert all(p.grad is None and not p.requires_grad for p in encoder.teacher.parameters())


@pytest.mark.parametrize('kind, power', [('mse', 2), ('l1', 1)])
def test_distillation_is_the_mean_difference_on_valid_tokens(kind, power):
    encoder = small(mode='distill', distill_loss=kind, distill_weight=3.0).train()
    assert encoder(NAMES).distill_loss == 0  # student and teacher start equal
    assert not encoder.teacher.training
    with torch.no_grad():
        for p in encoder.text_model.parameters():
            p.add_(0.1 * torch.randn_like(p))
    differences = []
    for name in NAMES:
        student = encoder([name]).hidden[0]
        ids = torch.tensor([build_clip_tokenizer()(name)['input_ids']])
        differences.append(student - encoder.teacher(input_ids=ids).last_hidden_state[0])
    expected = 3.0 * torch.cat(differences).abs().pow(power).mean()
    loss = encoder(NAMES).distill_loss
    torch.testing.assert_close(loss, expected)
    assert loss > 0
    assert encoder(NAMES, distill=False).distill_loss == 0
    assert encoder.eval()(NAMES).distill_loss == 0


def count_passes(encoder):
    passes = []
    encoder.text_model.register_forward_hook(lambda *_: passes.append(1))
    return passes


def test_cache_is_used_and_dropped_when_a_weight_changes():
    encoder = small(mode='unfrozen').eval()
    passes = count_passes(encoder)
    with torch.no_grad():
        before = encoder(NAMES)
        assert encoder(NAMES) is before and len(passes) == 1
        for parameter in (encoder.text_model.embeddings.token_embedding.weight,
                          encoder.lang_projection):
            parameter.mul_(1.5)
            after = encoder(NAMES)
            assert not torch.allclose(after.pooled, before.pooled)
            encoder._features.clear()
            encoder._names.clear()
            torch.testing.assert_close(encoder(NAMES).pooled, after.pooled)
            before = after
        encoder.load_state_dict(small(1, mode='unfrozen').state_dict())
        assert not torch.allclose(encoder(NAMES).pooled, before.pooled)


def test_cache_survives_neither_data_swaps_around_eval_nor_training():
    encoder = small(mode='unfrozen').eval()
    with torch.no_grad():
        before = encoder(NAMES).pooled
        encoder.text_model.embeddings.token_embedding.weight.data.mul_(1.5)  # as EMAHook does
        encoder.eval()
        assert not torch.allclose(encoder(NAMES).pooled, before)
    passes = count_passes(encoder.train())
    encoder(NAMES), encoder(NAMES)
    assert len(passes) == 2


def test_frozen_encoder_keeps_names_while_training():
    encoder = small(mode='frozen').train()
    passes = count_passes(encoder)
    first = encoder(NAMES)
    second = encoder(NAMES[::-1])
    assert len(passes) == 1
    torch.testing.assert_close(first.pooled, second.pooled.flip(0))
    second.pooled.sum().backward()
    encoder(NAMES + ['zebra'])
    assert len(passes) == 2


def test_caches_are_bounded_in_bytes():
    """The oldest go first; what alone is larger than the bound stays until the next."""
    cache = TextCache(100)
    for number in range(4):
        cache.put(number, (torch.zeros(10), number))  # 40 bytes
    assert [cache.get(number) is not None for number in range(4)] == [False, False, True, True]
    cache.get(2)
    cache.put(4, (torch.zeros(2, 2), ))
    assert [number for number in range(5) if cache.get(number) is not None] == [2, 3, 4]
    cache.put(5, (torch.zeros(2, 2), ))
    assert cache.num_bytes == 40 + 16 + 16 and cache.get(2) is None
    cache.put(6, (torch.zeros(99), ))
    assert list(cache.entries) == [6] and cache.num_bytes == 396
    cache.clear()
    assert cache.num_bytes == 0


def test_thousands_of_expressions_do_not_grow_the_encoder():
    encoder = small(mode='unfrozen', cache_mb=0.05).eval()
    passes = count_passes(encoder)
    with torch.no_grad():
        for number in range(60):
            encoder([f'star number {number}', 'the ring'], pad_to_max=True)
        assert len(passes) == 60
        encoder(['star number 59'], pad_to_max=True)
    assert len(passes) == 60
    for cache in (encoder._features, encoder._expressions):
        assert 0 < cache.num_bytes <= 0.05 * 2**20
        assert sum(part.untyped_storage().nbytes() for entry in cache.entries.values() for part in entry
                   if isinstance(part, torch.Tensor)) <= 2 * 0.05 * 2**20


def test_features_made_in_inference_mode_do_not_leak_into_training():
    encoder = small(mode='frozen').eval()
    with torch.inference_mode():
        encoder(NAMES)
    encoder(NAMES).pooled.sum().backward()
    assert encoder.lang_projection.grad is not None


@pytest.mark.parametrize('texts, message', [
    ([], 'texts is empty'), (['cat', ' ', 'dog'], 'text 1 of 3 is empty'), (['', 'a'], 'text 0'),
    ('cat', 'single string')])
def test_empty_text_is_named(texts, message):
    with pytest.raises(ValueError, match=message):
        small()(texts)


def test_unknown_choices_are_named():
    for key in ('mode', 'distill_loss', 'projection_init'):
        with pytest.raises(ValueError, match=f"{key}='nothing'"):
            small(**{key: 'nothing'})


def test_initial_projection_is_well_conditioned():
    projection = small().lang_projection
    torch.testing.assert_close(projection.T @ projection, torch.eye(16))
    uniform = small(projection_init='uniform').lang_projection
    assert 0 <= uniform.min() and 0.45 < uniform.mean() < 0.55


def test_clip_checkpoint_loads_strictly_into_student_and_teacher(tmp_path):
    weights = {f'text_model.{k}': v for k, v in small(5).text_model.state_dict().items()}
    extra = {'logit_scale': torch.ones(()), 'vision_model.x': torch.ones(1),
             'text_model.embeddings.position_ids': torch.arange(77)[None]}
    save_file({**weights, **extra}, tmp_path / 'model.safetensors')
    encoder = small(0, mode='distill', checkpoint=str(tmp_path))
    encoder.init_weights()
    for part in (encoder.text_model, encoder.teacher):
        for key, value in part.state_dict().items():
            torch.testing.assert_close(value, weights[f'text_model.{key}'])
    del weights['text_model.final_layer_norm.bias']
    torch.save(weights, tmp_path / 'clip.pth')
    with pytest.raises(ValueError, match='final_layer_norm.bias'):
        small(checkpoint=str(tmp_path / 'clip.pth')).init_weights()
    with pytest.raises(FileNotFoundError, match='nowhere.pth'):
        small(checkpoint=str(tmp_path / 'nowhere.pth')).init_weights()


def test_random_start_is_said_once():
    encoder = small()
    before = {k: v.clone() for k, v in encoder.state_dict().items()}
    with pytest.warns(UserWarning, match='random weights') as record:
        encoder.init_weights()
        encoder.init_weights()
    assert len(record) == 1
    for key, value in encoder.state_dict().items():
        torch.testing.assert_close(value, before[key])


def test_checkpoints_pass_between_modes():
    frozen, distill = small(1, mode='frozen'), small(2, mode='distill')
    holder = torch.nn.ModuleDict(dict(encoder=distill))  # names with a prefix, as in a model
    holder.load_state_dict({f'encoder.{k}': v for k, v in frozen.state_dict().items()})
    for key, value in frozen.text_model.state_dict().items():
        assert torch.equal(distill.teacher.state_dict()[key], value)
        assert torch.equal(distill.text_model.state_dict()[key], value)
    with torch.no_grad():
        distill.teacher.final_layer_norm.weight.add_(1)
    again, unfrozen = small(3, mode='distill'), small(4, mode='unfrozen')
    again.load_state_dict(distill.state_dict())
    assert torch.equal(again.teacher.final_layer_norm.weight,
                       distill.teacher.final_layer_norm.weight)
    unfrozen.load_state_dict(distill.state_dict())
    assert torch.equal(unfrozen.lang_projection, distill.lang_projection)
    incomplete = distill.state_dict()
    del incomplete['teacher.final_layer_norm.weight']
    with pytest.raises(RuntimeError, match='teacher.final_layer_norm.weight'):
        again.load_state_dict(incomplete)


def test_texts_that_are_cut_and_equal_after_it_are_said_once():
    long = 'the red star ' * 30
    encoder = small(mode='frozen').eval()
    with captured_log() as messages, torch.no_grad():
        encoder(['a star', 'red ' * 75], pad_to_max=True, distill=False)  # 77 tokens: not one too many
        assert not messages
        encoder(['a star', long + 'on the left'], pad_to_max=True, distill=False)
        found = encoder([long + 'on the right', long + 'above', 'a ring'], pad_to_max=True, distill=False)
        encoder([long + 'below', long + 'in front'])
    assert torch.equal(found.pooled[0], found.pooled[1])
    cut, equal = messages
    assert 'more than 77 tokens and is cut there' in cut and 'the red star' in cut
    assert equal.startswith('2 texts are equal in their first 77 tokens')
