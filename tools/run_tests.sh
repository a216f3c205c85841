#!/usr/bin/env bash
# Make the environment if needed (tools/setup_env.sh), then check the style and run the tests.
#
# Examples:
#     bash tools/run_tests.sh
#     bash tools/run_tests.sh -m 'not slow' tests/test_models
#
# Arguments go to pytest. Two processes of one thread each run different files: on two cores that is the fastest.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
if [ "${1:-}" = --help ]; then
    sed -n '2,/^set/{/^set/d; s/^# \{0,1\}//; p}' tools/run_tests.sh
    exit
fi
bash tools/setup_env.sh
.venv/bin/ruff check .
export OMP_NUM_THREADS="${OMP_NUM_THREADS:-1}"
.venv/bin/python -m pytest -n 2 --dist loadfile "$@"
