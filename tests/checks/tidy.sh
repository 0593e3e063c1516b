#!/usr/bin/env bash
# Lints sources of the rooms with clang-tidy: those named, or those that differ
# from $LLM_TIDY_BASE (default: main). The whole tree takes too long for CI
# (tests/README.md has the figure).
# Usage: tests/checks/tidy.sh [file.cc…]
set -euo pipefail
cd "$(dirname "$0")/../.."
files=("$@")
if [ ${#files[@]} -eq 0 ]; then
  base=$(git merge-base HEAD "${LLM_TIDY_BASE:-main}")
  mapfile -t files < <(git diff --name-only --diff-filter=d "$base" -- \
    'adapters/*.cc' 'router/*.cc' 'server/*.cc')
fi
[ ${#files[@]} -gt 0 ] || { echo "tidy: nothing changed"; exit 0; }
# One compile command for each file, and the generated and the precompiled
# headers, which must be there.
cmake --preset clang -B build/tidy -DCMAKE_UNITY_BUILD=OFF >/dev/null
cmake --build build/tidy -j"$(nproc)" --target llm-service >/dev/null
printf '%s\0' "${files[@]}" | xargs -0 -n 1 -P "$(nproc)" \
  clang-tidy-16 -p build/tidy --quiet
