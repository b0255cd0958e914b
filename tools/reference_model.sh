#!/usr/bin/env bash
# Train the models that ship, from ImageNet's weights to the files of the package:
#
#   FASHIONAI_ROOT=… tools/reference_model.sh [FOLDER]
#
# FOLDER (work_dirs/reference by default) holds checkpoints and logs. A step that was interrupted goes
# on from its last epoch, one that is done is not repeated, so the same command continues until all
# is done: more than a day on two CPU cores, less with a GPU. FASHIONAI_SHAPES names a file of labels
# whose shapes are lent, $FASHIONAI_ROOT/annotations_2018.csv by default.
set -euo pipefail
cd "$(dirname "$0")/.."
: "${FASHIONAI_ROOT:?set it to the folder of the FashionAI data}"
work=${1:-work_dirs/reference}
python=${PYTHON:-python}
mkdir -p "$work"

# train NAME CONFIG EPOCHS [KEY=VALUE ...]: the values go to --cfg-options.
train() {
  local name=$1 config=$2 epochs=$3
  shift 3
  local folder=$work/$name
  if [ -e "$folder/done" ]; then
    echo "$name: done"
    return
  fi
  local options=()
  [ $# = 0 ] || options=(--cfg-options "$@")
  MAX_EPOCHS=$epochs "$python" tools/train.py "configs/$config.py" --amp --resume \
    --work-dir "$folder" "${options[@]}"
  touch "$folder/done"
}

last() { echo "$work/$1/epoch_$2.pth"; }

# export_once CONFIG CHECKPOINT FILE
export_once() {
  [ -e "$3" ] || "$python" -m fashionkp_mm export --half "configs/$1.py" "$2" "$3"
}

# mean NAME CHECKPOINT ...
mean() {
  local name=$1
  shift
  [ -e "$work/$name.pth" ] || "$python" tools/average_weights.py "$work/$name.pth" "$@"
}

# label OUT POSE DETECTOR: the labels, and what the two see beside the labelled garments.
label() {
  [ -e "$1" ] || "$python" tools/label_neighbours.py "$FASHIONAI_ROOT/train/Annotations/train.csv" \
    "$1" --images "$FASHIONAI_ROOT/train" --model "$2" --detector "$3"
}

# publish CONFIG CHECKPOINT NAME RECIPE: the last epoch, so that no picture chooses one.
images="2,818 labelled images of Alibaba FashionAI (blouse, outwear, dress, skirt, trousers)"
terms="trained on FashionAI images, whose terms allow research only; see docs/model_card.md"
publish() {
  local config=configs/$1.py weights=weights/$1.pth
  "$python" -m fashionkp_mm publish "$config" "$2" "$weights" \
    --training-data "$images, $4" --licence "$terms"
  "$python" -m fashionkp_mm export --half "$config" "$weights" "fashionkp_mm/models/$3.onnx"
}

pose=heatmap_lite2_320_fashion detector=rtmdet_lite2_fashion

# The points, from ImageNet on, with more and more pixels.
train lite2_192 heatmap_lite2_fashion 30
train lite2_256 heatmap_lite2_256_fashion 26 "load_from=$(last lite2_192 30)"
train lite2_320 $pose 12 "load_from=$(last lite2_256 26)"

# A first detector sees the garments that nobody has labelled. They teach a better detector and a
# better pose network, and these two see more of them, and better.
first=$(realpath -m "$work")/neighbours_1.json second=$(realpath -m "$work")/neighbours_2.json
train detector_0 rtmdet_lite0_fashion 12
export_once $pose "$(last lite2_320 12)" "$work/pose_1.onnx"
export_once rtmdet_lite0_fashion "$(last detector_0 12)" "$work/detector_0.onnx"
label "$first" "$work/pose_1.onnx" "$work/detector_0.onnx"
train detector_1 $detector 20 "train_dataloader.dataset.ann_file=$first" \
  "model.backbone.init_cfg.checkpoint=$(last lite2_320 12)"
train neighbours_1 $pose 10 "load_from=$(last lite2_320 12)" \
  "train_dataloader.dataset.ann_file=$first"
publish $detector "$(last detector_1 20)" detector \
  "and garments beside those that the models themselves labelled, 20 epochs at 224x224; backbone \
from heatmap_lite2_320_fashion"
export_once $pose "$(last neighbours_1 10)" "$work/pose_2.onnx"
label "$second" "$work/pose_2.onnx" fashionkp_mm/models/detector.onnx

# All layers, large batches, with and without other garments' shapes; the mean of both; then what a
# whole picture goes by, which neighbours leave open; and the same two once more, for longer. What
# ships is the mean of these and of where they started.
export FASHIONAI_SHAPES=${FASHIONAI_SHAPES:-$FASHIONAI_ROOT/annotations_2018.csv}
train long heatmap_lite2_320_long_fashion 28 "load_from=$(last neighbours_1 10)" \
  "train_dataloader.dataset.ann_file=$second"
train shapes heatmap_lite2_320_shapes_fashion 28 "load_from=$(last neighbours_1 10)" \
  "train_dataloader.dataset.ann_file=$second"
mean mean_1 "$(last long 28)" "$(last shapes 28)"
train category heatmap_lite2_320_category_fashion 10 "load_from=$work/mean_1.pth"
train longer heatmap_lite2_320_long_fashion 53 "load_from=$(last category 10)" \
  "train_dataloader.dataset.ann_file=$second"
train longer_shapes heatmap_lite2_320_shapes_fashion 53 "load_from=$(last category 10)" \
  "train_dataloader.dataset.ann_file=$second"
mean mean_2 "$(last longer 53)" "$(last longer_shapes 53)" "$(last category 10)"
publish $pose "$work/mean_2.pth" pose \
  "and garments beside those that the models themselves labelled; 30 epochs at 192x192, 26 at 256x256, \
then 12, 10, 28 and 53 at 320x320; the mean of four trainings; backbone from ImageNet weights"

"$python" benchmarks/category_temperature.py
# What intervals of lengths come from belongs to one file of a model alone.
"$python" benchmarks/pose_errors.py
