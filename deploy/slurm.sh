#!/usr/bin/env bash
# Predict a catalogue as an array of jobs under Slurm, without Ray: one share of the pictures a job.
#   sbatch deploy/slurm.sh PICTURES OUT [options of fashionkp predict]
# PICTURES is whatever `fashionkp predict` takes; OUT is a folder that all nodes see. In the end:
#   fashionkp merge OUT/part-*.json predictions.json
# A job that was lost goes on where it stopped: sbatch the same line again.
#SBATCH --job-name=fashionkp
#SBATCH --array=1-64
#SBATCH --cpus-per-task=4
#SBATCH --mem=8G
#SBATCH --requeue
set -euo pipefail
if (($# < 2)); then
    sed -n '2,5s/^# *//p' "$0" >&2
    exit 2
fi
pictures=$1 out=$2
shift 2
mkdir -p "$out"
share=$SLURM_ARRAY_TASK_ID/$SLURM_ARRAY_TASK_COUNT
part=$(printf '%s/part-%04d.json' "$out" "$SLURM_ARRAY_TASK_ID")
if [ -e "$part" ] && [ ! -e "$part.part.jsonl" ]; then
    echo "$part is there already"
    exit 0
fi
exec fashionkp predict "$pictures" --shard "$share" --out "$part" --resume "$@"
