playbook {
  description = "Deep Security: give the update source back what it was before update-failed.hcl"
  impact      = "Every relay of this DSM fetches security updates from the source of before. Where TLS on the way there is still inspected, updates fail again."
  backout     = "update-failed.hcl."
}

variable "dsm" {
  type        = string
  default     = "dsm1"
  description = "the Deep Security Manager in the inventory"
}

variable "mode" {
  type        = string
  default     = "Trend Micro ActiveUpdate Server"
  description = "mode of before, as the plan of update-failed.hcl shows it (before → after); the default is that of the vendor"
}

variable "url" {
  type        = string
  default     = "http://"
  description = "URL of before, as the plan of update-failed.hcl shows it (before → after); the default is that of a new DSM"
}

variable "other_source" {
  type        = string
  default     = "Other update source"
  description = "how this DSM calls the mode of another source"
}

play "back" {
  hosts = [var.dsm]
  step "ds_update_source" "source" {
    title        = "put the update source back"
    mode         = var.mode
    url          = var.url
    other_source = var.other_source
  }
}
