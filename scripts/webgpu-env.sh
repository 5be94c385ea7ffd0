#!/usr/bin/env bash
# Runs a command with Chromium's software Vulkan (SwiftShader), for machines without a GPU:
#   scripts/webgpu-env.sh npx vitest run test/models
# Debian's chromium package carries both the loader and the driver; CHROMIUM_DIR names another place.
set -euo pipefail
dir="${CHROMIUM_DIR:-/usr/lib/chromium}"
if [ ! -e "$dir/vk_swiftshader_icd.json" ]; then
  echo "No SwiftShader in $dir: apt-get install chromium, or set CHROMIUM_DIR." >&2
  exit 78
fi
export LD_LIBRARY_PATH="$dir${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
export VK_ICD_FILENAMES="$dir/vk_swiftshader_icd.json"
export CONTRAFACT_BACKEND=webgpu
exec "$@"
