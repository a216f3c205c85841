"""Programs as forks of one process that has imported what all of them need.

Python with torch, mmdet and the project takes many seconds of a processor to start, a fork of it a few milliseconds.
A fork has arguments, folder, environment, outputs and exit status of its own, as a started program has; what it cannot
show is what an import does.
"""
import atexit
import gc
import json
import os
import random
import runpy
import signal
import socket
import subprocess
import sys
import threading
import traceback
from pathlib import Path

from paths import HELPERS, ROOT

# Stands in for python: hands over its arguments and outputs, waits for the exit status.
CLIENT = f"""#!{sys.executable} -SE
import json, os, socket, sys
server = socket.socket(socket.AF_UNIX)
server.connect(os.path.join(os.path.dirname(os.path.abspath(__file__)), 'socket'))
request = json.dumps(dict(arguments=sys.argv[1:], folder=os.getcwd(), environment=dict(os.environ))).encode()
socket.send_fds(server, [len(request).to_bytes(4, 'big')], [0, 1, 2])
server.sendall(request)
status = server.recv(1)
server.recv(1)  # nothing comes, but the end of the program
sys.exit(status[0] if status else 'the program was killed')
"""


class ForkServer:
    """The process to fork, and the file ``python`` that runs a program in a fork.

    Args:
        folder: where ``python`` and the socket are made.
    """

    def __init__(self, folder: Path) -> None:
        self.python = folder / 'python'
        self.python.write_text(CLIENT)
        self.python.chmod(0o755)
        environment = dict(os.environ, OMP_NUM_THREADS='1', PYTHONPATH=f'{ROOT}:{HELPERS}')
        self.process = subprocess.Popen([sys.executable, __file__, str(folder / 'socket')], cwd=ROOT, env=environment,
                                        stdout=subprocess.PIPE)
        # others print while they are imported
        assert any(line == b'ready\n' for line in self.process.stdout), 'the process to fork did not start'

    def start(self, script: str, *arguments, **environment: str) -> subprocess.Popen:
        """``python script arguments`` in the checkout, its output as text in pipes."""
        return subprocess.Popen([self.python, script, *map(str, arguments)], cwd=ROOT, text=True,
                                env=dict(os.environ, **environment), stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def run(self, script: str, *arguments, **environment: str) -> str:
        """What the program prints, when it has ended well.

        Raises:
            AssertionError: its exit status is not 0.
        """
        program = self.start(script, *arguments, **environment)
        out, errors = program.communicate()
        assert program.returncode == 0, out[-2000:] + errors[-2000:]
        return out

    def close(self) -> None:
        """Ends the process; programs that still run go on."""
        self.process.terminate()
        self.process.wait()
        self.process.stdout.close()


def serve(address: str) -> None:
    """Fork for every request until terminated."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(address)
    listener.listen()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for the forks
    gc.freeze()
    print('ready', flush=True)
    while True:
        connection, _ = listener.accept()
        if os.fork() == 0:
            listener.close()
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            connection.sendall(bytes([answer(connection)]))
            end()
        connection.close()


def answer(connection: socket.socket) -> int:
    """Run the program of a request in this process; its exit status."""
    length, outputs, _, _ = socket.recv_fds(connection, 4, 3)
    request = json.loads(connection.recv(int.from_bytes(length, 'big'), socket.MSG_WAITALL))
    for target, output in enumerate(outputs):
        os.dup2(output, target)
        os.close(output)
    # those of the process to fork may know that they write to a file, which these need not be
    sys.stdout = open(1, 'w', closefd=False)
    sys.stderr = open(2, 'w', buffering=1, errors='backslashreplace', closefd=False)
    os.chdir(request['folder'])
    os.environ.clear()
    os.environ.update(request['environment'])
    arguments = [argument for argument in request['arguments'] if argument != '-u']
    added = [path for path in request['environment'].get('PYTHONPATH', '').split(os.pathsep) if path]
    sys.path[:0] = [str(Path(arguments[0]).resolve().parent), *added]
    sys.argv = arguments
    random.seed()
    sys.modules['numpy'].random.seed()
    return run(arguments[0])


def end() -> None:
    """End this process as a program ends: its threads are waited for, what was registered happens, workers end.

    Python would then clear every module, which copies the memory that is shared with the process to fork: a second.
    """
    threading._shutdown()
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


def run(script: str) -> int:
    """Run a script as python does: what SystemExit says is the status or a message, other errors have a traceback."""
    try:
        runpy.run_path(script, run_name='__main__')
    except SystemExit as end:
        if isinstance(end.code, str):
            print(end.code, file=sys.stderr)
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        traceback.print_exc()
        return 1
    return 0


if __name__ == '__main__':
    import mmdet.datasets  # noqa: F401
    import mmdet.evaluation  # noqa: F401
    import mmdet.models  # noqa: F401
    from plain_configs import plain_config_text

    import projects.glee  # noqa: F401
    plain_config_text()
    serve(sys.argv[1])
