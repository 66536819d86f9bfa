#pragma once

#include <string>
#include <vector>

#include "bench/report/results.h"

/// The pieces of the report, each in Markdown and empty where nothing was measured.
namespace rdmasync::bench {

/// Methods by networks, in the shape of the original's table.
std::string methods_table(const std::vector<Results>& all);
/// Each method against rdmasync, and rdmasync against raw reads, round by round.
std::string ratios_table(const std::vector<Results>& all);
/// Where the time of every method went.
std::string parts_list(const std::vector<Results>& all);
/// Memory, forks, CPU time, and how long the replica does not serve.
std::string costs_table(const std::vector<Results>& all);
std::string replicas_tables(const std::vector<Results>& all);
std::string clients_table(const std::vector<Results>& all);
/// The longest waits of clients beside one large value of each kind.
std::string stalls_table(const std::vector<Results>& all);
/// Each server's own syncs beside rdmasync in it.
std::string peers_table(const std::vector<Results>& all);
std::string raw_table(const std::vector<Results>& all);
std::string configurations();

}  // namespace rdmasync::bench
