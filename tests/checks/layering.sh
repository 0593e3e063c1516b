#!/usr/bin/env bash
# Fails on an include that points the wrong way: link lines do not stop
# headers. Rules: style of the house, drawn in README.md.
set -u
cd "$(dirname "$0")/../.." || exit 2
faults=0
# forbid FILES-UNDER PATTERN WHY [EXCEPT]: no file there may include PATTERN.
forbid() {
  local hits
  hits=$(grep -rnE --include='*.h' --include='*.cc' \
    "^#include [<\"]($2)" $1 2>/dev/null | grep -vE "${4:-^$}")
  [ -z "$hits" ] && return
  echo "forbidden ($3):"
  echo "$hits"
  faults=1
}
forbid "adapters router server clients" 'tests/' 'nothing depends on tests'
forbid "adapters" '(router|server|clients)/' 'adapters know no one above'
forbid "router" '(server|clients)/' 'the router knows no one above'
forbid "router" 'adapters/(dialect|http|openai|anthropic|gemini|simulated|registry)' \
  'the router sees adapters/core only'
forbid "router adapters" 'grpc|prometheus|boost/beast' \
  'no gRPC, Prometheus or Beast below the server'
forbid "adapters/core" 'adapters/(dialect|http|openai|anthropic|gemini|simulated)/' \
  'core is the bottom'
forbid "adapters/http" 'adapters/(dialect|openai|anthropic|gemini|simulated)/' \
  'the transport knows no dialect'
forbid "adapters/dialect" 'adapters/(openai|anthropic|gemini|simulated)/' \
  'what dialects share knows none of them'
for dialect in openai anthropic gemini simulated; do
  others=$(printf '%s|' openai anthropic gemini simulated |
    sed "s/$dialect|//; s/|$//")
  forbid "adapters/$dialect" "adapters/($others)/" 'dialects never meet'
done
forbid "server" 'adapters/registry' 'only main wires the registry' \
  '^server/(main|serve|http_stack)[a-z_]*\.(cc|h):'
forbid "server/http server/core server/ledger server/auth server/config server/metrics server/cli" \
  'grpcpp|grpc' 'gRPC stays in server/grpc'
forbid "adapters/core adapters/dialect adapters/openai adapters/anthropic adapters/gemini adapters/simulated router server" \
  'curl/' 'only adapters/http includes curl'
forbid "clients" '(adapters|router|server)/' 'clients see the proto only'
forbid "clients/cpp/include" 'grpc|.*\.grpc\.pb\.h' \
  "the C++ client's headers show no gRPC"
exit $faults
