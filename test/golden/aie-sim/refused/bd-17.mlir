// A ring of 17 elements takes 17 descriptors.
module {
  aie.device(npu1) {
    %s = aie.tile(0, 0)
    %c = aie.tile(0, 2)
    aie.objectfifo @a(%s, {%c}, [1, 17]) : !aie.objectfifo<memref<4xi32>>
    aie.runtime_sequence(%x: memref<64xi32>) {
    }
  }
}
