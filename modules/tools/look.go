package tools

import (
	"context"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/modules/internal/scm"
)

const (
	uninstall = `HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall`
	// featureKeys has a key for each product, named by its packed code; it tells which features are installed.
	featureKeys = `HKLM\SOFTWARE\Classes\Installer\Features\`
	// packedTools is a packed code of VMware Tools that is met often, for guests whose uninstall entry was damaged.
	packedTools = "10176710886A59A4C938D6DEE96B37D5"
)

// look asks for everything. It reads keys, values, numbers and constants, nothing that Windows translates.
func look(ctx context.Context, host engine.Reader) (Status, error) {
	st := Status{Drivers: map[string]string{}, DriverStart: map[string]string{}}
	err := st.lookDrivers(ctx, host)
	if err == nil {
		err = st.lookReboot(ctx, host)
	}
	if err == nil {
		err = st.lookProduct(ctx, host)
	}
	if err == nil && st.Installed {
		err = st.lookFeatures(ctx, host)
	}
	return st, err
}

// drivers are what VMware Tools can install for the introspection.
var drivers = []string{"vsepflt", "vnetflt", "vnetWFP", "vmci", "vsock"}

const missing = "missing"

// updater is Windows' own installer.
const updater = "TrustedInstaller"

func (st *Status) lookDrivers(ctx context.Context, host engine.Reader) error {
	names := append(slices.Clone(drivers), updater)
	out, err := host.Run(ctx, engine.Command{Shell: "sc.exe query " + strings.Join(names, " & sc.exe query "), AnyOK: true})
	if err != nil {
		return err
	}
	if out.Code == scm.CodeDenied {
		return scm.Failed("ask the service control manager", out)
	}
	for _, name := range names {
		s, err := scm.Parse(section(out.Stdout, name))
		if err != nil {
			return err
		}
		if name == updater {
			st.servicing(s)
			continue
		}
		if !s.Exists {
			s.Word = missing
		}
		st.Drivers[name], st.DriverStart[name] = s.Word, missing
	}
	st.VsepfltRunning = st.Drivers["vsepflt"] == "RUNNING"
	return nil
}

func (st *Status) servicing(s scm.Service) {
	if s.State != scm.Stopped && s.Exists {
		st.Busy = "Windows services itself (TrustedInstaller runs)"
	}
}

// section cuts one service out of several answers: it begins where its name is a value. The answer for a service
// that does not exist bears no name.
func section(text, name string) engine.Output {
	begin := regexp.MustCompile(`(?im):[ \t]+` + regexp.QuoteMeta(name) + `[ \t\r]*$`).FindStringIndex(text)
	if begin == nil {
		return engine.Output{Code: scm.CodeMissing}
	}
	return engine.Output{Stdout: text[begin[1]:]} // its state is the first one that follows
}

var productKey = regexp.MustCompile(`(?m)^HKEY_LOCAL_MACHINE\\.*\\(\{[0-9A-Fa-f-]{36}\})[ \t\r]*$`)

// lookProduct finds the uninstall entry: its name is the product code, which differs between versions.
func (st *Status) lookProduct(ctx context.Context, host engine.Reader) error {
	out, err := host.Run(ctx, engine.Command{Argv: []string{"reg.exe", "query", uninstall, "/s", "/f", "VMware Tools", "/d", "/e"}, OK: []int{0, 1}})
	if err != nil {
		return err
	}
	m := productKey.FindStringSubmatch(out.Stdout)
	if m == nil {
		return nil
	}
	st.Installed, st.product = true, m[1]
	out, err = host.Run(ctx, engine.Command{Argv: []string{"reg.exe", "query", uninstall + `\` + m[1], "/v", "DisplayVersion"}, OK: []int{0, 1}})
	st.Version = values(out.Stdout)["DisplayVersion"]
	return err
}

func (st *Status) lookFeatures(ctx context.Context, host engine.Reader) error {
	var all map[string]string
	for _, packed := range []string{pack(st.product), packedTools} {
		out, err := host.Run(ctx, engine.Command{Argv: []string{"reg.exe", "query", featureKeys + packed}, OK: []int{0, 1}})
		if err != nil {
			return err
		}
		if all = values(out.Stdout); len(all) > 0 {
			break
		}
	}
	if len(all) == 0 { // the drivers are what the features install
		all = map[string]string{}
		for driver, feature := range map[string]string{"vsepflt": "FileIntrospection", "vmci": "VMCI"} {
			if st.Drivers[driver] != missing {
				all[feature] = ""
			}
		}
	}
	for name, data := range all {
		if !absent(data) {
			st.Features = append(st.Features, name)
		}
	}
	slices.Sort(st.Features)
	st.FileIntrospection = slices.Contains(st.Features, "FileIntrospection")
	return nil
}

// absent reads the data of a feature: its parent's name, with the character U+0006 before it when the feature is
// not installed. How that arrives depends on the console (a blank, a block, a spade), so any sign but a letter counts.
func absent(data string) bool {
	for _, r := range data {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '_'
	}
	return false
}

var valueLine = regexp.MustCompile(`(?m)^ {4}(\S.*?) {4}REG_SZ(?: {4}([^\r\n]*))?[ \t]*\r?$`)

// values reads the strings that reg.exe query lists. Types and names are not translated.
func values(text string) map[string]string {
	all := map[string]string{}
	for _, m := range valueLine.FindAllStringSubmatch(text, -1) {
		if !strings.HasPrefix(m[1], "(") { // the default value, whose name is translated
			all[m[1]] = m[2]
		}
	}
	return all
}

// pack gives a product code the form that Windows Installer uses for keys: the first three groups backwards, of
// the others each pair.
func pack(code string) string {
	var b strings.Builder
	for i, group := range strings.Split(strings.ToUpper(strings.Trim(code, "{}")), "-") {
		width := len(group)
		if i > 2 {
			width = 2
		}
		for ; len(group) > 0; group = group[width:] {
			for k := width - 1; k >= 0; k-- {
				b.WriteByte(group[k])
			}
		}
	}
	return b.String()
}
