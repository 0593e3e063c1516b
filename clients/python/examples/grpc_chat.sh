#!/usr/bin/env bash
# Makes the stubs from proto/ into a temporary folder and runs grpc_chat.py.
#   pip install grpcio grpcio-tools
#   export LLM_KEY=$(cat build/quickstart/quickstart.key)
#   clients/python/examples/grpc_chat.sh
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../../.." && pwd)
stubs=$(mktemp -d)
trap 'rm -rf "$stubs"' EXIT
python=${PYTHON:-python3}
"$python" -m grpc_tools.protoc -I "$root/proto" \
  --python_out="$stubs" --grpc_python_out="$stubs" "$root"/proto/llm/v1/*.proto
PYTHONPATH=$stubs "$python" "$root/clients/python/examples/grpc_chat.py"
