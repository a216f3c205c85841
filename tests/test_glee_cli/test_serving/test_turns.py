"""Turns at the model come in the order in which they were asked for, one step at a time."""
import threading

from projects.glee_cli.serving.turns import Turns


def wait_for(turns, count):
    """Until so many are in line."""
    while len(turns._line) < count:
        pass


def test_first_come_first_served():
    turns, order = Turns(), []

    def ask(number):
        with turns:
            order.append(number)

    threads = [threading.Thread(target=ask, args=(number, )) for number in range(5)]
    with turns:
        for number, thread in enumerate(threads):
            thread.start()
            wait_for(turns, number + 2)
        assert order == []
    for thread in threads:
        thread.join()
    assert order == [0, 1, 2, 3, 4]


def test_others_come_in_between_two_steps():
    """Whoever asks during step 2 of a long work gets the turn before step 3."""
    turns, order = Turns(), []

    def ask():
        with turns:
            order.append('other')

    def steps():
        for number in range(4):
            if number == 2:
                other.start()
                wait_for(turns, 2)
            order.append(number)
            yield number

    other = threading.Thread(target=ask)
    assert list(turns.each(steps())) == [0, 1, 2, 3]
    other.join()
    assert order == [0, 1, 2, 'other', 3]


def test_a_step_that_fails_gives_the_turn_back():
    turns = Turns()

    def steps():
        yield 1
        raise ValueError('no')

    try:
        list(turns.each(steps()))
    except ValueError:
        pass
    with turns:
        assert len(turns._line) == 1
