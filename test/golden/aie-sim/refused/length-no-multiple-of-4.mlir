// Three bf16 are six bytes.
module {
  aie.device(npu1) {
    %s = aie.tile(0, 0)
    %c = aie.tile(0, 2)
    aie.objectfifo @a(%s, {%c}, 2 : i32) : !aie.objectfifo<memref<3xbf16>>
    aie.runtime_sequence(%x: memref<64xi32>) {
    }
  }
}
