package inventory

import "strings"

// ansibleWords are Ansible's variables of a connection, and what is written instead. As attributes they would do nothing.
var ansibleWords = map[string]string{
	"host": `Write address = "…".`,
	"user": inConnection + `user = "…".`, "ssh_user": inConnection + `user = "…".`,
	"port": inConnection + `port = ….`, "ssh_port": inConnection + `port = ….`,
	"password": ofConnection, "ssh_pass": ofConnection, "ssh_password": ofConnection,
	"private_key_file": inConnection + `key = "~/.ssh/id_ed25519".`, "ssh_private_key_file": inConnection + `key = "~/.ssh/id_ed25519".`,
	"connection": `Write connection "ssh" { … }, connection "winrm" { … } or connection "local" {}.`,
	"become":     ofSudo, "become_user": ofSudo, "become_method": ofSudo, "become_pass": ofSudo, "become_password": ofSudo, "sudo_pass": ofSudo,
	"ssh_common_args": ofSSH, "ssh_extra_args": ofSSH, "ssh_args": ofSSH, "ssh_executable": ofSSH, "host_key_checking": `Write connection "ssh" { host_keys = "accept-new" }.`,
	"python_interpreter": "Nothing is installed or interpreted on hosts: leave it out.", "shell_type": "The platform is found out: leave it out.", "shell_executable": "The platform is found out: leave it out.",
	"winrm_transport": `Write connection "winrm" { auth = "ntlm" }.`, "winrm_scheme": `Write connection "winrm" { https = true }.`,
	"winrm_server_cert_validation": `Write connection "winrm" { ca = "FILE" } or a fingerprint.`, "winrm_port": `Write connection "winrm" { port = … }.`,
}

const (
	inConnection = `Write into the connection block, connection "ssh" { … }: `
	ofConnection = inConnection + `password = secret("env:NAME").`
	ofSudo       = `Write sudo {}, with user = "…" and password = secret("env:NAME") where they are needed; it is used by entries with a sudo block.`
	ofSSH        = `Write what they are for into connection "ssh" { … }: key, jump, known_hosts, config; dsplay doc connection ssh lists all.`
)

// ansible says what to write instead of ansible_NAME; "" when the name means nothing to Ansible.
func ansible(name string) string {
	word, ok := strings.CutPrefix(name, "ansible_")
	if !ok {
		return ""
	}
	return ansibleWords[word]
}
