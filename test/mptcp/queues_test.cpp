#include <cstring>
#include <vector>

#include <catch2/catch.hpp>

#include "dataplane/base/heap_packet_pool.hpp"
#include "dataplane/base/rng.hpp"
#include "mptcp/reorder_queue.hpp"
#include "mptcp/send_queue.hpp"
#include "mptcp/signal_queue.hpp"

namespace mptcp::test {
namespace {

using dataplane::BlockPool;
using dataplane::HeapPacketPool;
using dataplane::Packet;
using dataplane::Rng;
using dataplane::tcp::MemoryBudget;

std::byte octet_at(std::uint64_t position) {
  return static_cast<std::byte>((position * 2'654'435'761U) >> 11);
}

struct Receiver {
  Packet packet(std::uint64_t position, std::uint32_t length) {
    Packet out = pool.alloc();
    REQUIRE(static_cast<bool>(out));
    std::byte* at = out.append(length);
    for (std::uint32_t i = 0; i < length; ++i)
      at[i] = octet_at(position + i);
    return out;
  }
  ReorderQueue::Inserted insert(std::uint64_t position, std::uint32_t length) {
    return queue.insert(position, packet(position, length));
  }
  /// `count` packets of `length` octets, behind a hole; whether they were taken as one.
  bool hold_run(std::uint64_t position, std::size_t count, std::uint32_t length) {
    std::vector<Packet> run;
    for (std::size_t i = 0; i < count; ++i)
      run.push_back(packet(position + i * length, length));
    return queue.hold_run(position, run, count * length);
  }
  /// Reads all that is there; false when an octet is not the one of its position.
  bool read_all() {
    std::vector<std::byte> out(queue.readable());
    REQUIRE(queue.read(out) == out.size());
    for (const std::byte octet : out)
      if (octet != octet_at(read_to++)) return false;
    return true;
  }

  HeapPacketPool pool{4096};
  MemoryBudget budget{64UL << 20};
  ReorderQueue queue{budget};
  std::uint64_t read_to = 0;
};

TEST_CASE("octets come out in the order of the data sequence space", "[mptcp][reorder_queue]") {
  Receiver receiver;
  CHECK(receiver.insert(300, 100).out_of_order);
  CHECK(receiver.insert(100, 100).out_of_order);
  CHECK(receiver.insert(0, 100).in_order == 200);
  CHECK(receiver.insert(200, 100).in_order == 200);
  CHECK(receiver.queue.next() == 400);
  CHECK(receiver.read_all());
  CHECK(receiver.budget.used() == 0);
}

TEST_CASE("what comes twice is taken once", "[mptcp][reorder_queue][rfc8684-3.3.6]") {
  Receiver receiver;
  receiver.insert(0, 100);
  CHECK(receiver.insert(0, 100).duplicate);
  CHECK(receiver.insert(50, 100).in_order == 50);
  receiver.insert(200, 50);
  receiver.insert(300, 50);
  CHECK(receiver.insert(210, 20).duplicate);
  receiver.insert(190, 200);  // Covers one, ends in nothing; the hole before it stays.
  CHECK(receiver.queue.late_runs() == 1);
  CHECK(receiver.insert(150, 40).in_order == 240);
  CHECK(receiver.read_all());
  CHECK(receiver.read_to == 390);
}

TEST_CASE("what one path brings in a row is one run", "[mptcp][reorder_queue]") {
  Receiver receiver;
  for (std::uint64_t at = 1'000; at < 3'000; at += 100) {
    receiver.insert(at, 100);
    receiver.insert(at + 5'000, 100);
  }
  CHECK(receiver.queue.late_runs() == 2);
  // A part that is there, a part that is new, and a part that belongs to the run behind.
  receiver.insert(2'950, 200);
  CHECK(receiver.queue.late_runs() == 2);
  CHECK(receiver.insert(3'150, 1'500).out_of_order);
  CHECK(receiver.insert(4'650, 1'500).out_of_order);
  CHECK(receiver.insert(0, 1'000).in_order == 8'000);
  CHECK(receiver.queue.late_runs() == 0);
  CHECK(receiver.read_all());
  CHECK(receiver.read_to == 8'000);
  CHECK(receiver.budget.used() == 0);
}

TEST_CASE("a run behind a hole is taken whole when none of it is here", "[mptcp][reorder_queue]") {
  Receiver receiver;
  CHECK_FALSE(receiver.hold_run(0, 3, 100));  // There is no hole.
  CHECK(receiver.hold_run(1'000, 10, 100));
  CHECK(receiver.hold_run(2'000, 10, 100));
  CHECK(receiver.queue.late_runs() == 1);
  CHECK_FALSE(receiver.hold_run(2'900, 10, 100));
  CHECK_FALSE(receiver.hold_run(901, 1, 100));
  CHECK_FALSE(receiver.hold_run(900, 30, 100));
  CHECK(receiver.hold_run(500, 3, 100));
  CHECK(receiver.queue.late_runs() == 2);
  CHECK(receiver.insert(0, 500).in_order == 800);
  CHECK(receiver.insert(800, 200).in_order == 2'200);
  CHECK_FALSE(receiver.hold_run(2'999, 2, 100));
  CHECK(receiver.read_all());
  CHECK(receiver.read_to == 3'000);
  CHECK(receiver.budget.used() == 0);
}

TEST_CASE("a hole has a span, up to what is furthest behind it", "[mptcp][reorder_queue]") {
  Receiver receiver;
  CHECK(receiver.queue.span() == 0);
  receiver.insert(0, 100);
  CHECK(receiver.queue.span() == 0);
  receiver.insert(500, 100);
  receiver.insert(300, 100);
  CHECK(receiver.queue.span() == 500);
  receiver.insert(100, 400);
  CHECK(receiver.queue.span() == 0);
}

TEST_CASE("any order of overlapping pieces gives the stream", "[mptcp][reorder_queue]") {
  Rng rng(GENERATE(range(1U, 40U)));
  Receiver receiver;
  constexpr std::uint64_t kLength = 20'000;
  while (receiver.queue.next() < kLength) {
    const std::uint64_t at = receiver.queue.next() + rng.below(3'000) - rng.below(500);
    const auto length = static_cast<std::uint32_t>(1 + rng.below(1'400));
    if (static_cast<std::int64_t>(at) < 0) continue;
    if (rng.below(2) == 0 || !receiver.hold_run(at, 1 + rng.below(5), length))
      receiver.insert(at, length);
    if (rng.below(4) == 0) REQUIRE(receiver.read_all());
  }
  CHECK(receiver.read_all());
  receiver.queue.clear();
  CHECK(receiver.budget.used() == 0);
  CHECK(receiver.pool.available() == receiver.pool.capacity());
}

std::vector<std::byte> octets(std::uint64_t position, std::size_t length) {
  std::vector<std::byte> out(length);
  for (std::size_t i = 0; i < length; ++i)
    out[i] = octet_at(position + i);
  return out;
}

TEST_CASE("an octet is kept until the DATA_ACK and every subflow have let it go",
          "[mptcp][send_queue][rfc8684-3.3.6]") {
  BlockPool blocks(1UL << 20);
  const Dsn first(0xffff'ffff'ffff'c000);  // The stream crosses the wrap.
  {
    SendQueue queue(blocks, first);
    REQUIRE(queue.append(octets(0, 100'000)) == 100'000);
    const std::size_t used = blocks.capacity() - blocks.available();
    const dataplane::ByteSpan lent = queue.lend(first + 1'000U, 5'000);
    REQUIRE(lent.size() == 5'000);
    queue.lend(first + 1'000U, 5'000);  // Another subflow.
    queue.acknowledge(first + 100'000U);
    CHECK(queue.memory_begin() == first);
    CHECK(blocks.capacity() - blocks.available() == 1);
    CHECK(used > 5);
    CHECK(std::memcmp(lent.data(), octets(1'000, 5'000).data(), 5'000) == 0);
    queue.give_back(first + 1'000U, 5'000);
    CHECK(queue.memory_begin() == first);
    queue.give_back(first + 1'000U, 2'000);
    queue.give_back(first + 3'000U, 3'000);
    CHECK(queue.memory_begin() == first + 100'000U);
    CHECK(queue.size() == 0);
  }
  CHECK(blocks.available() == blocks.capacity());
}

TEST_CASE("octets by reference are not copied", "[mptcp][send_queue]") {
  BlockPool blocks(1UL << 20);
  SendQueue queue(blocks, Dsn(1));
  const auto mine = octets(0, 3'000'000);
  queue.append_reference(mine);
  CHECK(blocks.available() == blocks.capacity());
  CHECK(queue.lend(Dsn(1), 100).data() == mine.data());
  queue.give_back(Dsn(1), 100);
  queue.acknowledge(Dsn(1) + 3'000'000U);
  CHECK(queue.memory_begin() == queue.end());
}

TEST_CASE("payload memory that is used up stops the writer", "[mptcp][send_queue]") {
  BlockPool blocks(3 * BlockPool::kBlockSize);
  SendQueue queue(blocks, Dsn(1));
  CHECK(queue.append(octets(0, 100'000)) == 3 * BlockPool::kBlockSize);
  CHECK(queue.append(octets(0, 1)) == 0);
  queue.acknowledge(Dsn(1) + std::uint64_t{BlockPool::kBlockSize});
  CHECK(queue.append(octets(0, 100'000)) == BlockPool::kBlockSize);
}

AddAddr echo_of(std::size_t id) {
  AddAddr out;
  out.id = AddressId{static_cast<std::uint8_t>(id)};
  out.echo = true;
  return out;
}

TEST_CASE("signals go two in a row, and on when the acknowledgment does", "[mptcp][signal_queue]") {
  using namespace std::chrono_literals;
  using dataplane::SeqNum;
  SignalQueue queue;
  dataplane::Instant now(1s);
  for (std::size_t id = 1; id <= 6; ++id)
    REQUIRE(queue.push(echo_of(id)));
  const auto goes = [&](SeqNum ack) {
    if (queue.next(now, ack) == nullptr) return false;
    queue.pop(now, ack, 1, 200ms);
    return true;
  };
  CHECK(goes(SeqNum(7)));
  CHECK(queue.may_go());
  CHECK(goes(SeqNum(7)));
  CHECK_FALSE(queue.may_go());
  CHECK_FALSE(goes(SeqNum(7)));
  CHECK(queue.due() == now + 200ms);
  CHECK(goes(SeqNum(8)));
  CHECK(goes(SeqNum(8)));
  now += 199ms;
  CHECK_FALSE(goes(SeqNum(8)));
  now += 1ms;
  CHECK(goes(SeqNum(8)));
  CHECK(goes(SeqNum(8)));
  CHECK(queue.empty());
  CHECK(queue.due() == dataplane::kNever);
  // What takes the place of its DATA_ACK has that in the next one, which is one of the row.
  REQUIRE(queue.push(MpPrio{true, {}}));
  queue.pop(now, SeqNum(9), 2, 200ms);
  CHECK_FALSE(queue.may_go());
}

TEST_CASE("signals that wait are bounded, and none is said twice", "[mptcp][signal_queue]") {
  SignalQueue queue;
  for (std::size_t id = 0; id < SignalQueue::kMost; ++id)
    CHECK(queue.push(echo_of(id)));
  CHECK(queue.push(echo_of(3)));
  CHECK_FALSE(queue.push(echo_of(100)));
  queue.push_last(MpFail{Dsn(5)});
  REQUIRE(queue.find<MpFail>() != nullptr);
  CHECK(queue.find<AddAddr>() == nullptr);
  REQUIRE(queue.push(MpPrio{true, {}}));
  REQUIRE(queue.push(MpPrio{false, {}}));
  queue.pop({}, {}, 1, {});
  REQUIRE(queue.find<MpPrio>() != nullptr);
  CHECK_FALSE(queue.find<MpPrio>()->backup);
  queue.pop({}, {}, 1, {});
  CHECK(queue.empty());
}

}  // namespace
}  // namespace mptcp::test
