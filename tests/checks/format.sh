#!/usr/bin/env bash
# Fails on a file that clang-format would change, and on files over the
# house's size limits (sources 400 lines, headers 150).
set -u
cd "$(dirname "$0")/../.." || exit 2
faults=0
mapfile -t files < <(git ls-files '*.h' '*.cc')
clang-format-16 --dry-run -Werror "${files[@]}" || faults=1
for file in "${files[@]}"; do
  case $file in
    tests/*) continue ;;
    *.h) limit=150 ;;
    *) limit=400 ;;
  esac
  lines=$(wc -l <"$file")
  if [ "$lines" -gt "$limit" ]; then
    # Header contracts may be half comment: count what is not.
    [[ $file == *.h ]] && lines=$(grep -vcE '^\s*(//|$)' "$file")
    [ "$lines" -gt "$limit" ] && echo "$file: $lines lines, limit $limit" &&
      faults=1
  fi
done
for room in proto clients tests deploy adapters/anthropic adapters/core \
  adapters/dialect adapters/gemini adapters/http adapters/openai \
  adapters/simulated \
  router server; do
  [ -f "$room/README.md" ] || { echo "$room: no README.md"; faults=1; }
done
while read -r readme; do
  [ "$readme" = README.md ] && continue
  [ "$(wc -l <"$readme")" -le 80 ] ||
    { echo "$readme: over 80 lines"; faults=1; }
done < <(git ls-files '*README.md')
exit $faults
