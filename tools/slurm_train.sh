#!/usr/bin/env bash
# Train on a Slurm cluster, one process a GPU.
#   tools/slurm_train.sh PARTITION JOB_NAME CONFIG WORK_DIR [options of tools/train.py]
# GPUS (8), GPUS_PER_NODE (8), CPUS_PER_TASK (5) and SRUN_ARGS are those of MMPose's script of the
# same name. GPUS_PER_NODE=0 trains on CPUs, in GPUS processes.
set -euo pipefail
if (($# < 4)); then
    sed -n '2,5s/^# *//p' "$0" >&2
    exit 2
fi
partition=$1 name=$2 config=$3 work=$4
shift 4
tasks=${GPUS:-8}
per_node=${GPUS_PER_NODE:-8}
resources=(--gres="gpu:$per_node" --ntasks-per-node="$per_node")
((per_node)) || resources=()
read -ra more <<< "${SRUN_ARGS:-}"
exec srun --partition="$partition" --job-name="$name" "${resources[@]}" --ntasks="$tasks" \
    --cpus-per-task="${CPUS_PER_TASK:-5}" --kill-on-bad-exit=1 "${more[@]}" \
    python -u "$(dirname "$0")/train.py" "$config" --work-dir="$work" --launcher slurm "$@"
