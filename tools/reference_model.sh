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

# train CONFIG EPOCHS [KEY=VALUE ...]: the values go to --cfg-options.
train() {
  local config=$1 epochs=$2
  shift 2
  local folder=$work/$config
  if [ -e "$folder/done" ]; then
    echo "$config: done"
    return
  fi
  local options=()
  [ $# = 0 ] || options=(--cfg-options "$@")
  MAX_EPOCHS=$epochs "$python" tools/train.py "configs/$config.py" --amp --resume \
    --work-dir "$folder" "${options[@]}"
  touch "$folder/done"
}

last() { echo "$work/$1/epoch_$2.pth"; }

# publish CONFIG EPOCHS NAME RECIPE: the last epoch, so that no picture chooses one.
images="2,818 labelled images of Alibaba FashionAI (blouse, outwear, dress, skirt, trousers)"
terms="trained on FashionAI images, whose terms allow research only; see docs/model_card.md"
publish() {
  local config=configs/$1.py weights=weights/$1.pth
  "$python" -m fashionkp_mm publish "$config" "$(last "$1" "$2")" "$weights" \
    --training-data "$images, $4" --licence "$terms"
  "$python" -m fashionkp_mm export --half "$config" "$weights" "fashionkp_mm/models/$3.onnx"
}

train heatmap_lite2_fashion 30
train heatmap_lite2_256_fashion 26 "load_from=$(last heatmap_lite2_fashion 30)"
train heatmap_lite2_320_fashion 12 "load_from=$(last heatmap_lite2_256_fashion 26)"
publish heatmap_lite2_320_fashion 12 pose \
  "30 epochs at 192x192, then 26 at 256x256, then 12 at 320x320; backbone from ImageNet weights"

# A first detector sees the garments that nobody has labelled; the second one learns them, too, and
# starts from the backbone that has learned the points.
train rtmdet_lite0_fashion 12
first=$work/first_detector.onnx
neighbours=$(realpath -m "$work")/neighbours.json
if [ ! -e "$neighbours" ]; then
  "$python" -m fashionkp_mm export --half configs/rtmdet_lite0_fashion.py \
    "$(last rtmdet_lite0_fashion 12)" "$first"
  "$python" tools/label_neighbours.py "$FASHIONAI_ROOT/train/Annotations/train.csv" "$neighbours" \
    --images "$FASHIONAI_ROOT/train" --detector "$first"
fi
train rtmdet_lite2_fashion 20 "train_dataloader.dataset.ann_file=$neighbours"
publish rtmdet_lite2_fashion 20 detector \
  "and garments beside those that the models themselves labelled, 20 epochs at 224x224; backbone \
from heatmap_lite2_320_fashion"

"$python" benchmarks/category_temperature.py
# What intervals of lengths come from belongs to one file of a model alone.
"$python" benchmarks/pose_errors.py
