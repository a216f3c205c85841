"""What the console shows of a log, and what only its file has."""
import logging

import pytest
from mmengine.logging import MMLogger, print_log

from projects.glee.engine.runner.short_log_processor import loss_terms
from projects.glee.utils.console import LogLine, quieten, tables_only, without_chatter


@pytest.fixture
def open_logger(tmp_path, request):
    """Makes the logger within the test, whose output is another one than that of its fixtures."""
    def open_logger():
        logger = MMLogger.get_instance(request.node.name, log_file=str(tmp_path / 'all.log'))
        quieten(logger)
        return logger

    yield open_logger
    MMLogger._instance_dict.pop(request.node.name)


def say_from(module, logger, text, level=logging.INFO):
    """A line as ``module`` would write it."""
    exec('print_log(text, logger, level)', dict(__name__=module, print_log=print_log, text=text, logger=logger,
                                                level=level))


def test_the_file_has_all_and_the_console_what_happens(open_logger, tmp_path, capsys):
    logger = open_logger()
    for module, text in (('mmengine.runner.runner', 'Config: ...'), ('mmengine.optim', 'paramwise_options -- x'),
                         ('mmengine.hooks.logger_hook', 'Exp name: x'), ('mmengine.hooks.logger_hook', 'Iter [1/2]'),
                         ('mmengine.hooks.checkpoint_hook', 'Saving'), ('projects.glee.x', 'ours'),
                         ('mmdet.evaluation', 'a table'), ('mmdet.evaluation', 'bbox_mAP_copypaste: 1')):
        say_from(module, logger, text)
    say_from('mmengine.fileio', logger, '"FileClient" will be deprecated in future.', logging.WARNING)
    say_from('mmengine.runner', logger, 'look', logging.WARNING)
    logger.info(LogLine('long line', 'short'))
    logger.info(LogLine('for the file alone', ''))
    shown = [line.split(' ', 1)[1] for line in capsys.readouterr().out.splitlines()]
    assert shown == ['Iter [1/2]', 'Saving', 'ours', 'a table', 'warning: look', 'short']
    written = (tmp_path / 'all.log').read_text()
    for text in ('Config: ...', 'paramwise', 'Exp name', 'FileClient', 'long line', 'for the file alone', 'copypaste'):
        assert text in written
    assert 'INFO - short' not in written


def test_debugging_shows_all(tmp_path, capsys):
    logger = MMLogger.get_instance('debugged', log_level='DEBUG')
    quieten(logger)
    say_from('mmengine.runner.runner', logger, 'Config: ...')
    MMLogger._instance_dict.pop('debugged')
    assert 'Config: ...' in capsys.readouterr().out


def test_terms_are_means_over_layers():
    values = {'lr': 1., 'loss': 12., 'd0.loss_cls': 1., 'loss_cls': 2., 'dn.d0.loss_cls': 6., 'loss_mask': 4.,
              'loss_idle': 0., 'grad_norm': 9., 'enc.loss_mask': 2.}
    assert loss_terms(values) == dict(loss=12., cls=3., mask=3.)


def test_of_pycocotools_the_tables_are_shown(open_logger, capsys, monkeypatch, tmp_path):
    logger = open_logger()
    monkeypatch.setattr(MMLogger, 'get_current_instance', lambda: logger)
    with tables_only():
        print('creating index...')
    with pytest.raises(ValueError), tables_only():
        print('DONE (t=0.1s)\nEvaluate annotation type *bbox*\n Average Precision = 0.5')
        raise ValueError
    shown = capsys.readouterr().out
    assert 'Average Precision = 0.5' in shown and '*bbox*' in shown and 'DONE' not in shown and 'index' not in shown
    assert 'DONE (t=0.1s)' in (tmp_path / 'all.log').read_text()


def test_what_pycocotools_says_while_it_reads_is_left_out(capsys):
    with without_chatter():
        print('loading annotations into memory...\nDone (t=0.00s)')
        print('ours')
        print('creating index...\nindex created!')
        print('no end', end='')
    assert capsys.readouterr().out == 'ours\nno end'
