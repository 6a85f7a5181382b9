#pragma once

#include <bit>
#include <cstddef>
#include <memory>
#include <utility>

#include "dataplane/base/assert.hpp"

namespace dataplane {

/// A double-ended queue in one array that doubles when full and takes no memory while unused.
/// Index 0 is the oldest element.
template <class T>
class Ring {
 public:
  std::size_t size() const { return tail_ - head_; }
  bool empty() const { return head_ == tail_; }
  T& operator[](std::size_t i) { return slots_[(head_ + i) & mask_]; }
  const T& operator[](std::size_t i) const { return slots_[(head_ + i) & mask_]; }
  T& front() { return (*this)[0]; }
  const T& front() const { return (*this)[0]; }
  T& back() { return (*this)[size() - 1]; }
  const T& back() const { return (*this)[size() - 1]; }

  /// Index of the first element for which `holds` is true, size() if there is none. Once it is true
  /// it must stay so for all that are younger.
  template <class Predicate>
  std::size_t first_where(Predicate holds) const {
    std::size_t low = 0;
    std::size_t high = size();
    while (low < high) {
      const std::size_t middle = (low + high) / 2;
      if (holds((*this)[middle])) {
        high = middle;
      } else {
        low = middle + 1;
      }
    }
    return low;
  }

  void push_back(T value) {
    if (size() == capacity()) grow_to(capacity() == 0 ? 8 : capacity() * 2);
    slots_[tail_++ & mask_] = std::move(value);
  }
  T take_front() {
    DEBUG_ASSERT(!empty());
    return std::move(slots_[head_++ & mask_]);
  }
  void pop_front() { take_front(); }
  void pop_back() {
    DEBUG_ASSERT(!empty());
    slots_[--tail_ & mask_] = T{};
  }
  /// Puts `value` before element `i`.
  void insert(std::size_t i, T value) {
    push_back(T{});
    for (std::size_t k = size() - 1; k > i; --k)
      (*this)[k] = std::move((*this)[k - 1]);
    (*this)[i] = std::move(value);
  }
  /// Removes `count` elements from element `i` on.
  void erase(std::size_t i, std::size_t count) {
    for (std::size_t k = i; k + count < size(); ++k)
      (*this)[k] = std::move((*this)[k + count]);
    for (; count > 0; --count)
      pop_back();
  }
  void clear() {
    while (!empty())
      pop_front();
  }
  /// Makes room for `count` more elements at once.
  void reserve(std::size_t count) {
    if (capacity() - size() < count) grow_to(std::bit_ceil(size() + count));
  }
  /// Gives the memory back when nothing is queued.
  void release_memory() {
    if (!empty()) return;
    slots_.reset();
    head_ = tail_ = mask_ = 0;
  }

 private:
  /// No queue of ours comes near: each has a bound of its own.
  static constexpr std::size_t kMostElements = (std::size_t{1} << 40) / sizeof(T);

  std::size_t capacity() const { return slots_ ? mask_ + 1 : 0; }
  /// To `larger` slots, a power of two.
  void grow_to(std::size_t larger) {
    ASSERT(larger <= kMostElements);
    const std::size_t count = size();
    auto slots = std::make_unique<T[]>(larger);
    for (std::size_t i = 0; i < count; ++i)
      slots[i] = std::move((*this)[i]);
    slots_ = std::move(slots);
    head_ = 0;
    tail_ = count;
    mask_ = larger - 1;
  }

  std::unique_ptr<T[]> slots_;
  std::size_t head_ = 0;
  std::size_t tail_ = 0;
  std::size_t mask_ = 0;
};

}  // namespace dataplane
