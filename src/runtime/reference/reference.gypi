{
  # The reference backend, included by ../binding.gyp: libheddle_reference.so (.dylib, .dll). Kernels are compiled once per
  # instruction set, each into a static library of its own with that set's flags; everything else is for the baseline, and most of it compiled
  # many files at once (all*.cpp), because they are short beside the headers that each of them reads.
  "variables": {
    "heddle_warnings": ["-Wall", "-Wextra", "-Werror"],
    "heddle_kernel_flags": ["-O3", "-fno-math-errno", "-fno-trapping-math"],
  },
  "target_defaults": {
    "target_conditions": [
      ["_target_name.startswith('heddle_reference')", {
        "win_delay_load_hook": "false",
        "cflags_cc!": ["-std=gnu++17", "-std=gnu++20", "-fno-exceptions"],
        "cflags_cc": ["-std=c++20", "-fPIC", "-fvisibility=hidden", "<@(heddle_warnings)"],
        "xcode_settings": {
          "CLANG_CXX_LANGUAGE_STANDARD": "c++20",
          "GCC_ENABLE_CPP_EXCEPTIONS": "YES",
          "GCC_SYMBOLS_PRIVATE_EXTERN": "YES",
          "MACOSX_DEPLOYMENT_TARGET": "11.0",
          "WARNING_CFLAGS": ["<@(heddle_warnings)"],
        },
        "msvs_settings": {
          "VCCLCompilerTool": { "ExceptionHandling": 1, "AdditionalOptions": ["/std:c++20", "/utf-8"] },
        },
      }],
      ["_type=='static_library' and _target_name.startswith('heddle_reference')", {
        "cflags_cc": ["<@(heddle_kernel_flags)"],
        "conditions": [["OS!='win'", { "product_prefix": "lib", "product_extension": "a" }, { "product_extension": "lib" }]],
      }],
    ],
  },
  "targets": [
    {
      "target_name": "heddle_reference",
      "type": "loadable_module",
      "dependencies": ["heddle_reference_portable"],
      "sources": [
        "api/all.cpp", "graph/all.cpp",
        "kernels/blocks/dequantize.cpp", "kernels/blocks/select.cpp", "kernels/select.cpp",
        "ops/all_blocks.cpp", "ops/all_moves.cpp", "ops/all_products.cpp", "ops/elementwise_binary.cpp",
        "ops/elementwise_compare.cpp", "ops/reduce.cpp",
      ],
      "conditions": [
        ["OS=='linux'", { "ldflags": ["-Wl,-z,defs"], "libraries": ["-lpthread"] }],
        ["target_arch=='x64'", { "dependencies": ["heddle_reference_avx2", "heddle_reference_avx512", "heddle_reference_avx512_vnni"] }],
        ["target_arch=='arm64'", { "dependencies": ["heddle_reference_neon", "heddle_reference_neon_dotprod"] }],
      ],
      # Late, because node-gyp names every loadable module *.node in its own target conditions.
      "target_conditions": [
        ["OS=='linux'", { "product_prefix": "lib", "product_extension": "so" }],
        ["OS=='mac'", { "product_prefix": "lib", "product_extension": "dylib" }],
        ["OS=='win'", { "product_prefix": "lib", "product_extension": "dll" }],
      ],
    },
    {
      "target_name": "heddle_reference_portable",
      "type": "static_library",
      "sources": ["kernels/blocks/isa_portable.cpp", "kernels/isa_portable.cpp"],
    },
  ],
  "conditions": [
    ["target_arch=='x64'", {
      "targets": [
        {
          "target_name": "heddle_reference_avx2",
          "type": "static_library",
          "sources": ["kernels/blocks/isa_avx2.cpp", "kernels/isa_avx2.cpp"],
          "cflags_cc": ["-mavx2", "-mfma", "-mf16c"],
          "xcode_settings": { "OTHER_CPLUSPLUSFLAGS": ["-mavx2", "-mfma", "-mf16c"] },
          "msvs_settings": { "VCCLCompilerTool": { "AdditionalOptions": ["/arch:AVX2"] } },
        },
        {
          "target_name": "heddle_reference_avx512",
          "type": "static_library",
          "sources": ["kernels/isa_avx512.cpp"],
          "cflags_cc": ["-mavx2", "-mfma", "-mf16c", "-mavx512f", "-mavx512bw", "-mavx512dq", "-mavx512vl"],
          "xcode_settings": {
            "OTHER_CPLUSPLUSFLAGS": ["-mavx2", "-mfma", "-mf16c", "-mavx512f", "-mavx512bw", "-mavx512dq", "-mavx512vl"],
          },
          "msvs_settings": { "VCCLCompilerTool": { "AdditionalOptions": ["/arch:AVX512"] } },
        },
        {
          "target_name": "heddle_reference_avx512_vnni",
          "type": "static_library",
          "sources": ["kernels/blocks/isa_avx512_vnni.cpp"],
          "cflags_cc": ["-mavx2", "-mfma", "-mf16c", "-mavx512f", "-mavx512bw", "-mavx512dq", "-mavx512vl", "-mavx512vnni"],
          "xcode_settings": {
            "OTHER_CPLUSPLUSFLAGS": [
              "-mavx2", "-mfma", "-mf16c", "-mavx512f", "-mavx512bw", "-mavx512dq", "-mavx512vl", "-mavx512vnni",
            ],
          },
          "msvs_settings": { "VCCLCompilerTool": { "AdditionalOptions": ["/arch:AVX512"] } },
        },
      ],
    }],
    ["target_arch=='arm64'", {
      "targets": [
        {
          "target_name": "heddle_reference_neon",
          "type": "static_library",
          "sources": ["kernels/blocks/isa_neon.cpp", "kernels/isa_neon.cpp"],
        },
        {
          "target_name": "heddle_reference_neon_dotprod",
          "type": "static_library",
          "sources": ["kernels/blocks/isa_neon_dotprod.cpp"],
          "cflags_cc": ["-march=armv8.2-a+dotprod"],
          "xcode_settings": { "OTHER_CPLUSPLUSFLAGS": ["-march=armv8.2-a+dotprod"] },
        },
      ],
    }],
  ],
}
