#!/usr/bin/env bash
# Runs the addon's tests with AddressSanitizer and UndefinedBehaviorSanitizer in the addon itself. Linux with g++; takes about
# two minutes the first time. Leaks are not reported, because Node does not free everything at its end.
set -euo pipefail
cd "$(dirname "$0")/.."

out=.cache/asan
mkdir -p "$out"
node_prefix="$(dirname "$(dirname "$(node -p process.execPath)")")"
napi="$(node -p "require('node-addon-api').include_dir")"

compile() {
  local object="$out/$(basename "$1").o"
  [ "$object" -nt "$1" ] && ! find src/runtime/addon src/runtime/qnn -name '*.h' -newer "$object" | grep -q . && return
  g++ -std=c++20 -O1 -g -fPIC -fvisibility=hidden -fno-omit-frame-pointer -fsanitize=address,undefined -Wall -Wextra -Werror \
    -DNAPI_VERSION=8 -DNAPI_CPP_EXCEPTIONS -DNODE_ADDON_API_DISABLE_DEPRECATED -DNODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS \
    -DBUILDING_NODE_EXTENSION -I"$node_prefix/include/node" -I"$napi" -c "$1" -o "$object"
}
export -f compile
export out node_prefix napi
printf '%s\n' src/runtime/addon/*.cpp | xargs -P "$(nproc)" -I{} bash -c 'compile {}'
g++ -shared -fsanitize=address,undefined "$out"/*.o -o "$out/heddle.node"

export HEDDLE_ADDON="$PWD/$out/heddle.node"
export LD_PRELOAD="$(g++ -print-file-name=libasan.so):$(g++ -print-file-name=libubsan.so)"
export ASAN_OPTIONS=detect_leaks=0:allocator_may_return_null=1 UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
for test in test/runtime/addon*.test.ts; do
  echo "$test"
  node --import tsx "$test"
done
