#!/usr/bin/env bash
# From a fresh clone to a trained and tested small GLEE, in work_dirs/quickstart/.
#
# Examples:
#     bash tools/quickstart.sh            # short; meant to train 12 minutes on 2 cores
#     bash tools/quickstart.sh --full     # long; meant to train 45 minutes, not yet measured
#     bash tools/quickstart.sh --smoke    # every step in two minutes, learns nothing
#
# Makes .venv, writes the synthetic world data/miniworld, trains configs/glee/glee_mini_stage0.py (names)
# and glee_mini_stage2.py (everything) and tests detection, segmentation, long-tailed and referring data.
# It leaves glee_mini.pth, pictures of predictions beside ground truth, results.md, losses.md and
# results.json. Run it again to continue where it stopped. A quick run never overwrites the results of a full one.
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
    quick) images=2000; val=400; naming=1200; iterations=1600; warmup=100 ;;
    full) images=2000; val=400; naming=3000; iterations=6800; warmup=100 ;;
    smoke) images=16; val=8; naming=8; iterations=8; warmup=4 ;;
esac
data=data/miniworld
[ $mode = smoke ] && data=$work/miniworld
run=$work/$mode

"$GLEE_PYTHON" tools/dataset_converters/make_miniworld.py --out "$data" --images $images --val-images $val --seed 0
train() {  # config, folder, iterations
    if [ -f "$run/$2/iter_$3.pth" ]; then return; fi
    local start=()
    if [ -f "$run/$2/last_checkpoint" ]; then start=(--resume); fi
    "$GLEE_PYTHON" tools/train.py "configs/glee/$1.py" --work-dir "$run/$2" "${start[@]}" --cfg-options \
        data_root="$data/" max_iters="$3" warmup_iters=$warmup default_hooks.checkpoint.interval=500 \
        "${options[@]}"
}
options=()
train glee_mini_stage0 naming $naming
if [ ! -f "$run/train/last_checkpoint" ]; then
    options=(load_from="$run/naming/iter_$naming.pth")
fi
train glee_mini_stage2 train $iterations
for benchmark in coco lvis refcoco; do
    if [ ! -f "$run/test_$benchmark/done" ]; then
        "$GLEE_PYTHON" tools/test.py "configs/glee/glee_mini_$benchmark.py" \
            "$run/train/iter_$iterations.pth" --work-dir "$run/test_$benchmark" --show-dir pictures \
            --cfg-options data_root="$data/" default_hooks.visualization.interval=8
        touch "$run/test_$benchmark/done"
    fi
done
"$GLEE_PYTHON" tools/analysis_tools/quickstart_report.py "$run" "$work" --mode $mode
