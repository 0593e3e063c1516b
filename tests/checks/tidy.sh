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
# The generated and the precompiled headers must be there.
cmake --preset clang >/dev/null
cmake --build --preset clang -j"$(nproc)" --target llm-service >/dev/null
printf '%s\0' "${files[@]}" | xargs -0 -n 1 -P "$(nproc)" \
  clang-tidy-16 -p build/clang --quiet
