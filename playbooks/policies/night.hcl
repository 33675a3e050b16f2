# What cron may heal while everybody sleeps: one ESXi host whose engines are all offline, by its appliance and its Mux.
# Everything else is left for a person. docs/policy.md explains it; engine-offline.test.hcl tests it.

policy "night" {
  description = "one dark ESXi host a night: its appliance, then its Mux"
  playbooks   = ["engine-offline.hcl"]
  modules     = ["ds_agent", "esxi_mux"]
  max_hosts   = { esxi = 1, all = 2 }
  deny        = ["reboot", "network_loss", "software", "power"]
  window      = "Mon-Sun 22:00-06:00 Asia/Tokyo"
  cooldown    = "6h"
  per_hour    = 6
  breaker     = { host = 2, estate = 4, within = "24h" }
}
