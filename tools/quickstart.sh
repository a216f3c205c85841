#!/usr/bin/env bash
# From a fresh clone to a trained and tested small GLEE, in work_dirs/quickstart/.
#
# Examples:
#     bash tools/quickstart.sh            # at most 12 minutes of training on 2 cores
#     bash tools/quickstart.sh --full     # at most 45 minutes of training, the numbers of the README
#     bash tools/quickstart.sh --smoke    # every step in two minutes, learns nothing
#
# Makes .venv, writes the synthetic world data/miniworld, trains configs/glee/glee_mini_stage2.py and
# tests detection, segmentation, long-tailed and referring data. It leaves glee_mini.pth, pictures of
# predictions beside ground truth, results.md and results.json. Run it again to continue where it
# stopped. A quick run never overwrites the results of a full one.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

mode=quick
case "${1:-}" in
    '') ;;
    --full) mode=full ;;
    --smoke) mode=smoke ;;
    --help) sed -n '2,/^set/{/^set/d; s/^# \{0,1\}//; p}' tools/quickstart.sh; exit ;;
    *) echo "unknown option $1; see bash tools/quickstart.sh --help" >&2; exit 2 ;;
esac
shift $(( $# > 0 ))
work=${1:-work_dirs/quickstart}  # another folder, for tests

if [ -z "${GLEE_PYTHON:-}" ]; then
    bash tools/setup_env.sh
    GLEE_PYTHON=.venv/bin/python
fi

case $mode in
    quick) images=2000; iterations=2500 ;;
    full) images=2000; iterations=9500 ;;
    smoke) images=16; iterations=10 ;;
esac
data=data/miniworld
[ $mode = smoke ] && data=$work/miniworld
run=$work/$mode

"$GLEE_PYTHON" tools/dataset_converters/make_miniworld.py --out "$data" --images $images --seed 0
if [ ! -f "$run/train/iter_$iterations.pth" ]; then
    "$GLEE_PYTHON" tools/train.py configs/glee/glee_mini_stage2.py --work-dir "$run/train" --resume \
        --cfg-options data_root="$data/" max_iters=$iterations warmup_iters=$(( iterations > 1000 ? 100 : 5 ))
fi
for benchmark in coco lvis refcoco; do
    if [ ! -f "$run/test_$benchmark/done" ]; then
        "$GLEE_PYTHON" tools/test.py "configs/glee/glee_mini_$benchmark.py" \
            "$run/train/iter_$iterations.pth" --work-dir "$run/test_$benchmark" --show-dir pictures \
            --cfg-options data_root="$data/" default_hooks.visualization.interval=8
        touch "$run/test_$benchmark/done"
    fi
done
"$GLEE_PYTHON" tools/analysis_tools/quickstart_report.py "$run" "$work" --mode $mode
