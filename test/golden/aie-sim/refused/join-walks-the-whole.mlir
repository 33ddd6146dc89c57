// Each part of a join has a descriptor of its own.
module {
  aie.device(npu1) {
    %s = aie.tile(0, 0)
    %m = aie.tile(0, 1)
    %c = aie.tile(0, 2)
    %d = aie.tile(0, 3)
    aie.objectfifo @a(%c, {%m}, 2 : i32) : !aie.objectfifo<memref<4xi32>>
    aie.objectfifo @b(%d, {%m}, 2 : i32) : !aie.objectfifo<memref<4xi32>>
    aie.objectfifo @o(%m dimensionsToStream [<size = 4, stride = 1>, <size = 2, stride = 4>], {%s}, 2 : i32) : !aie.objectfifo<memref<8xi32>>
    aie.objectfifo.link [@a, @b] -> [@o] ([0, 4] [])
    aie.runtime_sequence(%x: memref<64xi32>) {
    }
  }
}
