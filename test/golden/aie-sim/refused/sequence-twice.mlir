// Two runtime sequences of one name: nobody could say which of them runs.
module {
  aie.device(npu1) {
    aie.runtime_sequence @one(%x: memref<4xi32>) {
    }
    aie.runtime_sequence @one(%x: memref<8xi32>) {
    }
  }
}
