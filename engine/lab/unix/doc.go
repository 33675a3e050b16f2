// Package unix is a simulated ESXi host shell and a simulated DSVA (the Deep Security virtual appliance): state machines
// of services, processes, users and files behind a real POSIX shell. Scripts are parsed and run by mvdan.cc/sh; every
// command is a Go function, every file is in memory. Nothing reads or changes the real machine: no program, no file,
// no environment variable, no process id of it.
//
// Where the facts come from, and how sure they are:
//   - ESXi: script names /etc/init.d/nsx-context-mux and vShield-Endpoint-Mux: certain. "NAME is running" and "NAME is not
//     running": medium. That exit codes of the scripts cannot be trusted: here that of vShield-Endpoint-Mux is always 0.
//     What start, stop and restart print: unverified. esxcli, vmware -v, uname and ps: ESXi 6.5 and 7.0, from memory.
//     That there is no sudo, bash, service, base64 and scp: certain enough; which other BusyBox commands exist: from memory.
//   - DSVA: a Linux appliance of the RHEL/CentOS 6 (init scripts) or 7 (systemd) family with a normal ds_agent: high.
//     The user dsva and sudo: unverified. Text of "service ds_agent status": the one of Red Hat's init functions, medium.
//     The keys of dsa_query, the texts of dsa_control -m, its exit code 0 with a 403: high; what both say while the
//     agent is down: invented. The file names under /opt/ds_agent: certain.
//   - sudo: version 1.8 and 1.9, English; its texts were seen on Debian 12 or are from memory.
//   - systemctl, ps, pgrep, /proc: procps and systemd as of 2020, the options that matter.
//
// Not simulated: file descriptors above 2, job control, signals other than an end (a trap runs at exit only), symbolic
// links, sed and awk, bash's extensions of POSIX syntax, and the children of a process: who is killed is killed alone.
package unix
