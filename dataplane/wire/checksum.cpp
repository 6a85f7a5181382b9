#include "dataplane/wire/checksum.hpp"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include <array>

namespace dataplane::wire {
namespace {

std::uint64_t load_word(const std::byte* at) {
  std::uint64_t word;
  std::memcpy(&word, at, sizeof word);
  return word;
}

/// The last octets, fewer than eight, as one word padded with zeros.
std::uint64_t load_tail(const std::byte* at, std::size_t length) {
  std::uint64_t word = 0;
  if (length != 0) std::memcpy(&word, at, length);
  return word;
}

constexpr std::uint64_t halves(std::uint64_t word) { return (word & 0xffff'ffff) + (word >> 32); }

std::uint64_t sum_plain(const std::byte* from, std::size_t length) {
  // Halves of 32 bits in a 64-bit register: no carry is lost for any length below 2^32.
  std::uint64_t a = 0;
  std::uint64_t b = 0;
  for (; length >= 16; from += 16, length -= 16) {
    a += halves(load_word(from));
    b += halves(load_word(from + 8));
  }
  if (length >= 8) {
    a += halves(load_word(from));
    from += 8;
    length -= 8;
  }
  return fold_sum(a) + std::uint64_t{fold_sum(b)} + fold_sum(load_tail(from, length));
}

std::uint64_t copy_and_sum_plain(const std::byte* from, std::byte* to, std::size_t length) {
  std::uint64_t sum = 0;
  for (; length >= 8; from += 8, to += 8, length -= 8) {
    const std::uint64_t word = load_word(from);
    std::memcpy(to, &word, sizeof word);
    sum += halves(word);
  }
  const std::uint64_t tail = load_tail(from, length);
  if (length != 0) std::memcpy(to, &tail, length);
  return fold_sum(sum) + std::uint64_t{fold_sum(tail)};
}

#if defined(__x86_64__)

// Each step splits a vector of 64-bit words into halves of 32 bits and adds them to two
// accumulators.

__attribute__((target("avx2"))) std::uint64_t total(__m256i low, __m256i high) {
  alignas(32) std::array<std::uint64_t, 4> lanes{};
  _mm256_store_si256(static_cast<__m256i*>(static_cast<void*>(lanes.data())),
                     _mm256_add_epi64(low, high));
  return std::uint64_t{fold_sum(lanes[0])} + fold_sum(lanes[1]) + fold_sum(lanes[2]) +
         fold_sum(lanes[3]);
}

template <bool kCopy>
__attribute__((target("avx2"))) std::uint64_t run_avx2(const std::byte* from, std::byte* to,
                                                       std::size_t length) {
  const __m256i mask = _mm256_set1_epi64x(0xffff'ffff);
  __m256i low = _mm256_setzero_si256();
  __m256i high = _mm256_setzero_si256();
  std::size_t at = 0;
  for (; at + 32 <= length; at += 32) {
    const __m256i words =
        _mm256_loadu_si256(static_cast<const __m256i*>(static_cast<const void*>(from + at)));
    if constexpr (kCopy)
      _mm256_storeu_si256(static_cast<__m256i*>(static_cast<void*>(to + at)), words);
    low = _mm256_add_epi64(low, _mm256_and_si256(words, mask));
    high = _mm256_add_epi64(high, _mm256_srli_epi64(words, 32));
  }
  const std::uint64_t head = total(low, high);
  if constexpr (kCopy) return head + copy_and_sum_plain(from + at, to + at, length - at);
  return head + sum_plain(from + at, length - at);
}

__attribute__((target("avx2"))) std::uint64_t sum_avx2(const std::byte* from, std::size_t length) {
  return run_avx2<false>(from, nullptr, length);
}
__attribute__((target("avx2"))) std::uint64_t copy_and_sum_avx2(const std::byte* from,
                                                                std::byte* to, std::size_t length) {
  return run_avx2<true>(from, to, length);
}

template <bool kCopy>
__attribute__((target("avx512f,avx512bw"))) std::uint64_t run_avx512(const std::byte* from,
                                                                     std::byte* to,
                                                                     std::size_t length) {
  const __m512i mask = _mm512_set1_epi64(0xffff'ffff);
  __m512i low = _mm512_setzero_si512();
  __m512i high = _mm512_setzero_si512();
  std::size_t at = 0;
  for (; at + 64 <= length; at += 64) {
    const __m512i words = _mm512_loadu_si512(from + at);
    if constexpr (kCopy) _mm512_storeu_si512(to + at, words);
    low = _mm512_add_epi64(low, _mm512_and_si512(words, mask));
    high = _mm512_add_epi64(high, _mm512_srli_epi64(words, 32));
  }
  if (at < length) {
    // A masked load and store touch no octet beyond the end.
    const __mmask64 rest = ~std::uint64_t{0} >> (64 - (length - at));
    const __m512i words = _mm512_maskz_loadu_epi8(rest, from + at);
    if constexpr (kCopy) _mm512_mask_storeu_epi8(to + at, rest, words);
    low = _mm512_add_epi64(low, _mm512_and_si512(words, mask));
    high = _mm512_add_epi64(high, _mm512_srli_epi64(words, 32));
  }
  alignas(64) std::array<std::uint64_t, 8> lanes{};
  _mm512_store_si512(lanes.data(), _mm512_add_epi64(low, high));
  std::uint64_t sum = 0;
  for (const std::uint64_t lane : lanes)
    sum += halves(lane);
  return sum;
}

__attribute__((target("avx512f,avx512bw"))) std::uint64_t sum_avx512(const std::byte* from,
                                                                     std::size_t length) {
  return run_avx512<false>(from, nullptr, length);
}
__attribute__((target("avx512f,avx512bw"))) std::uint64_t copy_and_sum_avx512(const std::byte* from,
                                                                              std::byte* to,
                                                                              std::size_t length) {
  return run_avx512<true>(from, to, length);
}

#endif

struct Kernels {
  std::array<ChecksumKernel, 3> all{};
  std::size_t count = 0;

  Kernels() {
    all[count++] = {"plain", sum_plain, copy_and_sum_plain};
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx2")) all[count++] = {"avx2", sum_avx2, copy_and_sum_avx2};
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw"))
      all[count++] = {"avx512", sum_avx512, copy_and_sum_avx512};
#endif
  }
};

const Kernels kernels;
const ChecksumKernel best_kernel = kernels.all[kernels.count - 1];

}  // namespace

std::span<const ChecksumKernel> checksum_kernels() { return {kernels.all.data(), kernels.count}; }

const ChecksumKernel& checksum_kernel() { return best_kernel; }

}  // namespace dataplane::wire
