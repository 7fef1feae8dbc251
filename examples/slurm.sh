#!/bin/bash
# A prediction in a hundred parts, each a task of an array: sbatch examples/slurm.sh
# The run, the inputs and the folder of the results lie where every node sees them. A task that fails is
# submitted again; parts that are there are not computed again.
#SBATCH --job-name=googlenet-predict
#SBATCH --array=1-100
#SBATCH --cpus-per-task=8
#SBATCH --mem=4G
set -euo pipefail
googlenet predict runs/photos holiday/ --out labels/ --part "$SLURM_ARRAY_TASK_ID/$SLURM_ARRAY_TASK_COUNT"
