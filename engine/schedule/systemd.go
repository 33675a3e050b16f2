package schedule

import (
	"fmt"
	"slices"
	"strings"
)

// Unit is a job as systemd starts it.
type Unit struct {
	Job
	Title       string   // what it is for
	System      bool     // of the machine; else of an account's own manager, which can confine less
	User        string   // of a unit of the machine; "": root
	Delay       string   // at random at most so long after its time (systemd.time(7))
	Credentials []string // NAME:FILE, readable for the job in a folder of its own
	Writes      []string // folders that it writes to, besides its state
	Failed      []string // a command line that is started when the job did not end by itself; nil: none
}

// File is a file of systemd.
type File struct{ Name, Text string }

// locks is the folder of the locks of a machine (package journal/lock) which every service shares, with a /tmp of its own, too.
const locks = "/run/lock/dsplay"

// check refuses what would become another line.
func (u Unit) check() error {
	if err := u.Job.check(); err != nil {
		return err
	}
	return oneLine(slices.Concat([]string{u.Title, u.User, u.Delay}, u.Credentials, u.Writes, u.Failed)...)
}

// mark is the first line of every file that dsplay wrote.
const mark = "# Written by dsplay schedule install; dsplay schedule remove %s takes it away.\n"

// IsOwn tells whether dsplay wrote a file of systemd for the schedule of a name.
func IsOwn(text, name string) bool { return strings.HasPrefix(text, fmt.Sprintf(mark, name)) }

// UnitName is the name of a schedule's files, without their ending.
func UnitName(name string) string { return "dsplay-" + name }

// Files are what systemd is told: the timer, the service, and the one for when that breaks.
func (u Unit) Files() ([]File, error) {
	if err := u.check(); err != nil {
		return nil, err
	}
	base := UnitName(u.Name)
	files := []File{{base + ".timer", u.timer()}, {base + ".service", u.service(base)}}
	if u.Failed != nil {
		files = append(files, File{base + "-failed.service", u.failed()})
	}
	for i := range files {
		files[i].Text = fmt.Sprintf(mark, u.Name) + files[i].Text
	}
	return files, nil
}

func (u Unit) timer() string {
	var b strings.Builder
	section(&b, "Unit", "Description=Times of "+literal(u.Title))
	lines := []string{"OnCalendar=" + u.When, "Persistent=true"} // what was missed while the machine was off is made up for
	if u.Delay != "" {
		lines = append(lines, "RandomizedDelaySec="+u.Delay)
	}
	section(&b, "Timer", lines...)
	section(&b, "Install", "WantedBy=timers.target")
	return b.String()
}

func (u Unit) service(base string) string {
	var b strings.Builder
	unit := []string{"Description=" + literal(u.Title)}
	if u.System {
		unit = append(unit, "Wants=network-online.target", "After=network-online.target")
	}
	if u.Failed != nil {
		unit = append(unit, "OnFailure="+base+"-failed.service")
	}
	section(&b, "Unit", unit...)
	// The first signal goes to dsplay alone, which stops in good order (30 s, and what finally blocks take); then all are killed.
	service := []string{"Type=oneshot"}
	if u.System { // where runs of all accounts of this machine keep out of each other's way; on some systems only root makes it
		service = append(service, "ExecStartPre=+/usr/bin/mkdir -p -m 1777 "+locks)
	}
	service = append(service, "ExecStart="+commandLine(u.Argv), "KillMode=mixed", "TimeoutStopSec=5min")
	service = append(service, u.account()...)
	for _, c := range u.Credentials {
		service = append(service, "LoadCredential="+literal(c))
	}
	section(&b, "Service", append(service, u.confined()...)...)
	return b.String()
}

func (u Unit) failed() string {
	var b strings.Builder
	section(&b, "Unit", "Description=Tells that "+literal(u.Title)+" did not end by itself")
	service := append([]string{"Type=oneshot", "ExecStart=" + commandLine(u.Failed), "TimeoutStartSec=6min"}, u.account()...)
	for _, c := range u.Credentials {
		service = append(service, "LoadCredential="+literal(c))
	}
	section(&b, "Service", append(service, u.confined()...)...)
	return b.String()
}

// account is who it runs as, with which environment and state.
func (u Unit) account() []string {
	var out []string
	if u.System && u.User != "" {
		out = append(out, "User="+u.User)
	}
	for _, e := range u.Env {
		out = append(out, "Environment="+quoted(e))
	}
	if u.System {
		out = append(out, "StateDirectory=dsplay", "StateDirectoryMode=0700", "Environment=XDG_STATE_HOME=/var/lib")
	}
	return append(out, "UMask=0077")
}

// confined is what the job cannot do: become somebody else, write anywhere but to its state and the locks, see devices, load code
// into the kernel. It sees processes of others, because that is how a lock or a run is known to be nobody's any more. What only the machine's manager can enforce is left out of an account's own units.
func (u Unit) confined() []string {
	out := []string{"NoNewPrivileges=yes", "LockPersonality=yes", "MemoryDenyWriteExecute=yes", "RestrictRealtime=yes", "RestrictSUIDSGID=yes", "RestrictNamespaces=yes",
		"RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK", "SystemCallArchitectures=native", "SystemCallFilter=@system-service"}
	if !u.System {
		return out
	}
	out = append(out, "CapabilityBoundingSet=", "AmbientCapabilities=", "ProtectSystem=strict", "ProtectHome=read-only", "PrivateTmp=yes", "PrivateDevices=yes",
		"ProtectClock=yes", "ProtectHostname=yes", "ProtectKernelTunables=yes", "ProtectKernelModules=yes", "ProtectKernelLogs=yes", "ProtectControlGroups=yes",
		"RemoveIPC=yes", "ReadWritePaths=/run/lock")
	for _, dir := range u.Writes {
		out = append(out, "ReadWritePaths="+quoted(dir))
	}
	return out
}

func section(b *strings.Builder, name string, lines ...string) {
	if b.Len() > 0 {
		b.WriteString("\n")
	}
	fmt.Fprintf(b, "[%s]\n%s\n", name, strings.Join(lines, "\n"))
}

// commandLine quotes words for ExecStart, in which % and $ stand for something else, too.
func commandLine(argv []string) string {
	var words []string
	for i, w := range argv {
		w = quoted(w)
		if i > 0 { // the program itself knows no variables
			w = strings.ReplaceAll(w, "$", "$$")
		}
		words = append(words, w)
	}
	return strings.Join(words, " ")
}

// quoted is a word of systemd.syntax(7) and systemd.unit(5).
func quoted(w string) string {
	w = literal(w)
	if w != "" && !strings.ContainsAny(w, " \t\"'\\;#") {
		return w
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(w) + `"`
}

// literal keeps % from standing for something else.
func literal(text string) string { return strings.ReplaceAll(text, "%", "%%") }
