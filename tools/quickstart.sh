#!/usr/bin/env bash
# From a fresh clone to a trained and tested small GLEE, in work_dirs/quickstart/.
#
# Examples:
#     bash tools/quickstart.sh            # trains about 12 minutes on 2 cores
#     bash tools/quickstart.sh --full     # trains 42 to 54 minutes
#     bash tools/quickstart.sh --smoke    # every step in two minutes, learns nothing
#
# Makes .venv, writes the synthetic world data/miniworld, trains configs/glee/glee_mini_stage2.py and tests
# detection, segmentation, long-tailed names, expressions, visual prompts and panoptic output.
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
    quick) images=2000; val=400; prompted=40; iterations=1660; prompts=0.2; warmup=60 ;;
    full) images=2000; val=400; prompted=40; iterations=6000; prompts=0.4; warmup=60 ;;
    smoke) images=16; val=8; prompted=1; iterations=8; prompts=0.4; warmup=4 ;;
esac
data=data/miniworld
[ $mode = smoke ] && data=$work/miniworld
run=$work/$mode

"$GLEE_PYTHON" tools/dataset_converters/make_miniworld.py --out "$data" --images $images --val-images $val --seed 0
"$GLEE_PYTHON" tools/dataset_converters/coco_to_maps.py "$data" --layout panoptic --split val2017

if [ ! -f "$run/train/iter_$iterations.pth" ]; then
    resume=()
    if [ -f "$run/train/last_checkpoint" ]; then resume=(--resume); fi
    "$GLEE_PYTHON" tools/train.py configs/glee/glee_mini_stage2.py --work-dir "$run/train" "${resume[@]}" \
        --cfg-options data_root="$data/" max_iters=$iterations prompt_prob=$prompts warmup_iters=$warmup \
        default_hooks.checkpoint.interval=500
fi
for benchmark in coco lvis refcoco panoptic interactive; do
    options=()
    case $benchmark in
        coco|lvis|refcoco) options=(--show-dir pictures) ;;
        interactive) options=(test_dataloader.dataset.indices=$prompted) ;;
    esac
    if [ ! -f "$run/test_$benchmark/done" ]; then
        "$GLEE_PYTHON" tools/test.py "configs/glee/glee_mini_$benchmark.py" \
            "$run/train/iter_$iterations.pth" --work-dir "$run/test_$benchmark" \
            --cfg-options data_root="$data/" default_hooks.visualization.interval=8 "${options[@]}"
        touch "$run/test_$benchmark/done"
    fi
done
"$GLEE_PYTHON" tools/analysis_tools/quickstart_report.py "$run" "$work" --mode $mode
