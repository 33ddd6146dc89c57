// Two elements of 36,000 bytes and the stack do not fit 64 KB.
module {
  aie.device(npu1) {
    %s = aie.tile(0, 0)
    %c = aie.tile(0, 2)
    aie.objectfifo @a(%s, {%c}, 2 : i32) : !aie.objectfifo<memref<9000xi32>>
    %core = aie.core(%c) {
      aie.end
    }
    aie.runtime_sequence(%x: memref<64xi32>) {
    }
  }
}
