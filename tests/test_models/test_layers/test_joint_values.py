"""The memory projected for all decoder layers by one product: the numbers and gradients of one product each."""
import torch

from projects.glee.models.layers import MaskDINODecoder
from projects.glee.models.layers.deformable_attention import DeformableAttention, project_values


def test_each_layer_gets_its_value():
    torch.manual_seed(0)
    layers = [DeformableAttention(16, 2, 2, 2).double() for _ in range(3)]
    memory = torch.randn(2, 7, 16, dtype=torch.float64)
    found = project_values(memory, layers)
    assert found.shape == (3, 2, 7, 16)
    for value, layer in zip(found, layers):
        expected = memory @ layer.value_proj.weight.T + layer.value_proj.bias
        torch.testing.assert_close(value, expected, rtol=0, atol=1e-14)


def test_the_decoder_gives_the_same_numbers():
    torch.manual_seed(0)
    decoder = MaskDINODecoder(3, 16, 2, 2, 2, 32)
    decoder.init_weights()
    # weights that differ between layers, and a bias that is not zero
    for parameter in decoder.parameters():
        parameter.data += 0.1 * torch.randn_like(parameter)
    head = torch.nn.Linear(16, 4)
    query = torch.randn(3, 5, 16, requires_grad=True)
    references, sizes = torch.rand(3, 5, 4) * 0.5 + 0.2, [(2, 2), (4, 4)]
    for batch in (3, 1):  # one memory that all members of the batch read, too
        memory, found = torch.randn(batch, 20, 16, requires_grad=True), []
        for decoder.joint_values in (False, True):
            out = decoder(query, references, memory, sizes, head).hidden[-1]
            leaves = [query, memory, *(layer.cross_attn.value_proj.weight for layer in decoder.layers)]
            found.append((out, *torch.autograd.grad(out.square().sum(), leaves)))
        for plain, joint in zip(*found):
            torch.testing.assert_close(joint, plain, rtol=1e-4, atol=1e-5)
