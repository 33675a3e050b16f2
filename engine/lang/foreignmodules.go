package lang

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/dsplay/dsplay/engine/lang/infer"
)

// sameJob are modules of Ansible, and the one here that does their work.
var sameJob = map[string]string{
	"systemd": "service", "systemd_service": "service", "sysvinit": "service", "openrc": "service", "win_service": "service", "service_facts": "service", "win_service_info": "service",
	"win_reboot": "reboot", "vmware_guest_powerstate": "vm", "vmware_guest_info": "vm", "vmware_vm_info": "vm", "vmware_guest": "vm", "vmware_guest_tools_upgrade": "vmware_tools",
	"vmware_host_service_manager": "esxi_service", "vmware_host_service_info": "esxi_service", "vmware_host_lockdown": "esxi_lockdown", "vmware_guest_snapshot": "vm_snapshot", "vmware_vm_shell": "vm_exec", "vmware_guest_snapshot_info": "vm_snapshot",
	"win_command": "command", "raw": "shell", "script": "shell", "win_shell": "powershell", "win_powershell": "powershell",
}

// noModule are modules of Ansible that have none here.
var noModule = []string{
	"apt", "apt_repository", "dnf", "dnf5", "package", "pacman", "pip", "rpm_key", "yum", "yum_repository", "zypper", "npm", "gem", "snap", "win_package", "win_chocolatey",
	"win_feature", "win_updates", "package_facts",
	"archive", "assemble", "blockinfile", "copy", "fetch", "file", "find", "get_url", "lineinfile", "replace", "slurp", "stat", "synchronize", "template", "tempfile", "unarchive",
	"win_copy", "win_file", "win_find", "win_get_url", "win_lineinfile", "win_stat", "win_template", "win_regedit", "win_acl", "win_environment", "win_scheduled_task", "win_user", "win_group",
	"authorized_key", "cron", "debconf", "filesystem", "firewalld", "getent", "git", "group", "hostname", "iptables", "known_hosts", "locale_gen", "lvol", "modprobe", "mount", "parted",
	"seboolean", "selinux", "sysctl", "timezone", "ufw", "uri", "user", "win_uri", "expect",
}

// otherWay are modules of Ansible for which the language has words.
var otherWay = map[string]string{
	"ping": "Every probe finds out whether its host answers; those that did not are in play.NAME.missing.", "win_ping": "Every probe finds out whether its host answers; those that did not are in play.NAME.missing.",
	"debug": "What entries give is in the report (-vv), and dsplay console evaluates expressions.",
	"meta":  "Hosts are left out with when, and runs are ended with check.", "add_host": "Hosts stand in the inventory.", "group_by": "Write a local: a list of names, made by an expression.",
	"include_vars": "Write variable blocks at file level, and give values with --var-file.", "include_role": `Write include "SOURCE" "NAME".`, "import_role": `Write include "SOURCE" "NAME".`,
	"wait_for_connection": "Write retry { attempts = 20, delay = \"10s\" }, one argument a line, at the probe that comes next; reboot waits by itself.",
}

// unknownModule says what to write instead of a module that there is not.
func (l *loader) unknownModule(name string) string {
	short := name[strings.LastIndex(name, ".")+1:] // ansible.builtin.copy
	ours := sameJob[short]
	switch {
	case l.modules[short] != nil:
		return fmt.Sprintf(" Write %q.", short)
	case l.modules[ours] != nil:
		return fmt.Sprintf(" The module %q does that: dsplay doc %s.", ours, ours)
	case ours != "" || slices.Contains(noModule, short):
		return ` No module does that yet: write "command" or "shell", and for a step a guard: creates, or unless.`
	case otherWay[short] != "":
		return " " + otherWay[short]
	case foreign(short) != "":
		return " " + foreign(short)
	}
	return infer.Suggest(name, slices.Sorted(maps.Keys(l.modules)))
}
