"""Which of several processes this is, and how its runs find those of the others."""
import os
from typing import NamedTuple

_RANKS = dict(pytorch=('RANK', 'WORLD_SIZE'), slurm=('SLURM_PROCID', 'SLURM_NTASKS'),
              mpi=('OMPI_COMM_WORLD_RANK', 'OMPI_COMM_WORLD_SIZE'))
_FIRST_PORT = 29500  # mmengine's


class Processes(NamedTuple):
    """``launcher``: none, pytorch, slurm or mpi; ``rank`` of ``size`` processes."""
    launcher: str
    rank: int = 0
    size: int = 1

    @classmethod
    def of_launcher(cls, launcher: str) -> 'Processes':
        """As the launcher's environment variables say.

        Raises:
            ValueError: they are not there.
        """
        if launcher == 'none':
            return cls(launcher)
        names = _RANKS[launcher]
        missing = [name for name in names if name not in os.environ]
        if missing:
            raise ValueError(f'--launcher {launcher}: {missing[0]} is not set; start the program with '
                             f'{dict(pytorch="torchrun", slurm="srun", mpi="mpirun")[launcher]}')
        return cls(launcher, *(int(os.environ[name]) for name in names))

    def environment(self, number: int) -> dict[str, str]:
        """Variables of the run number ``number``: each meets at a port of its own, since torchrun's own store remembers
        the runs before."""
        if self.launcher == 'none':
            return dict(os.environ)
        kept = {name: value for name, value in os.environ.items() if not name.startswith('TORCHELASTIC_')}
        return dict(kept, MASTER_PORT=str(int(os.environ.get('MASTER_PORT', _FIRST_PORT)) + 1 + number))
