#pragma once
#include <string_view>
namespace rdmasync::master {
enum class Notifies { kTyped, kGeneric, kKeyless, kUnknown };
Notifies how_it_notifies(std::string_view lower_name);
}  // namespace rdmasync::master
