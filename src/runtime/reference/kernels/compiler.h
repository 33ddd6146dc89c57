// What differs between compilers.
#pragma once

#if defined(__clang__)
#define HEDDLE_UNROLL _Pragma("clang loop unroll(full)")
#elif defined(__GNUC__)
#define HEDDLE_UNROLL _Pragma("GCC unroll 64")
#else
#define HEDDLE_UNROLL
#endif

#if defined(_MSC_VER)
#define HEDDLE_INLINE __forceinline
#define HEDDLE_NOINLINE __declspec(noinline)
#define HEDDLE_INLINE_LAMBDA [[msvc::forceinline]]
#else
#define HEDDLE_INLINE inline __attribute__((always_inline))
#define HEDDLE_NOINLINE __attribute__((noinline))
#define HEDDLE_INLINE_LAMBDA __attribute__((always_inline))
#endif
