#!/usr/bin/env bash
# The part of the suite that runs on webgpu in software (0.4 GFLOP/s): kernels, budgets, losses and leaks of the backend,
# and the tiny models against their goldens. Tests that read tensors synchronously cannot run there: a browser does
# that through a canvas, and Node has none.
set -euo pipefail
cd "$(dirname "$0")/.."
exec scripts/webgpu-env.sh npx vitest run --maxWorkers=1 --testTimeout=900000 --hookTimeout=900000 \
  test/backend/memory-budget.test.ts test/backend/webgpu.test.ts test/backend/use-backend.test.ts \
  test/backend/leaks.test.ts test/models/goldens.test.ts test/training/adamw.test.ts test/editing/conformance.test.ts "$@"
