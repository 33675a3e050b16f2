package main

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/dsplay/dsplay/engine/lab"
	"github.com/dsplay/dsplay/modules"
)

// otherLooks are the looks of modules whose cases are written in another form than moduletest's, and of what is no module.
var otherLooks = []struct {
	who   string
	lines []string
}{
	{"ds_computer, ds_computers", []string{"POST /api/computers/search?expand=computerStatus&expand=antiMalware&expand=vmwareVMVirtualMachineSummary",
		"POST /webservice/Manager getManagerTime", "POST /webservice/Manager hostDetailRetrieve", "POST /webservice/Manager hostGetStatus"}},
	{"vm, vm_snapshot, esxi_service, esxi_lockdown, vm_tools_media", []string{"POST /sdk CreateContainerView", "POST /sdk RetrievePropertiesEx", "POST /sdk DestroyView", "POST /sdk FindAllByUuid", "POST /sdk HasPrivilegeOnEntities"}},
	{"vm, after its PowerOnVM_Task", []string{"POST /sdk CreatePropertyCollector", "POST /sdk CreateFilter", "POST /sdk WaitForUpdatesEx", "POST /sdk DestroyPropertyFilter", "POST /sdk DestroyPropertyCollector"}},
	{"nsx_tag, nsx_health on NSX-V", []string{"GET /api/2.0/services/securitytags/tag", "GET /api/2.0/services/securitytags/tag/securitytag-N/vmDetail", "GET /api/2.0/services/securitytags/tag/securitytag-N/vm",
		"GET /api/2.0/services/securitygroup/lookup/virtualmachine/GUID", "GET /api/2.0/services/securitygroup/lookup/virtualmachine/vm-N", "GET /api/2.0/si/host/host-N/agents"}},
	{"nsx_tag, nsx_health on NSX-T", []string{"GET /api/v1/fabric/virtual-machines", "GET /api/v1/serviceinsertion/services", "GET /api/v1/serviceinsertion/services/service-dsva/service-instances"}},
	{"engine: what system is this", []string{`echo "dsplay:$(uname -s):$(id -u):$(command -v esxcli):$(vmware -v)"`}},
	{"engine: sessions of APIs, and their end", []string{"POST /sdk RetrieveServiceContent", "POST /sdk Login", "POST /sdk Logout", "POST /webservice/Manager authenticate", "POST /webservice/Manager endSession",
		"POST /api/session/create", "POST /api/session/destroy"}},
	{transportGuest, []string{"POST /sdk ValidateCredentialsInGuest", "POST /sdk CreateTemporaryDirectoryInGuest", "POST /sdk InitiateFileTransferToGuest", "POST /sdk InitiateFileTransferFromGuest",
		"POST /sdk StartProgramInGuest", "POST /sdk ListProcessesInGuest", "POST /sdk ListFilesInGuest", "POST /sdk DeleteDirectoryInGuest", "CreateTemporaryDirectoryInGuest ", `upload D:\Users\ops\AppData\Local\Temp\dsplay-ID\about (26 bytes)`,
		`DeleteDirectoryInGuest D:\Users\ops\AppData\Local\Temp\dsplay-ID`, `DeleteDirectoryInGuest D:\Users\ops\AppData\Local\Temp\dsplay-ID\N`}},
}

const transportGuest = `connection "guest": a folder of its own in the guest, for the streams of each line`

// looksByModule are the forms of what every module asks while it looks: of its cases all that is answered and no command.
var looksByModule = sync.OnceValues(func() (map[string][]string, error) {
	all := map[string]map[string]bool{}
	files, err := filepath.Glob("../../modules/*/testdata/*/*.txt")
	if err != nil {
		return nil, err
	}
	for _, file := range files {
		name := filepath.Base(filepath.Dir(file))
		data, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		if all[name] == nil {
			all[name] = map[string]bool{}
		}
		for _, line := range caseLooks(string(data)) {
			all[name][line] = true
		}
	}
	out := map[string][]string{}
	for name, lines := range all {
		out[name] = slices.Sorted(maps.Keys(lines))
	}
	return out, nil
})

// caseLooks are the forms of the looks of one case.
func caseLooks(text string) (forms []string) {
	kind := ""
	acts := map[string]bool{}
	var asks []string
	for line := range strings.Lines(text) {
		word, rest, _ := strings.Cut(strings.TrimRight(line, "\n"), " ")
		rest = strings.TrimLeft(rest, " ")
		switch word {
		case "host":
			kind, _, _ = strings.Cut(rest, " ")
		case "command", "do":
			acts[rest] = true
		case "answer":
			asks = append(asks, rest)
		}
	}
	for _, line := range asks {
		if !acts[line] {
			forms = append(forms, form(asked(lab.Received{Kind: kind, Text: line})))
		}
	}
	return forms
}

// looksOf is every form that docs/looks.md has.
func looksOf(t *testing.T) map[string]bool {
	t.Helper()
	byModule, err := looksByModule()
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]bool{}
	for _, lines := range byModule {
		for _, line := range lines {
			all[line] = true
		}
	}
	for _, o := range otherLooks {
		for _, line := range o.lines {
			if o.who == transportGuest {
				line += ofTransport
			}
			all[line] = true
		}
	}
	return all
}

// authored are the modules that run what the author of the playbook wrote.
var authored = []string{"command", "shell", "powershell"}

// docs/looks.md is what the cases of the modules say.
func TestLooksAreDocumented(t *testing.T) {
	byModule, err := looksByModule()
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	b.WriteString(looksHead)
	for _, m := range modules.All() {
		lines := byModule[m.Name]
		if len(lines) == 0 || slices.Contains(authored, m.Name) {
			continue
		}
		fmt.Fprintf(&b, "\n## `%s`\n\n```\n%s\n```\n", m.Name, strings.Join(lines, "\n"))
	}
	for _, o := range otherLooks {
		fmt.Fprintf(&b, "\n## %s\n\n```\n%s\n```\n", o.who, strings.TrimRight(strings.Join(o.lines, "\n"), " "))
	}
	sameFile(t, "../../docs/looks.md", b.String())
}

// sameFile wants a document to be as it is generated, or writes it.
func sameFile(t *testing.T, path, want string) {
	t.Helper()
	if *updateMatrix {
		if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := os.ReadFile(path); err != nil || string(got) != want {
		t.Errorf("%s is not what the tests say (%v); go test ./cmd/dsplay -run 'Matrix|Looks' -update-matrix", path, err)
	}
}

const looksHead = "# What modules ask while they look\n" + `
A plan lists every line that planning sent to each host (dsplay show PLAN). While a plan is applied the same is asked again, and
some things besides that only make sense then: has the restart happened, has the installer ended. Here is everything that
modules ask and that changes nothing, as their tests have it. What changes something is never here: it stands in the plan, whole,
for its host, and is not done more often than the plan has it.

The matrix (matrix.md) compares both with what the simulated systems received. Numbers, identifiers, the names of dsplay's own
files and sudo before a line are left out; of a request of an API the body is, and of SOAP the operation is named. The modules
command, shell and powershell ask what the author of the playbook wrote. copy and stat, and modules that read a file, use the
lines of files.md.

Written by a test; do not edit.
`
