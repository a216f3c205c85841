"""Whether a port can be had."""
import socket


def need_port(port: int, host: str = '127.0.0.1') -> None:
    """To be asked before a model is built.

    Raises:
        ValueError: another program has it, or it is no port or address of this machine.
    """
    if not 0 < port < 65536:
        raise ValueError(f'--port {port} is no port number, 1 to 65535')
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise ValueError(f'port {port} of {host} is not free: choose another one with --port') from error
