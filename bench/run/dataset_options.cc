#include "bench/run/dataset_options.h"

#include <cstdint>

namespace rdmasync::bench {

DatasetOptions::DatasetOptions(CLI::App& command)
    : large_count_(
          command.add_option("--large-count", different_.large_count, "large string values")),
      large_size_(
          command.add_option("--large-size", different_.large_bytes, "bytes of each, e.g. 4mb")
              ->transform(CLI::AsSizeValue(false))
              ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{512} << 20U))),
      small_keys_(
          command.add_option("--small-keys", different_.small_count, "small string values")),
      small_size_(command.add_option("--small-size", different_.small_bytes,
                                     "bytes of each; 0: texts and numbers")),
      elements_(command.add_option("--elements", different_.elements, "of each collection")) {
  command
      .add_option(
          "--dataset", name_,
          "original: 256 values of 4 MiB; small: 3,000,000 keys of 100 bytes; 1kb: 1,000,000 of "
          "1 KiB; 128kb: 16,384 of 128 KiB; hashes: 1,000,000 of 10 fields; zsets: 10,000 of 1,000 "
          "members; mixed: both of the first and every type; hash, set, zset, list, stream: one of "
          "1,000,000 elements; none")
      ->capture_default_str();
  command.add_flag("--compressible", different_.compressible, "large values compress to a quarter");
}

Dataset DatasetOptions::chosen() const {
  Dataset chosen = named_dataset(name_);
  const auto take = [](const CLI::Option* option, std::uint64_t& field, std::uint64_t value) {
    if (option->count() > 0) {
      field = value;
    }
  };
  take(large_count_, chosen.large_count, different_.large_count);
  take(large_size_, chosen.large_bytes, different_.large_bytes);
  take(small_keys_, chosen.small_count, different_.small_count);
  take(small_size_, chosen.small_bytes, different_.small_bytes);
  take(elements_, chosen.elements, different_.elements);
  chosen.compressible = different_.compressible;
  return chosen;
}

}  // namespace rdmasync::bench
