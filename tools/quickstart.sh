#!/usr/bin/env bash
# From a fresh clone to a trained and tested small GLEE, in work_dirs/quickstart/.
#
# Examples:
#     bash tools/quickstart.sh            # trains about 12 minutes on 2 cores
#     bash tools/quickstart.sh --full     # trains about 43 minutes, then 12 on clicks and 10 on videos
#     bash tools/quickstart.sh --smoke    # every step, in two minutes, learns nothing
#     bash tools/quickstart.sh --full --seed 1 work_dirs/seed1   # other random numbers, another folder
#
# Makes .venv, writes the synthetic world data/miniworld, trains configs/glee/mini/glee_mini_stage2.py and tests
# detection, segmentation, long-tailed names, expressions, visual prompts and panoptic output. --full goes on with
# rounds of clicks (glee_mini_rollout.py) and clips (glee_mini_clips.py, data/miniworld_videos) and their tests.
# It leaves glee_mini.pth, pictures of predictions beside ground truth, results.md, losses.md and
# results.json. Run it again to continue where it stopped. A quick run never overwrites the results of a full one.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

mode=quick seed=0 work=work_dirs/quickstart
while [ $# -gt 0 ]; do
    case $1 in
        --full) mode=full ;;
        --smoke) mode=smoke ;;
        --seed) seed=${2:?--seed needs a number}; shift ;;
        --help) sed -n '2,/^set/{/^set/d; s/^# \{0,1\}//; p}' tools/quickstart.sh; exit ;;
        -*) echo "unknown option $1; see bash tools/quickstart.sh --help" >&2; exit 2 ;;
        *) work=$1 ;;
    esac
    shift
done

export OMP_WAIT_POLICY="${OMP_WAIT_POLICY:-PASSIVE}"  # docs/training.md
if [ -z "${GLEE_PYTHON:-}" ]; then
    bash tools/setup_env.sh
    GLEE_PYTHON=.venv/bin/python
fi

# Draws: COCO, LVIS, Objects365, RefCOCO, RefCOCO+, RefCOCOg. A short run learns names first.
ratios=(train_dataloader.sampler.ratios=[4,1,0.5,0.3,0.3,0.3])
before=(ytvis ovis) after=(ytvis ovis vos rvos tao burst)
images=2000 val=400 prompted=40 videos=400 val_videos=60 warm=60
case $mode in
    quick) iterations=1700; prompts=0.2 ;;
    full) iterations=8000; prompts=0.4; ratios=(); rounds=1400; clips=2000; ways=600 ;;
    smoke) images=16 val=8 prompted=1 videos=4 val_videos=4 warm=1
           iterations=8; prompts=0.4; rounds=2; clips=2; ways=2; before=(); after=(vos) ;;
esac
data=data/miniworld
[ $mode = smoke ] && data=$work/miniworld
films=${data}_videos
run=$work/$mode

train() {  # folder, config, iterations, options
    local folder=$run/$1 config=$2 iterations=$3
    shift 3
    [ -f "$folder/iter_$iterations.pth" ] && return
    "$GLEE_PYTHON" tools/train.py "configs/glee/mini/$config.py" --work-dir "$folder" --resume --cfg-options \
        max_iters="$iterations" default_hooks.checkpoint.interval=500 randomness.seed="$seed" \
        train_dataloader.sampler.seed="$seed" "$@"
}

evaluate() {  # folder, config, checkpoint, options of tools/test.py that end with --cfg-options
    local folder=$run/test_$1 config=$2 checkpoint=$3 made tested
    shift 3
    made=$(stat -c %Y "$checkpoint")
    tested="$checkpoint $made $*"
    [ "$(cat "$folder/done" 2>/dev/null)" = "$tested" ] && return
    case $config in
        *_coco | *_lvis | *_refcoco | *_panoptic) ;;  # short tests start again
        *) set -- "$@" resume_dir="$folder/finished_$made" ;;
    esac
    "$GLEE_PYTHON" tools/test.py "configs/glee/mini/$config.py" "$checkpoint" --work-dir "$folder" "$@"
    echo "$tested" > "$folder/done"
}

film() {
    "$GLEE_PYTHON" tools/dataset_converters/make_miniworld.py --out "$films" --images $images --val-images 8 \
        --videos $videos --val-videos $val_videos --sources coco ytvis19 ovis ytvos ref_ytvos davis tao_burst --seed 0
}

test_images() {
    for benchmark in coco lvis refcoco; do
        evaluate $benchmark glee_mini_$benchmark "$model" --show-dir pictures --cfg-options data_root="$data/" \
            default_hooks.visualization.interval=8
    done
    evaluate panoptic glee_mini_panoptic "$model" --cfg-options data_root="$data/"
    evaluate interactive glee_mini_interactive "$model" --cfg-options data_root="$data/" \
        test_dataloader.dataset.indices=$prompted
}

learn_clicks() {
    train rollout glee_mini_rollout $rounds data_root="$data/" load_from="$model" warmup_iters=$warm
    evaluate memory glee_mini_interactive_memory "$run/rollout/iter_$rounds.pth" --cfg-options \
        data_root="$data/" test_dataloader.dataset.indices=$prompted
    [ $mode = full ] || return 0
    # The same clicks, points no longer obeyed; then without memory and negative clicks, too.
    local disobeyed=(data_root="$data/" test_dataloader.dataset.indices=$prompted test_cfg.predictor.carve_radius=0)
    evaluate tokens glee_mini_interactive_memory "$run/rollout/iter_$rounds.pth" --cfg-options "${disobeyed[@]}"
    evaluate forgetful glee_mini_interactive_memory "$run/rollout/iter_$rounds.pth" --cfg-options \
        "${disobeyed[@]}" test_cfg.predictor.history=none model.panoptic_head.prompter.negative_tokens=False \
        model.panoptic_head.composer.neg_weight=0
}

learn_videos() {
    local tuned=$run/clips/iter_$clips.pth
    train clips glee_mini_clips $clips data_root="$films/" load_from="$model" warmup_iters=$warm
    for benchmark in "${before[@]}"; do
        evaluate $benchmark glee_mini_$benchmark "$model" --cfg-options data_root="$films/"
    done
    for benchmark in "${after[@]}"; do
        evaluate ${benchmark}_finetuned glee_mini_$benchmark "$tuned" --cfg-options data_root="$films/"
    done
    if [ $mode = full ]; then
        occluded=test_dataloader.dataset.ann_file=annotations_valid_occlusion.json
        evaluate ovis_occlusion glee_mini_ovis "$model" --cfg-options data_root="$films/" $occluded
        evaluate ovis_occlusion_finetuned glee_mini_ovis "$tuned" --cfg-options data_root="$films/" $occluded
    fi
    train trajectories glee_mini_trajectories $ways data_root="$films/" load_from="$tuned"
    evaluate rvos_trajectories glee_mini_rvos_trajectories "$run/trajectories/iter_$ways.pth" --cfg-options \
        data_root="$films/"
}

# Of a smoke run, starting the programs takes most of the time: several at once, on one thread each.
if [ $mode = smoke ]; then
    export OMP_NUM_THREADS=1
    film & filming=$!
fi
"$GLEE_PYTHON" tools/dataset_converters/make_miniworld.py --out "$data" --images $images --val-images $val --seed 0
"$GLEE_PYTHON" tools/dataset_converters/coco_to_maps.py "$data" --layout panoptic --split val2017
train train glee_mini_stage2 $iterations data_root="$data/" prompt_prob=$prompts warmup_iters=$warm "${ratios[@]}"
model=$run/train/iter_$iterations.pth
case $mode in
    quick) test_images ;;
    full) test_images; learn_clicks; film; learn_videos ;;
    smoke)
        wait $filming
        test_images & learn_clicks & learn_videos &
        for job in $(jobs -p); do wait "$job"; done ;;
esac
"$GLEE_PYTHON" tools/analysis_tools/quickstart_report.py "$run" "$work" --mode $mode
