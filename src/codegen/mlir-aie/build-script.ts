/** The script in a build folder that compiles its designs for a real array, as upstream documents its driver. */

export const buildScriptPath = "mlir-aie/build.sh";

export const buildScript = `#!/bin/sh
# Compiles every design of this folder for the NPU: <kernel>.mlir -> <kernel>.xclbin and <kernel>.insts.bin.
#   sh build.sh [kernel ...]
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
for design in "$@"; do
  kernel="\${design%.mlir}"
  if [ "$kernel.xclbin" -nt "$kernel.mlir" ] && [ -e "$kernel.insts.bin" ]; then
    echo "$kernel: up to date"
    continue
  fi
  echo "$kernel"
  # Loops over FIFOs have bounds that are known at run time, so buffers are chosen then: the default since 2026, asked for here.
  if ! aiecc --dynamic-objFifos --tmpdir=".aiecc/$kernel" \\
    --get-xclbin --xclbin-name="$kernel.xclbin" --get-npu-insts --npu-insts-name="$kernel.insts.bin" "$kernel.mlir"; then
    rm -f "$kernel.xclbin" "$kernel.insts.bin"
    echo "error: aiecc cannot compile $kernel.mlir" >&2
    exit 1
  fi
done
`;
