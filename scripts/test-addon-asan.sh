#!/usr/bin/env bash
# Runs the addon's tests with AddressSanitizer and UndefinedBehaviorSanitizer in the addon itself. Linux with g++; takes about
# two minutes the first time. Leaks are not reported, because Node does not free everything at its end.
set -euo pipefail
cd "$(dirname "$0")/.."

out=.cache/asan
mkdir -p "$out"
node_prefix="$(dirname "$(dirname "$(node -p process.execPath)")")"
napi="$(node -p "require('node-addon-api').include_dir")"

# What UndefinedBehaviorSanitizer leaves out, AddressSanitizer finds where memory is touched.
compile() {
  local object="$out/$(basename "$1").o"
  [ -e "$object" ] && ! find src/runtime/addon src/runtime/qnn -type f -newer "$object" | grep -q . && return
  g++ -std=c++20 -O1 -g1 -fPIC -fvisibility=hidden -fno-omit-frame-pointer -fsanitize=address,undefined \
    -fno-sanitize=null,object-size,pointer-overflow -Wall -Wextra -Werror \
    -DNAPI_VERSION=8 -DNAPI_CPP_EXCEPTIONS -DNODE_ADDON_API_DISABLE_DEPRECATED -DNODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS \
    -DBUILDING_NODE_EXTENSION -I"$node_prefix/include/node" -I"$napi" -c "$1" -o "$object"
}
export -f compile
export out node_prefix napi
objects=()
for source in src/runtime/addon/all_*.cpp; do objects+=("$out/$(basename "$source").o"); done
printf '%s\n' src/runtime/addon/all_*.cpp | xargs -P "$(nproc)" -I{} bash -c 'compile {}'
g++ -shared -fsanitize=address,undefined "${objects[@]}" -o "$out/heddle.node"

export HEDDLE_ADDON="$PWD/$out/heddle.node"
export LD_PRELOAD="$(g++ -print-file-name=libasan.so):$(g++ -print-file-name=libubsan.so)"
export ASAN_OPTIONS=detect_leaks=0:allocator_may_return_null=1 UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
for test in test/runtime/addon*.test.ts; do
  echo "$test"
  node --import tsx "$test"
done
