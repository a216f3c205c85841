#!/usr/bin/env bash
# Make the environment .venv of this checkout; when it is up to date, do nothing.
#
# Example:
#     bash tools/setup_env.sh && .venv/bin/python tools/train.py --help
#
# Python 3.11 is taken from the variable PYTHON or found as python3.11 or python3. mmcv is taken
# as a wheel where pip finds one (for instance in a folder of PIP_FIND_LINKS), else built once,
# which needs a C++ compiler.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
if [ "${1:-}" = --help ]; then
    sed -n '2,/^set/{/^set/d; s/^# \{0,1\}//; p}' tools/setup_env.sh
    exit
fi

stamp=.venv/installed.sha256
wanted=$(cat requirements/*.txt setup.cfg pyproject.toml tools/setup_env.sh | sha256sum)
if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$wanted" ]; then
    exit
fi

is_311() { "$1" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' 2>/dev/null; }
if [ ! -x .venv/bin/python ]; then
    for python in ${PYTHON:-python3.11 python3}; do
        if is_311 "$python"; then break; fi
        python=
    done
    if [ -z "$python" ]; then
        echo 'Python 3.11 was not found. Install it, or name it:' >&2
        echo '    PYTHON=/path/to/python3.11 bash tools/setup_env.sh' >&2
        exit 1
    fi
    "$python" -m venv .venv
fi

install() {
    .venv/bin/python -m pip install --quiet --disable-pip-version-check \
        --constraint requirements/constraints.txt "$@"
}
echo 'installing into .venv'
install -r requirements/build.txt
if ! install --only-binary onedl-mmcv -r requirements/mmcv.txt 2>/dev/null; then
    echo 'building mmcv once, about 10 minutes on 2 cores'
    install --no-build-isolation -r requirements/mmcv.txt
fi
install -r requirements/runtime.txt -r requirements/tests.txt -r requirements/converters.txt -r requirements/demo.txt \
    -r requirements/supervision.txt -r requirements/docs.txt -r requirements/scale.txt -r requirements/imagenet.txt \
    -r requirements/serve.txt -r requirements/export.txt
install --no-deps -r requirements/no_deps.txt
# peft stands apart: transformers, which mmengine imports, imports it wherever it is found.
# Trainings with LoRA take PYTHONPATH=.venv/extras/llm
install --upgrade --no-deps --target .venv/extras/llm peft accelerate
.venv/bin/python -m pip uninstall --quiet --disable-pip-version-check --yes peft 2>/dev/null
install --no-deps --no-build-isolation --editable .
echo "$wanted" > "$stamp"
