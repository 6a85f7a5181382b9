#include "test/lab/report.hpp"

#include <array>
#include <cmath>
#include <cstdio>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace lab {

namespace {

/// So much may ours differ from the paper's before it asks for a reason.
constexpr double kUnexplained = 0.15;

/// Calls visit(case, figure, result) for each figure that has values.
template <class Visit>
void for_each_figure(const Experiment& experiment, const std::vector<CaseResult>& results,
                     Visit&& visit) {
  for (std::size_t i = 0; i < experiment.cases.size(); ++i)
    for (std::size_t k = 0; k < experiment.cases[i].figures.size(); ++k)
      if (!results[i].figures[k].values.empty())
        visit(experiment.cases[i], experiment.cases[i].figures[k], results[i].figures[k]);
}

bool differs(const Figure& figure, const Result& result) {
  return figure.paper &&
         std::abs(result.median() - *figure.paper) > kUnexplained * std::abs(*figure.paper);
}

std::string number(double value) {
  if (std::abs(value) >= 1000) return fmt::format("{:.0f}", value);
  if (std::abs(value) >= 100) return fmt::format("{:.1f}", value);
  return fmt::format("{:.2f}", value);
}

std::string band_of(const Band& band) {
  const bool low = std::isfinite(band.low);
  const bool high = std::isfinite(band.high);
  if (low && high) return fmt::format("{} to {}", number(band.low), number(band.high));
  if (low) return "from " + number(band.low);
  return high ? "to " + number(band.high) : "";
}

using Row = std::array<std::string, 7>;

std::vector<Row> rows_of(const Experiment& experiment, const std::vector<CaseResult>& results) {
  std::vector<Row> out = {{"case", "figure", "paper", "ours", "spread", "ratio", "band"}};
  for_each_figure(experiment, results, [&](const Case& one, const Figure& f, const Result& r) {
    const std::string name = f.unit.empty() ? f.name : fmt::format("{}, {}", f.name, f.unit);
    out.push_back({one.label, name, f.paper ? number(*f.paper) : "", number(r.median()),
                   fmt::format("{} to {}", number(r.low()), number(r.high())),
                   f.paper ? fmt::format("{:.2f}", r.median() / *f.paper) : "", band_of(f.band)});
  });
  return out;
}

}  // namespace

std::vector<std::string> complaints(const Experiment& experiment,
                                    const std::vector<CaseResult>& results) {
  std::vector<std::string> out;
  for (const CaseResult& result : results)
    out.insert(out.end(), result.failures.begin(), result.failures.end());
  for_each_figure(experiment, results, [&](const Case& one, const Figure& f, const Result& r) {
    if (r.median() < f.band.low || r.median() > f.band.high)
      out.push_back(fmt::format("{}: {} is {}; it must be {}", one.label, f.name,
                                number(r.median()), band_of(f.band)));
    if (differs(f, r) && f.why.empty())
      out.push_back(fmt::format("{}: {} is {} where the paper has {}, and nobody says why",
                                one.label, f.name, number(r.median()), number(*f.paper)));
  });
  return out;
}

std::string section_of(const Experiment& experiment, const std::vector<CaseResult>& results,
                       bool has_plot) {
  std::string out =
      fmt::format("## {}: {}\n\n{}\n\n", experiment.name, experiment.title, experiment.setup);
  std::size_t line = 0;
  for (const Row& row : rows_of(experiment, results)) {
    out += fmt::format("| {} |\n", fmt::join(row, " | "));
    if (line++ == 0) out += "| --- | --- | ---: | ---: | ---: | ---: | --- |\n";
  }
  std::vector<std::string> reasons;
  for_each_figure(experiment, results, [&](const Case& one, const Figure& f, const Result& r) {
    if (differs(f, r) && !f.why.empty())
      reasons.push_back(fmt::format("- {}, {}: {}\n", one.label, f.name, f.why));
  });
  if (!reasons.empty())
    out += fmt::format("\nWhere ours differs by more than 15 %:\n\n{}", fmt::join(reasons, ""));
  if (has_plot) out += fmt::format("\n![{}](plots/{}.svg)\n", experiment.title, experiment.name);
  return out + "\n";
}

std::string table_of(const Experiment& experiment, const std::vector<CaseResult>& results) {
  const std::vector<Row> rows = rows_of(experiment, results);
  std::array<std::size_t, 7> widths{};
  for (const Row& row : rows)
    for (std::size_t i = 0; i < row.size(); ++i)
      widths[i] = std::max(widths[i], row[i].size());
  std::string out;
  for (const Row& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i)
      out += i < 2 || i == 6 ? fmt::format("{:<{}}  ", row[i], widths[i])
                             : fmt::format("{:>{}}  ", row[i], widths[i]);
    out.erase(out.find_last_not_of(' ') + 1);
    out += '\n';
  }
  return out;
}

std::string json_of(const Experiment& experiment, const std::vector<CaseResult>& results) {
  std::vector<std::string> figures;
  for_each_figure(experiment, results, [&](const Case& one, const Figure& f, const Result& r) {
    figures.push_back(fmt::format(
        R"({{"case": "{}", "figure": "{}", "unit": "{}", "paper": {}, "values": [{}]}})", one.label,
        f.name, f.unit, f.paper ? fmt::format("{}", *f.paper) : "null", fmt::join(r.values, ", ")));
  });
  return fmt::format(R"({{"experiment": "{}", "figures": [{}]}})", experiment.name,
                     fmt::join(figures, ", "));
}

bool draw(const Experiment& experiment, const std::vector<CaseResult>& results,
          const std::string& file) {
  std::FILE* gnuplot = popen("gnuplot", "w");
  if (gnuplot == nullptr) return false;
  std::vector<std::string> lines;
  std::string data;
  for (const CaseResult& result : results) {
    for (const Series& series : result.series) {
      lines.push_back(
          fmt::format("$d{} using 1:2 with lines lw 1.5 title \"{}\"", lines.size(), series.name));
      data += fmt::format("$d{} << EOD\n", lines.size() - 1);
      for (const auto& [x, y] : series.points)
        data += fmt::format("{:.6g} {:.6g}\n", x, y);
      data += "EOD\n";
    }
  }
  fmt::print(
      gnuplot,
      "set term svg size 900,420 font 'sans,11' background '#ffffff'\nset output '|sed \"s/ *$//\" "
      "> {}'\n"
      "set key outside noenhanced\nset grid\nset xlabel '{}'\nset ylabel '{}'\n{}{}plot {}\n",
      file, experiment.plot->x, experiment.plot->y,
      experiment.plot->log_x ? "set logscale x\n" : "", data, fmt::join(lines, ", "));
  return pclose(gnuplot) == 0;
}

}  // namespace lab
