#!/usr/bin/env bash
# Train the models that ship, from ImageNet's weights to the files of the package:
#
#   FASHIONAI_ROOT=… tools/reference_model.sh [FOLDER]
#
# FOLDER (work_dirs/reference by default) holds checkpoints and logs. A step that was interrupted goes
# on from its last epoch, one that is done is not repeated, so the same command continues until all
# is done: some hours on two CPU cores.
set -euo pipefail
cd "$(dirname "$0")/.."
: "${FASHIONAI_ROOT:?set it to the folder of the FashionAI data}"
work=${1:-work_dirs/reference}
python=${PYTHON:-python}
mkdir -p "$work"

# train CONFIG EPOCHS [START]: START's weights are where it begins, ImageNet's without.
train() {
  local config=$1 epochs=$2 start=${3:-}
  local folder=$work/$config
  if [ -e "$folder/done" ]; then
    echo "$config: done"
    return
  fi
  local options=()
  [ -z "$start" ] || options=(--cfg-options "load_from=$start")
  MAX_EPOCHS=$epochs "$python" tools/train.py "configs/$config.py" --amp --resume \
    --work-dir "$folder" "${options[@]}"
  touch "$folder/done"
}

last() { echo "$work/$1/epoch_$2.pth"; }

train heatmap_lite2_fashion 30
train heatmap_lite2_256_fashion 26 "$(last heatmap_lite2_fashion 30)"
train heatmap_lite2_320_fashion 12 "$(last heatmap_lite2_256_fashion 26)"
train rtmdet_lite0_fashion 12

# publish CONFIG EPOCHS NAME: the last epoch, so that no picture chooses one.
publish() {
  local config=configs/$1.py weights=weights/$1.pth
  "$python" -m fashionkp_mm publish "$config" "$(last "$1" "$2")" "$weights"
  "$python" -m fashionkp_mm export --half "$config" "$weights" "fashionkp_mm/models/$3.onnx"
}

publish heatmap_lite2_320_fashion 12 pose
publish rtmdet_lite0_fashion 12 detector
"$python" benchmarks/category_temperature.py
# What intervals of lengths come from belongs to one file of a model alone.
"$python" benchmarks/pose_errors.py
