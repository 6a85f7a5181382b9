// Runs a fuzzer without libFuzzer: over files, over all files of directories, and over random
// inputs from a seed. So every compiler and every test run has the fuzzers, if not their guidance.
//
//   fuzz_NAME [--runs N] [--seed S] [--max-length L] [FILE|DIRECTORY...]

#include <csignal>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string_view>
#include <unistd.h>
#include <vector>

#include "dataplane/base/decimal.hpp"
#include "dataplane/base/rng.hpp"
#include "test/fuzz/input.hpp"

namespace {

/// What is being run, for the message of a crash.
// NOLINTNEXTLINE(cppcoreguidelines-avoid-non-const-global-variables): a signal handler has no other
// way.
char current_input[512];

extern "C" void on_crash(int signal) {
  const auto ignore = write(STDERR_FILENO, current_input, std::strlen(current_input));
  static_cast<void>(ignore);
  std::signal(signal, SIG_DFL);
  std::raise(signal);
}

void run(const std::vector<std::uint8_t>& octets) {
  LLVMFuzzerTestOneInput(octets.data(), octets.size());
}

bool run_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return false;
  const std::vector<std::uint8_t> octets{std::istreambuf_iterator<char>(file), {}};
  std::snprintf(current_input, sizeof current_input, "\nfuzz: the input was %s\n", path.c_str());
  run(octets);
  return true;
}

/// Random octets, with the runs of equal and of small values that a decoder of records can make
/// something of.
std::vector<std::uint8_t> random_input(dataplane::Rng& rng, std::uint64_t max_length) {
  std::vector<std::uint8_t> octets(rng.below(max_length + 1));
  const std::uint64_t small = rng.below(4);
  for (std::uint8_t& octet : octets) {
    const bool is_small = rng.below(4) < small;
    octet = static_cast<std::uint8_t>(rng.below(is_small ? 16 : 256));
  }
  return octets;
}

struct Options {
  std::uint64_t runs = 0;
  std::uint64_t seed = 1;
  std::uint64_t max_length = 2048;
  std::vector<std::filesystem::path> files;
};

bool parse_options(int argc, char** argv, Options& options) {
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    if (word.substr(0, 2) != "--") {
      options.files.emplace_back(word);
      continue;
    }
    std::uint64_t* value = word == "--runs"         ? &options.runs
                           : word == "--seed"       ? &options.seed
                           : word == "--max-length" ? &options.max_length
                                                    : nullptr;
    if (value == nullptr || ++i == argc) return false;
    const auto number = dataplane::parse_decimal<std::uint64_t>(argv[i]);
    if (!number) return false;
    *value = *number;
  }
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  if (!parse_options(argc, argv, options)) {
    std::fprintf(stderr, "usage: %s [--runs N] [--seed S] [--max-length L] [FILE|DIRECTORY...]\n",
                 argv[0]);
    return 2;
  }
  std::signal(SIGABRT, on_crash);
  std::signal(SIGSEGV, on_crash);
  std::uint64_t count = 0;
  for (const std::filesystem::path& path : options.files) {
    std::vector<std::filesystem::path> inputs;
    if (std::filesystem::is_directory(path)) {
      for (const auto& entry : std::filesystem::directory_iterator(path))
        inputs.push_back(entry.path());
    } else {
      inputs.push_back(path);
    }
    for (const auto& input : inputs) {
      if (!run_file(input)) {
        std::fprintf(stderr, "%s cannot be read\n", input.c_str());
        return 2;
      }
      ++count;
    }
  }
  for (std::uint64_t i = 0; i < options.runs; ++i) {
    // A generator of its own for each input, so that the one that fails can be run alone.
    const std::uint64_t seed = options.seed + i;
    dataplane::Rng rng(seed);
    std::snprintf(current_input, sizeof current_input,
                  "\nfuzz: the input was --runs 1 --seed %llu --max-length %llu\n",
                  static_cast<unsigned long long>(seed),
                  static_cast<unsigned long long>(options.max_length));
    run(random_input(rng, options.max_length));
    ++count;
  }
  std::printf("%llu inputs\n", static_cast<unsigned long long>(count));
  return 0;
}
