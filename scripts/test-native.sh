#!/usr/bin/env bash
# Native tests of the reference backend: every kernel on every instruction set, the C interface, damaged context binaries.
#   scripts/test-native.sh [--install] [--only sanitize|plain|arm64]
# Three variants: AddressSanitizer with UndefinedBehaviorSanitizer; plain, which are the very objects of `npm run build:native`;
# and cross-compiled for 64-bit Arm under qemu-user. --install fetches the Arm compiler and qemu with apt-get; without them that variant is a failure that says so.
set -euo pipefail
cd "$(dirname "$0")/.."

packages="g++-aarch64-linux-gnu qemu-user"
only=""
while [ $# -gt 0 ]; do
  case "$1" in
    --install)
      sudo=$([ "$(id -u)" = 0 ] || echo sudo)
      # shellcheck disable=SC2086
      $sudo apt-get update -qq && $sudo apt-get install -y -qq --no-install-recommends $packages >/dev/null
      ;;
    --only)
      only="${2:-}"
      case "$only" in sanitize | plain | arm64) ;; *) echo "--only takes sanitize, plain or arm64" >&2; exit 2 ;; esac
      shift
      ;;
    *) echo "unknown option $1; usage: scripts/test-native.sh [--install] [--only sanitize|plain|arm64]" >&2; exit 2 ;;
  esac
  shift
done

passed=0
failed=0
case "$(uname -m)" in aarch64 | arm64) host=arm64 ;; *) host=x64 ;; esac

# build_and_run NAME RUNNER MAKE_ARGUMENT...
build_and_run() {
  local name=$1 runner=$2 out=".cache/native/$1"
  shift 2
  echo "== $name"
  if ! make -s -C test/native -j "$(getconf _NPROCESSORS_ONLN)" OUT="../../$out" "$@"; then
    echo "FAIL $name does not build"
    failed=$((failed + 1))
    return
  fi
  local test output summary
  for test in "$out"/*_test; do
    output=$($runner "$test" 2>&1) || true
    summary=$(printf '%s\n' "$output" | tail -n 1)
    printf '%-24s %s\n' "$(basename "$test")" "$summary"
    if [[ $summary =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed$ ]]; then
      passed=$((passed + BASH_REMATCH[1]))
      failed=$((failed + BASH_REMATCH[2]))
      [ "${BASH_REMATCH[2]}" = 0 ] || printf '%s\n' "$output"
    else
      failed=$((failed + 1))
      echo "FAIL $test did not finish:"
      printf '%s\n' "$output"
    fi
  done
}

wants() { [ -z "$only" ] || [ "$only" = "$1" ]; }

# What UndefinedBehaviorSanitizer leaves out, AddressSanitizer finds where memory is touched.
if wants sanitize; then
  UBSAN_OPTIONS=print_stacktrace=1 build_and_run sanitize "" ARCH=$host KERNEL_OPTIMIZATION= \
    FLAGS="-O1 -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer \
      -fno-sanitize=null,object-size,pointer-overflow"
fi
if wants plain; then
  npm run -s build:native
  build_and_run plain "" ARCH=$host FLAGS=-O1 RELEASE=../../src/runtime/build/Release
fi
if wants arm64 && [ $host != arm64 ]; then
  if command -v aarch64-linux-gnu-g++ >/dev/null && command -v qemu-aarch64 >/dev/null; then
    build_and_run arm64 "qemu-aarch64 -L /usr/aarch64-linux-gnu" ARCH=arm64 CXX=aarch64-linux-gnu-g++ FLAGS=-O1 KERNEL_OPTIMIZATION=
  else
    echo "FAIL arm64 needs a cross compiler and an emulator; run: scripts/test-native.sh --install, or apt-get install $packages"
    failed=$((failed + 1))
  fi
fi

echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
