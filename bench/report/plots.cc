#include "bench/report/plots.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <string>

#include "bench/measure/method.h"
#include "bench/measure/network.h"
#include "bench/report/selection.h"
#include "bench/support.h"

namespace rdmasync::bench {
namespace {

constexpr const char* kStyle = R"(
set border 3 lc rgb '#666666'
set tics nomirror textcolor rgb '#333333'
set grid lc rgb '#dddddd' lt 1
set key textcolor rgb '#333333'
)";

double total_ms(const Outcome& outcome) {
  return outcome.total_ms;
}

/// The same for a method in every plot, and still apart for the colour-blind.
std::string colour_of(const std::string& method) {
  if (method.starts_with("rdmasync")) {
    return "#0072b2";
  }
  if (method.starts_with("get-set")) {
    return "#999999";
  }
  return method == "slaveof-diskless-best" ? "#e69f00" : "#d55e00";
}

void draw(const std::string& script, const std::filesystem::path& directory,
          const std::string& name, int width, int height) {
  const Scratch scratch;
  const auto file = scratch.path() / "plot";
  for (const auto& [terminal, ending] :
       {std::pair{"svg background 'white'", "svg"}, std::pair{"pngcairo", "png"}}) {
    std::ofstream stream(file);
    stream << fmt::format("set terminal {} size {},{} font 'DejaVu Sans,11'\nset output '{}'\n",
                          terminal, width, height, (directory / (name + "." + ending)).string())
           << kStyle << script;
    stream.close();
    output_of({"gnuplot", file.string()});
  }
}

/// A panel a network, with a bar a method: the scales differ, the order does not.
void draw_times(const std::vector<Results>& all, const std::filesystem::path& directory) {
  constexpr std::array kExperiments{"original", "direct", "router", "wire"};
  std::string script;
  int panels = 0;
  for (const char* experiment : kExperiments) {
    const Dataset* dataset = dataset_of(all, experiment);
    if (dataset == nullptr) {
      continue;
    }
    const auto methods = methods_in(all, experiment);
    std::string data;
    std::string labels;
    double most = 0;
    for (std::size_t i = 0; i < methods.size(); ++i) {
      const Spread times = spread(select(all, experiment, methods[i]), total_ms);
      const auto y = static_cast<double>(methods.size() - i);
      data += fmt::format("{} {} {} {} 0x{}\n", y, times.median / 1000, times.least / 1000,
                          times.most / 1000, colour_of(methods[i]).substr(1));
      labels +=
          fmt::format("{}'{}' {}", labels.empty() ? "" : ", ", find_method(methods[i]).title, y);
      most = std::max(most, times.most / 1000);
    }
    const std::string network = std::string(experiment) == "original" ? "loopback" : experiment;
    script += fmt::format(R"(
$data{0} << EOD
{1}EOD
set title '{2}: {3}' offset 0,-0.5
set ytics ({4})
set yrange [0.4:{5}]
set xrange [0:{6}]
set xlabel 'seconds' offset 0,0.4
plot $data{0} using ($2/2):1:($2/2):(0.32):5 with boxxyerror fs solid 0.85 noborder lc rgb variable notitle, \
  '' using 2:1:3:4 with xerrorbars pt -1 lc rgb '#333333' notitle, \
  '' using ($4+{7}):1:(sprintf($2 < 1 ? '%.2f s' : '%.1f s', $2)) with labels left font ',10' notitle
)",
                          panels, data, network_title(network), describe(*dataset), labels,
                          static_cast<double>(methods.size()) + 0.6, most * 1.15, most * 0.01);
    ++panels;
  }
  if (panels > 0) {
    draw(fmt::format("set multiplot layout {},1\nset lmargin 24\nset rmargin 4\nset grid "
                     "noytics\n{}unset multiplot\n",
                     panels, script),
         directory, "times", 860, 260 * panels);
  }
}

void draw_replicas(const std::vector<Results>& all, const std::filesystem::path& directory) {
  const std::string experiment = "replicas";
  const auto methods = methods_in(all, experiment);
  std::string script;
  std::string plots;
  for (std::size_t i = 0; i < methods.size(); ++i) {
    std::string data;
    for (const std::uint64_t replicas : replicas_in(all, experiment)) {
      const Spread times = spread(select(all, experiment, methods[i], replicas), total_ms);
      data += fmt::format("{} {} {} {}\n", replicas, times.median / 1000, times.least / 1000,
                          times.most / 1000);
    }
    script += fmt::format("$data{} << EOD\n{}EOD\n", i, data);
    plots += fmt::format(
        "{0}$data{1} using 1:2:3:4 with yerrorlines lw 2 pt 7 ps 0.8 lc rgb '{2}' title '{3}'",
        plots.empty() ? "" : ", ", i, colour_of(methods[i]), find_method(methods[i]).title);
  }
  if (methods.empty()) {
    return;
  }
  const std::uint64_t most = replicas_in(all, experiment).back();
  draw(fmt::format(R"({}
set title 'Time until the last replica is done'
set xlabel 'replicas'
set ylabel 'seconds'
set logscale y
set xtics 1
set xrange [0.7:{}]
set key outside right center
plot {}
)",
                   script, static_cast<double>(most) + 0.3, plots),
       directory, "replicas", 860, 380);
}

/// A panel a method, with the same scale.
void draw_cpu(const std::vector<Results>& all, const std::filesystem::path& directory) {
  const std::string experiment = "replicas";
  const auto methods = methods_in(all, experiment);
  double most = 0;
  std::string script;
  for (std::size_t i = 0; i < methods.size(); ++i) {
    std::string data;
    for (const std::uint64_t replicas : replicas_in(all, experiment)) {
      const Selection runs = select(all, experiment, methods[i], replicas);
      const std::array parts{
          spread(runs, [](const Outcome& run) { return run.master_cpu.main; }).median,
          spread(runs, [](const Outcome& run) { return run.master_cpu.threads; }).median,
          spread(runs, [](const Outcome& run) { return run.master_cpu.children; }).median};
      data += fmt::format("{} {} {} {}\n", replicas, parts[0], parts[1], parts[2]);
      most = std::max(most, parts[0] + parts[1] + parts[2]);
    }
    script += fmt::format(R"(
$data{0} << EOD
{1}EOD
set title '{2}'
set ylabel '{3}'
set key {4}
plot $data{0} using 2:xtic(1) title 'main thread' lc rgb '#0072b2', \
  '' using 3 title 'other threads' lc rgb '#56b4e9', '' using 4 title 'children' lc rgb '#d55e00', \
  '' using 0:($2+$3+$4):(sprintf('%.2g', $2+$3+$4)) with labels offset 0,0.6 font ',9' notitle
)",
                          i, data, find_method(methods[i]).title,
                          i == 0 ? "CPU seconds of the master" : "",
                          i + 1 == methods.size() ? "top left" : "off");
  }
  if (methods.empty()) {
    return;
  }
  draw(fmt::format(R"(
set multiplot layout 1,{}
set style data histograms
set style histogram rowstacked
set style fill solid 0.85 noborder
set boxwidth 0.7
set xlabel 'replicas'
set yrange [0:{}]
{}unset multiplot
)",
                   methods.size(), most * 1.25, script),
       directory, "cpu", 860, 340);
}

/// Of the last round. A panel a method: the time scales differ, that of the latency does not.
void draw_latency(const std::vector<Results>& all, const std::filesystem::path& directory) {
  const std::string experiment = "clients";
  const auto methods = methods_in(all, experiment);
  std::string script;
  for (std::size_t i = 0; i < methods.size(); ++i) {
    const Run& run = *select(all, experiment, methods[i]).back();
    std::string data;
    for (const LatencySlot& slot : run.outcome.latencies) {
      data += fmt::format("{} {} {}\n", slot.at_ms / 1000, slot.p99, slot.most);
    }
    script += fmt::format(R"(
$data{0} << EOD
{1}EOD
set title '{2}' offset 0,-0.5
set xrange [-1:{3}]
set arrow 1 from 0, graph 0 to 0, graph 1 nohead lc rgb '#333333' dt 2
plot $data{0} using 1:3 with steps lw 1.5 lc rgb '#d55e00' title 'longest', \
  '' using 1:2 with steps lw 1.5 lc rgb '#0072b2' title '99th percentile'
)",
                          i, data, find_method(methods[i]).title, run.outcome.total_ms / 1000);
  }
  if (methods.empty()) {
    return;
  }
  draw(fmt::format(R"(
set multiplot layout {},1
set logscale y
set yrange [0.05:2000]
set ylabel 'milliseconds'
set xlabel 'seconds since the command; before it, idle' offset 0,0.5
set key top right horizontal
{}unset multiplot
)",
                   methods.size(), script),
       directory, "latency", 860, 230 * static_cast<int>(methods.size()));
}

}  // namespace

void write_plots(const std::vector<Results>& all, const std::filesystem::path& directory) {
  std::filesystem::create_directories(directory);
  draw_times(all, directory);
  draw_replicas(all, directory);
  draw_cpu(all, directory);
  draw_latency(all, directory);
}

}  // namespace rdmasync::bench
