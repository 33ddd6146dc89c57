/** The script in a build folder that compiles its designs for a real array, as upstream documents its driver. */

export const buildScriptPath = "mlir-aie/build.sh";

export const buildScript = `#!/bin/sh
# Compiles every design of this folder for the NPU: <design>.mlir -> <design>.xclbin, and <design>.<kernel>.insts.bin for every kernel
# of it, which is a runtime sequence of its name.
#   sh build.sh [design ...]
# It needs aiecc of mlir-aie (https://xilinx.github.io/mlir-aie/latest/aiecc/), which comes as a wheel:
#   pip install mlir_aie -f https://github.com/Xilinx/mlir-aie/releases/expanded_assets/latest-wheels-4
#   pip install llvm-aie -f https://github.com/Xilinx/llvm-aie/releases/expanded_assets/nightly
# and xclbinutil, which comes with XRT (https://github.com/amd/xdna-driver).
set -eu
cd "$(dirname "$0")"
for tool in aiecc xclbinutil; do
  if ! command -v "$tool" > /dev/null; then
    echo "error: $tool is not on the PATH; the head of $0 says where to get it" >&2
    exit 1
  fi
done
[ "$#" -gt 0 ] || set -- *.mlir
for file in "$@"; do
  design="\${file%.mlir}"
  kernels=$(sed -n 's/^ *aie\\.runtime_sequence @\\([a-z0-9_]*\\)(.*/\\1/p' "$design.mlir")
  stale=$([ "$design.xclbin" -nt "$design.mlir" ] || echo yes)
  for kernel in $kernels; do
    [ -e "$design.$kernel.insts.bin" ] || stale=yes
  done
  if [ -z "$stale" ]; then
    echo "$design: up to date"
    continue
  fi
  echo "$design"
  compile() {
    # Loops over FIFOs have bounds that are known at run time, so buffers are chosen then: the default since 2026, asked for here.
    if ! aiecc --dynamic-objFifos --tmpdir=".aiecc/$design" "$@" "$design.mlir"; then
      rm -f "$design.xclbin" "$design".*.insts.bin
      echo "error: aiecc cannot compile $design.mlir" >&2
      exit 1
    fi
  }
  # What differs between the kernels of a design is their instructions alone.
  for kernel in $kernels; do
    compile --get-npu-insts --sequence-name="$kernel" --npu-insts-name="$design.$kernel.insts.bin"
  done
  compile --get-xclbin --xclbin-name="$design.xclbin"
done
`;
