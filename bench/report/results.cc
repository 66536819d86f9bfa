#include "bench/report/results.h"

#include <cmath>
#include <fstream>
#include <ostream>
#include <stdexcept>

#include "bench/report/outcome_json.h"

namespace rdmasync::bench {

NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(Run, experiment, network, server, method, dataset,
                                                replicas, round, outcome)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(RawLine, experiment, network, name, round, mb_per_s)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Results, machine, runs, raw)

Results load_results(const std::filesystem::path& file) {
  std::ifstream stream(file);
  if (!stream) {
    return {};
  }
  return nlohmann::json::parse(stream).get<Results>();
}

namespace {

/// To a hundred-thousandth: finer than any of these figures is.
void round_numbers(nlohmann::json& json) {
  if (json.is_structured()) {
    for (nlohmann::json& element : json) {
      round_numbers(element);
    }
  } else if (json.is_number_float()) {
    json = std::round(json.get<double>() * 1e5) / 1e5;
  }
}

/// An array with an element a line.
void write_lines(std::ostream& stream, const nlohmann::json& elements) {
  const char* between = "\n";
  stream << "[";
  for (const nlohmann::json& element : elements) {
    stream << between << element.dump();
    between = ",\n";
  }
  stream << "\n]";
}

}  // namespace

void save_results(const Results& results, const std::filesystem::path& file) {
  nlohmann::json json = results;
  round_numbers(json);
  // Beside it first: whoever is interrupted keeps what there was.
  const std::filesystem::path beside = file.string() + ".new";
  std::ofstream stream(beside);
  stream << "{\"machine\": " << json["machine"].dump() << ",\n\"runs\": ";
  write_lines(stream, json["runs"]);
  stream << ",\n\"raw\": ";
  write_lines(stream, json["raw"]);
  stream << "}\n";
  stream.close();
  if (!stream) {
    throw std::runtime_error("cannot write " + beside.string());
  }
  std::filesystem::rename(beside, file);
}

}  // namespace rdmasync::bench
