playbook {
  description = "Deep Security: security updates fail; tell the cause, and mend what can be mended from here"
  impact      = "Where TLS to the update server is inspected, and only then: the update source of every relay of this DSM becomes a mirror, or, with consent, a URL for which TLS is said not to be verified. Nothing else is changed."
  backout     = "rollback-update-source.hcl with the mode and the URL of before, which the plan shows (before → after)."
}

variable "dsm" {
  type        = string
  default     = "dsm1"
  description = "the Deep Security Manager in the inventory; it takes user and password, because only SOAP has events"
}

variable "computer" {
  type        = string
  default     = ""
  description = "BIOS UUID of a computer whose update is looked at, and with which a remedy is proven"
}

variable "update_hosts" {
  type        = list(string)
  default     = ["ipv6-iaus.trendmicro.com", "iaus.trendmicro.com"]
  description = "hosts of the update source"
  validation {
    condition     = length(var.update_hosts) > 0
    error_message = "must name one at least"
  }
}

variable "proxy" {
  type        = string
  default     = ""
  description = "the proxy of the relays, as http://[USER@]HOST:PORT; empty: they have none"
}

variable "proxy_password" {
  type        = string
  default     = ""
  sensitive   = true
  description = "password of the proxy's user"
}

variable "public_ca" {
  type        = string
  default     = ""
  description = "PEM file of public authorities, where this machine trusts that of an inspecting proxy"
}

variable "expected_issuer" {
  type        = string
  default     = ""
  description = "regular expression for who may sign for the update hosts"
}

variable "mirror" {
  type        = string
  default     = ""
  description = "URL of an internal mirror of the updates: the safe remedy"
}

variable "source_url" {
  type        = string
  default     = "https://ipv6-iaus.trendmicro.com/iau_server.dll"
  description = "the vendor's source, to which // is added with accept_no_tls_verification"
}

variable "other_source" {
  type        = string
  default     = "Other update source"
  description = "how this DSM calls the mode of another source: a guess until it was read from one where it is set"
}

variable "accept_no_tls_verification" {
  type        = bool
  default     = false
  description = "as the last resort, use a source URL that ends in //: TLS is then said not to be verified, for every relay; undocumented and unsupported"
}

variable "wait" {
  type        = string
  default     = "30m"
  description = "how long to wait for the outcome of the update that proves a remedy"
}

variable "poll" {
  type        = string
  default     = "15s"
  description = "how often DSM is asked meanwhile"
}

check "a computer is named" {
  condition     = var.computer != ""
  error_message = "Say whose update is looked at: --var computer=BIOS_UUID (config.uuid in vCenter). Nothing was touched."
}

# 1. Look. Nothing here changes anything.
play "look" {
  hosts = [var.dsm]
  probe "ds_update_source" "source" {
    other_source = var.other_source
  }
  probe "ds_update" "last" { # by events 2204 and 2205
    bios_uuid = var.computer
  }
  probe "tls_path" "path" { # from this machine, through the proxy of the relays
    on              = "localhost"
    hosts           = var.update_hosts
    proxy           = var.proxy
    proxy_password  = var.proxy_password
    ca              = var.public_ca
    expected_issuer = var.expected_issuer
  }
}

check "DSM answers" {
  condition     = length(play.look.hosts) == 1
  error_message = "No answer: ${join(", ", [for h in play.look.missing : "${h.name} (${h.error})"])}. Next: dsplay ping ${var.dsm} -i INVENTORY. Nothing was touched."
}

# 2. Judge. What the signature or the licence is about, no way and no source mends. Then the way counts, then DSM's words.
locals {
  ended   = join("", [for h in play.look.hosts : h.probe.last.outcome]) # failed, successful or unknown
  failed  = local.ended == "failed"
  event   = join("", [for h in play.look.hosts : h.probe.last.cause])
  words   = join("", [for h in play.look.hosts : h.probe.last.description])
  way     = join("", [for h in play.look.hosts : h.probe.path.cause])
  seen    = join("", [for h in play.look.hosts : h.probe.path.message])
  by      = join("", [for h in play.look.hosts : h.probe.path.by])
  seen_is = local.seen == "" ? "the way is genuine" : local.seen
  before  = { for h in play.look.hosts : "source" => h.probe.source }

  cause = (!local.failed ? "none"
    : contains(["signature_expired", "relay_old", "licence", "unreachable"], local.event) ? local.event
    : local.way != "none" ? local.way
  : local.event == "tls" ? "elsewhere" : local.event)

  safe = "1. exempt ${join(", ", var.update_hosts)} from TLS inspection; 2. give DSM and relays a proxy that does not inspect; 3. use a mirror: this command again with --var mirror=URL; 4. only then --var accept_no_tls_verification=true, which hides the inspection, is undocumented, and concerns every relay"
  # How DSM words a licence that has ended is documented nowhere: that cause is read from its text, and may be wrong.
  advice = {
    signature_expired = "the relay's build knows only an expired signing certificate: upgrade the relay (KA-0016311). No setting helps."
    relay_old         = "the relay's build is too old for the signatures: upgrade the relay (KA-0012761). No setting helps."
    licence           = "DSM's words speak of its licence (they are documented nowhere): look at Administration > Licenses, and enter a new activation code if it has ended. No setting of the source helps."
    unreachable       = "DSM does not reach the computer: look at its agent or appliance (dsplay run playbooks/engine-offline.hcl)."
    intercepted       = "TLS is inspected by ${local.by}. In this order: ${local.safe}."
    proxy_auth        = "the proxy wants a login (407): enter it in DSM, Administration > System Settings > Proxies, for manager and relays."
    dns               = "the update server has no address on the way: look at DNS, of the proxy where there is one."
    expired           = "the certificate of the update server, or the clock here, is out of date: look at both; no setting helps."
    wrong_name        = "another server answers in place of the update server: look at DNS and at portals of the network."
    forbidden         = "the proxy's rules forbid the update hosts: let its owner allow ${join(", ", var.update_hosts)}."
    timeout           = "the way to the update server hangs: look at firewall and proxy."
    refused           = "nobody answers at the update server: look at firewall and routes."
    proxy             = "the proxy does not answer: look at it, and at the proxy settings of DSM."
    no_tls            = "something answers in place of the update server, and does not speak TLS."
    elsewhere         = "the relay cannot verify TLS, and seen from here it is genuine: the relay goes another way than this machine. Look from the relay (tls_path on it)."
    unknown           = "DSM does not say why: look at the events of the relay in the console."
  }
  remedy = local.cause == "intercepted" && (var.mirror != "" || var.accept_no_tls_verification)
  url    = var.mirror != "" ? var.mirror : "${trimsuffix(var.source_url, "/")}//"
}

check "DSM knows how the last update ended" { # no event is no success
  condition     = local.ended != "unknown"
  error_message = "Not known how the last update of ${var.computer} ended: ${local.words == "" ? "DSM has no event of it" : local.words}.\nSeen on the way: ${local.seen_is}.\nNext: start an update of it in DSM, or give --var computer the BIOS UUID of one whose update failed. Nothing was touched."
}

check "an update failed" {
  severity      = "warning"
  condition     = local.ended != "successful"
  error_message = "The last update of ${var.computer} was successful: nothing is to be mended. Seen on the way: ${local.seen_is}."
}

check "the cause is mended from here" {
  condition     = local.cause == "none" || local.remedy
  error_message = "Cause: ${replace(local.cause, "_", " ")}; ${lookup(local.advice, local.cause, local.advice.unknown)}\nSeen: ${local.seen_is}.\nDSM says: ${local.words}.\nNothing was touched."
}

# 3. Mend: the source, proven by a real update.
play "mend" {
  hosts = local.remedy ? [var.dsm] : []
  block "another_source" {
    step "ds_update_source" "source" {
      title                      = "use another update source"
      url                        = local.url
      other_source               = var.other_source
      accept_no_tls_verification = var.mirror == "" && var.accept_no_tls_verification
    }
    step "ds_update" "proof" {
      bios_uuid = var.computer
      wait      = var.wait
      every     = var.poll
    }
    rescue { # no step: in a plan, which sees the source of before, going back is nothing to do
      check "proven" {
        condition     = false
        error_message = "${block.another_source.error.text}. If the source was changed, put it back: dsplay run playbooks/rollback-update-source.hcl -i INVENTORY --var ${shq("dsm=${var.dsm}")} --var ${shq("mode=${local.before.source.mode}")} --var ${shq("url=${local.before.source.url}")}"
      }
    }
  }
}
