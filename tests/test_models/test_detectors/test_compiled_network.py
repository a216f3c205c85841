"""Backbone, pixel decoder and decoder compile without a break of the graph, and give the same numbers."""
import pytest
import torch
from config_runs import load

from projects.glee.apis import GLEEInferencer
from projects.glee.models.detectors.compiled_network import compile_network
from projects.glee_cli.speed.jobs import JOBS, Setting


def test_each_part_is_one_graph(tmp_path):
    torch._dynamo.reset()
    torch.manual_seed(0)
    glee = GLEEInferencer(load('glee_mini_coco', tmp_path), device='cpu')
    glee.model.init_weights()
    names = [name for name, _ in glee.model.named_parameters()]
    call = JOBS['image'](glee, Setting((64, 96), 5))
    expected = call()[0].pred_instances.clone()
    graphs = []

    def backend(graph, inputs):
        graphs.append([str(node.target) for node in graph.graph.nodes])
        return graph

    compile_network(glee.model, backend=backend)
    found = call()[0].pred_instances  # fullgraph: a break raises
    call()
    assert len(graphs) == 3  # and the second call compiles nothing
    operators = [sum('deformable_attention' in target for target in graph) for graph in graphs]
    head = glee.model.panoptic_head
    assert operators == [0, len(head.pixel_decoder.layers), len(head.decoder.layers)]
    for name in ('scores', 'bboxes'):
        torch.testing.assert_close(found[name], expected[name], rtol=1e-5, atol=1e-4)
    assert [name for name, _ in glee.model.named_parameters()] == names


def test_an_unknown_mode_is_named():
    with pytest.raises(ValueError, match="'fast' is unknown; choose from"):
        compile_network(torch.nn.Module(), 'fast')
