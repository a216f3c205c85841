"""Windows of frames, in order and shared by ranks."""
import pytest
from logs import captured_log

from projects.glee.datasets.samplers import WindowSampler


class Lengths:
    """Stands for a data set of videos of some lengths."""

    def __init__(self, lengths):
        self.lengths = lengths

    def __len__(self):
        return len(self.lengths)

    def get_data_info(self, index):
        return dict(video_id=index + 10, video_length=self.lengths[index])


def test_windows_cover_every_frame_once_in_order(tmp_path):
    """Last windows are shorter; finished videos are left out."""
    sampler = WindowSampler(Lengths([5, 2, 4]), window=2)
    assert list(sampler) == [(0, 0, 2), (0, 2, 4), (0, 4, 5), (1, 0, 2), (2, 0, 2), (2, 2, 4)]
    assert len(sampler) == 6
    (tmp_path / '11.json').write_text('{}')
    with captured_log() as messages:
        resumed = WindowSampler(Lengths([5, 2, 4]), window=10, resume_dir=str(tmp_path))
    assert list(resumed) == [(0, 0, 5), (2, 0, 4)] and '1 of 3 videos' in messages[0]
    with pytest.raises(ValueError, match='window >= 1'):
        WindowSampler(Lengths([1]), window=0)


def test_ranks_share_whole_videos(monkeypatch):
    """Every video goes to one rank, and the ranks get about as many frames."""
    dealt = []
    for rank in range(2):
        monkeypatch.setattr('projects.glee.datasets.samplers.window_sampler.get_dist_info', lambda rank=rank: (rank, 2))
        dealt.append(WindowSampler(Lengths([9, 1, 4, 6]), window=3))
    assert sorted(dealt[0].videos + dealt[1].videos) == [0, 1, 2, 3]
    frames = [sum(s.lengths[v] for v in s.videos) for s in dealt]
    assert frames == [10, 10]
