#include <array>
#include <functional>

#include <catch2/catch.hpp>

#include "dataplane/base/rng.hpp"
#include "test/cc/flow.hpp"

using namespace cc;
using namespace cc::test;

namespace {

constexpr int kRounds = 120;
constexpr int kSampleEvery = 5;
using Curve = std::array<std::uint64_t, kRounds / kSampleEvery>;

struct Loss {
  std::uint64_t segments = 0;
  bool all_at_once = false;  ///< So many that only the timer finds out.
};
/// What is lost of the `count` segments of a round, the first of which is number `first`.
using Pattern = std::function<Loss(int round, std::uint64_t first, std::uint64_t count)>;

/// The window in segments over 12 s of a 100 ms path whose receiver takes 1,000 segments at a time.
Curve curve(Kind kind, const Pattern& pattern) {
  constexpr std::uint64_t kReceiverLimit = 1000;
  Flow flow(kind);
  Curve samples{};
  std::uint64_t first = 0;
  bool recovering = false;
  for (int round = 0; round < kRounds; ++round) {
    if (round % kSampleEvery == 0)
      samples.at(static_cast<std::size_t>(round / kSampleEvery)) = flow.segments();
    const std::uint64_t count = flow.segments();
    const Loss loss = pattern(round, first, count);
    first += count;
    if (loss.all_at_once) {
      flow.wait(1s);
      flow.time_out();
      recovering = false;
      continue;
    }
    const bool new_loss = loss.segments > 0 && !recovering;
    flow.round(count < kReceiverLimit, recovering, loss.segments);
    recovering = loss.segments > 0;
    if (new_loss) flow.lose();
  }
  return samples;
}

Pattern no_loss() {
  return [](int, std::uint64_t, std::uint64_t) { return Loss{}; };
}
Pattern single() {
  return [](int round, std::uint64_t, std::uint64_t) { return Loss{round == 6 ? 1U : 0U, false}; };
}
Pattern periodic() {
  return [](int, std::uint64_t first, std::uint64_t count) {
    constexpr std::uint64_t kPeriod = 4000;
    return Loss{(first + count) / kPeriod - first / kPeriod, false};
  };
}
Pattern burst() {
  return [](int round, std::uint64_t, std::uint64_t count) {
    return Loss{round == 6 || round == 7 || round == 60 ? count / 2 : 0, false};
  };
}
Pattern at_random() {
  return [rng = dataplane::Rng(9)](int, std::uint64_t, std::uint64_t count) mutable {
    Loss loss;
    for (std::uint64_t i = 0; i < count; ++i)
      loss.segments += rng.below(2000) == 0 ? 1U : 0U;
    return loss;
  };
}
Pattern timeout() {
  return [](int round, std::uint64_t, std::uint64_t) { return Loss{0, round == 6 || round == 80}; };
}

}  // namespace

// A change of these numbers is a change of how fast files arrive: look at it, then paste what the
// failure prints.
TEST_CASE("NewReno's window follows its curve under six loss patterns",
          "[cc][new_reno][snapshot]") {
  CHECK(curve(Kind::NewReno, no_loss()) == Curve{10,   320,  1280, 1280, 1280, 1280, 1280, 1280,
                                                 1280, 1280, 1280, 1280, 1280, 1280, 1280, 1280,
                                                 1280, 1280, 1280, 1280, 1280, 1280, 1280, 1280});
  CHECK(curve(Kind::NewReno, single()) == Curve{10,  320, 640, 645, 650, 655, 660, 665,
                                                670, 675, 680, 685, 690, 695, 700, 705,
                                                710, 715, 720, 725, 730, 735, 740, 745});
  CHECK(curve(Kind::NewReno, periodic()) == Curve{10,  320, 640, 321, 324, 329, 166, 171,
                                                  176, 181, 92,  96,  101, 106, 111, 116,
                                                  121, 126, 65,  70,  75,  80,  85,  90});
  CHECK(curve(Kind::NewReno, burst()) == Curve{10,  320, 481, 486, 491, 496, 501, 506,
                                               511, 516, 521, 526, 531, 267, 272, 277,
                                               282, 287, 292, 297, 302, 307, 312, 317});
  CHECK(curve(Kind::NewReno, at_random()) == Curve{10, 320, 641, 321, 161, 164, 169, 86,
                                                   45, 50,  55,  60,  65,  70,  37,  41,
                                                   46, 51,  56,  61,  66,  71,  76,  81});
  CHECK(curve(Kind::NewReno, timeout()) == Curve{10,  320, 8,   256, 324, 329, 334, 339,
                                                 344, 349, 354, 359, 364, 369, 374, 379,
                                                 384, 16,  193, 198, 203, 208, 213, 218});
}

TEST_CASE("CUBIC's window follows its curve under six loss patterns", "[cc][cubic][snapshot]") {
  CHECK(curve(Kind::Cubic, no_loss()) == Curve{10,   320,  1280, 1280, 1280, 1280, 1280, 1280,
                                               1280, 1280, 1280, 1280, 1280, 1280, 1280, 1280,
                                               1280, 1280, 1280, 1280, 1280, 1280, 1280, 1280});
  CHECK(curve(Kind::Cubic, single()) == Curve{10,   320,  917,  971,  1000, 1000, 1000, 1000,
                                              1000, 1000, 1000, 1000, 1000, 1000, 1000, 1000,
                                              1000, 1000, 1000, 1000, 1000, 1000, 1000, 1000});
  CHECK(curve(Kind::Cubic, periodic()) == Curve{10,  320, 896, 650, 471, 493, 357, 374,
                                                271, 286, 297, 215, 227, 236, 170, 179,
                                                188, 195, 200, 146, 154, 160, 165, 168});
  CHECK(curve(Kind::Cubic, burst()) == Curve{10,  320, 681, 725, 765, 800, 830, 856,
                                             879, 898, 913, 926, 936, 673, 699, 720,
                                             739, 754, 766, 775, 783, 788, 792, 795});
  CHECK(curve(Kind::Cubic, at_random()) == Curve{10,  320, 907, 459, 331, 345, 252, 264,
                                                 192, 203, 212, 153, 161, 169, 124, 92,
                                                 98,  102, 105, 107, 108, 79,  84,  88});
  CHECK(curve(Kind::Cubic, timeout()) == Curve{10,  320, 8,   256, 450, 452, 455, 458,
                                               460, 463, 466, 472, 482, 495, 511, 531,
                                               554, 16,  388, 390, 393, 395, 398, 401});
}
