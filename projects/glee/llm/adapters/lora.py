"""LoRA and trained rows of new tokens, through peft."""
from typing import Sequence

from torch import nn


def with_lora(core: nn.Module, modules: str, settings: dict, input_rows: Sequence[int],
              output_rows: Sequence[int]) -> nn.Module:
    """A frozen transformers model with LoRA, of which some rows of the embeddings are trained, too.

    Args:
        core (nn.Module): the model.
        modules (str): regular expression of the whole names of the linear layers that get LoRA.
        settings (dict): ``r``, ``alpha``, ``dropout``.
        input_rows, output_rows (Sequence[int]): tokens whose input and output embeddings are trained; the others stay.

    Raises:
        ImportError: peft is not installed.
        KeyError: a setting is unknown.
    """
    try:
        from peft import LoraConfig, get_peft_model
    except ImportError as error:
        raise ImportError('the language model needs peft: pip install -r requirements/llm.txt') from error
    settings = dict(dict(r=8, alpha=16, dropout=0.05), **settings)
    unknown = settings.keys() - {'r', 'alpha', 'dropout'}
    if unknown:
        raise KeyError(f'language_model.lora: unknown {sorted(unknown)}, choose from r, alpha, dropout')
    names = {id(module): name for name, module in core.named_modules()}
    inputs, outputs = core.get_input_embeddings(), core.get_output_embeddings()
    rows = {names[id(inputs)]: list(input_rows)}
    if outputs.weight is not inputs.weight:
        rows[names[id(outputs)]] = list(output_rows)
    return get_peft_model(core, LoraConfig(
        r=settings['r'], lora_alpha=settings['alpha'], lora_dropout=settings['dropout'], target_modules=modules,
        trainable_token_indices=rows))
