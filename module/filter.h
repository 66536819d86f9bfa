#pragma once

namespace rdmasync {

/// Registers the module's one command filter: for the PSYNCs of replicas, and for the writes of an
/// export. Last in OnLoad: a server does not take it back when OnLoad fails.
void register_filter();

}  // namespace rdmasync
