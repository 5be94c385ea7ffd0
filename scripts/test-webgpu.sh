#!/usr/bin/env bash
# The part of the suite that runs on webgpu in software (0.4 GFLOP/s): kernels, budgets, losses and leaks of the backend,
# and the tiny models against their goldens; or the test files that are named. Tests that read tensors synchronously
# cannot run there: a browser does that through a canvas, and Node has none.
set -euo pipefail
cd "$(dirname "$0")/.."
if [ $# = 0 ]; then
  set -- test/backend/{memory-budget,own-kernels,webgpu,webgpu-kernels,use-backend,leaks}.test.ts test/models/goldens.test.ts
fi
exec scripts/webgpu-env.sh npx vitest run --maxWorkers=1 --testTimeout=900000 --hookTimeout=900000 "$@"
