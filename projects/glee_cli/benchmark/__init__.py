"""Named suites of test configs over one checkpoint: what is in them, runs that go on, tables beside the paper."""
from .expected import expected_numbers
from .suite import SIZES, SUITES, Benchmark, read_benchmarks, select

__all__ = ['SIZES', 'SUITES', 'Benchmark', 'expected_numbers', 'read_benchmarks', 'select']
