"""Encoded texts in a file: what they replace, and when they count no longer."""
import hashlib

import numpy as np
import pytest
import torch
from logs import captured_log
from mmdet.registry import MODELS

from projects.glee.models.language_models.text_bank import TextBank, hash_weights

NAMES, SENTENCES = ['person', 'traffic light', 'a red car'], ['the man on the left', 'a cat']


def small(seed=0, **kwargs):
    torch.manual_seed(seed)
    return MODELS.build(dict(
        type='CLIPTextEncoder', mode='unfrozen', hidden_size=32, num_hidden_layers=2, num_attention_heads=4,
        intermediate_size=64, embed_dims=16, **kwargs)).eval()


@pytest.fixture
def bank_file(tmp_path):
    path = tmp_path / 'bank.pt'
    small().make_bank(NAMES, SENTENCES).save(path)
    return path


def passes_of(encoder):
    """A list that grows by the texts of each pass of the transformer."""
    passes = []
    encoder.text_model.register_forward_hook(
        lambda _, __, inputs, ___: passes.append(len(inputs['input_ids'])), with_kwargs=True)
    return passes


@torch.no_grad()
def test_a_bank_replaces_the_transformer(bank_file):
    plain, encoder = small(), small(text_bank=str(bank_file))
    passes = passes_of(encoder)
    for texts, padded in ((NAMES[::-1], False), (SENTENCES, True)):
        found, wanted = encoder(texts, pad_to_max=padded), plain(texts, pad_to_max=padded)
        for name in ('tokens', 'pooled', 'mask', 'hidden', 'valid_tokens'):
            torch.testing.assert_close(getattr(found, name), getattr(wanted, name))
    assert not passes
    torch.testing.assert_close(encoder([*NAMES, 'zebra']).pooled, plain([*NAMES, 'zebra']).pooled)
    encoder(NAMES, pad_to_max=True)  # they are in it as names, not as sentences
    assert passes == [1, 3]
    encoder.train()(NAMES)
    assert passes == [1, 3, 3]  # a transformer that trains is always asked


@torch.no_grad()
def test_new_weights_end_a_bank(bank_file):
    encoder = small(text_bank=str(bank_file))
    passes, before = passes_of(encoder), encoder(NAMES).pooled
    assert not passes
    encoder.text_model.final_layer_norm.weight[3] += 1e-3  # one value
    with captured_log() as log:
        after = encoder(NAMES).pooled
        encoder(SENTENCES, pad_to_max=True)
    assert passes == [3, 2] and not torch.equal(after, before)
    assert "\n".join(log).count('the text bank is left out: it was made with other weights') == 1
    assert torch.equal(encoder(NAMES).pooled, after)
    with pytest.raises(ValueError, match='does not fit this model: it was made with other weights .* write it again'):
        encoder.use_bank(TextBank.load(bank_file))
    encoder.text_model.final_layer_norm.weight[3] -= 1e-3
    encoder.half()
    with pytest.raises(ValueError, match=r'other weights of the text encoder \(float32\)'):
        encoder.use_bank(TextBank.load(bank_file))


@torch.no_grad()
def test_names_stand_in_a_template_and_expressions_do_not(tmp_path):
    plain, encoder = small(), small(template='a photo of a {}')
    words = [f'a photo of a {name}' for name in NAMES]
    torch.testing.assert_close(encoder(NAMES).tokens, plain(words).tokens)
    torch.testing.assert_close(encoder(NAMES, pad_to_max=True).tokens, plain(NAMES, pad_to_max=True).tokens)
    bank = encoder.make_bank(NAMES)
    assert bank.template == 'a photo of a {}' and list(bank.names) == words
    with pytest.raises(ValueError, match="made with the template 'a photo of a {}', the text encoder has '{}'"):
        plain.use_bank(bank)
    encoder.use_bank(bank)
    passes = passes_of(encoder)
    torch.testing.assert_close(encoder(NAMES).tokens, plain(words).tokens)
    assert not passes
    with pytest.raises(ValueError, match="template='a photo' without {}"):
        small(template='a photo')


def test_the_hash_is_that_of_the_values():
    values = [torch.arange(6.).view(2, 3), torch.ones(2, dtype=torch.float64)]
    digest = hashlib.sha256(b'torch.float32(2, 3)' + np.arange(6, dtype='<f4').tobytes()
                            + b'torch.float64(2,)' + np.ones(2).tobytes())
    assert hash_weights(values) == digest.hexdigest()
    assert hash_weights([values[0].t().contiguous().t(), values[1]]) == digest.hexdigest()  # wherever they lie


def test_other_files_are_refused(tmp_path, bank_file):
    torch.save(dict(names=NAMES), tmp_path / 'other.pt')
    with pytest.raises(ValueError, match='other.pt is no text bank: write it with GLEEInferencer.save_names'):
        small(text_bank=str(tmp_path / 'other.pt'))
    with pytest.raises(FileNotFoundError, match='none.pt'):
        TextBank.load(tmp_path / 'none.pt')
    with pytest.raises(ValueError, match='texts is empty'):
        small().make_bank()
    with pytest.raises(ValueError, match='text 1 of 2 is empty'):
        small().make_bank(['cat', ' '])
    assert TextBank.load(bank_file).dtype == 'float32'
