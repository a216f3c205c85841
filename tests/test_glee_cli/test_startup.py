"""What programs set at their start."""
import os
import platform
import subprocess
import sys

import pytest
from paths import ROOT

CODE = '''
import resource
from projects.glee_cli.startup import keep_freed_memory
print(keep_freed_memory())
bytearray(2**26)
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
bytearray(2**26)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
'''


@pytest.mark.skipif(platform.libc_ver()[0] != 'glibc', reason='a setting of glibc')
@pytest.mark.parametrize('own', [{}, dict(MALLOC_TRIM_THRESHOLD_='131072'),
                                 dict(GLIBC_TUNABLES='glibc.malloc.perturb=0')])
def test_freed_memory_is_used_again_unless_the_user_has_set_it(own):
    environment = {name: value for name, value in os.environ.items() if not name.startswith(('MALLOC_', 'GLIBC_'))}
    done = subprocess.run([sys.executable, '-c', CODE], cwd=ROOT, env=dict(environment, **own), text=True,
                          capture_output=True, check=True)
    was_set, faults = done.stdout.split()
    # 64 MiB are 32 large pages at least
    assert (was_set == 'True', int(faults) < 16) == ((True, True) if not own else (False, False))
