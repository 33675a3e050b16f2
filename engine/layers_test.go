package engine_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/dsplay/dsplay/"

// layers says what each package may import besides the standard library. A row ending in /... holds for everything
// below; the longest row that matches a package counts. A package without a row fails, so does a row without a package.
var layers = []struct{ pkg, may string }{
	{"engine", "github.com/zclconf/go-cty/..."},
	{"engine/graph", ""}, // what waits for what, as pictures
	{"engine/lang/...", "engine engine/graph engine/lang/... github.com/hashicorp/hcl/v2/... github.com/zclconf/go-cty/... github.com/zclconf/go-cty-yaml github.com/google/uuid github.com/agext/levenshtein golang.org/x/text/... golang.org/x/sync/... github.com/apparentlymart/go-cidr/..."},
	{"engine/plan", "engine"},
	{"engine/plan/show", "engine engine/plan golang.org/x/text/..."},
	{"engine/plan/approve", "engine engine/plan engine/sshpattern github.com/hiddeco/sshsig golang.org/x/crypto/ssh/..."}, // whose signature counts
	{"engine/plan/policy", "engine engine/plan"},                                                                          // what may be done while nobody looks
	{"engine/run", "engine engine/plan engine/machine github.com/zclconf/go-cty/..."},
	{"engine/refused", "engine golang.org/x/crypto/scrypt"}, // which passwords were refused, beyond a run
	{"engine/rehearse", "engine engine/lang/scenario engine/plan engine/plan/policy engine/run github.com/zclconf/go-cty/..."},
	{"engine/replay", "engine github.com/zclconf/go-cty/..."}, // what a recorded run left
	{"engine/report", "engine"},
	{"engine/report/digest", "engine engine/journal golang.org/x/text/width"}, // what of a run a person has to know
	{"engine/report/notify", "engine github.com/wneessen/go-mail"},            // how they are told
	{"engine/journal", "engine"},                                              // events on disk
	{"engine/journal/lock", "engine engine/journal golang.org/x/sys/windows"}, // runs keep out of each other's way
	{"engine/schedule", "engine"},                                             // what cron and systemd are told
	{"engine/codepage", "golang.org/x/text/encoding/..."},                     // what the bytes of a Windows program mean
	{"engine/machine", "engine engine/codepage github.com/pkg/sftp"},
	{"engine/sshpattern", ""},                               // OpenSSH's * and ?
	{"engine/transport/ssh/sshconfig", "engine/sshpattern"}, // what ssh_config says about a host
	{"engine/transport/ssh", "engine github.com/zclconf/go-cty/cty engine/codepage engine/transport/ssh/sshconfig engine/transport/dialer engine/transport/processes engine/transport/ssh/knownhosts engine/sshpattern golang.org/x/crypto/..."},
	{"engine/transport/ssh/knownhosts", "engine/sshpattern golang.org/x/crypto/ssh golang.org/x/sys/..."}, // OpenSSH's files of host keys
	{"engine/transport/accounts", "engine"}, // one account for many hosts
	{"engine/transport/certs", "engine"},    // which certificates are trusted
	{"engine/transport/winrm", "engine engine/transport/accounts engine/transport/certs engine/transport/dialer engine/transport/kerberos engine/codepage github.com/masterzen/winrm/... github.com/bodgit/ntlmssp/... github.com/google/uuid golang.org/x/text/... software.sslmate.com/src/go-pkcs12"},
	{"engine/transport/kerberos", "engine github.com/jcmturner/gokrb5/v8/... github.com/jcmturner/gofork/encoding/asn1"}, // tickets, logins with them, and what both seal
	{"engine/ping", "engine engine/run engine/machine engine/api/vsphere engine/api/dsm engine/api/nsx"},                 // what a connection is good for
	{"engine/transport/local", "engine engine/transport/processes golang.org/x/sys/windows"},
	{"engine/transport/processes", "engine"}, // how processes of a POSIX host are found and killed
	{"engine/transport/https", "engine engine/transport/certs engine/transport/dialer"},
	{"engine/transport/https/httpstest", "engine engine/transport/https"},
	{"engine/transport/dialer", "engine golang.org/x/net/http/httpproxy"}, // TCP, through proxies
	{"engine/transport/dialer/proxytest", ""},
	{"engine/transport/guest", "engine engine/api/vsphere engine/transport/accounts engine/transport/certs engine/transport/processes github.com/vmware/govmomi/... github.com/zclconf/go-cty/cty"}, // vSphere is its wire
	{"engine/transport/transporttest", "engine engine/machine"},
	{"engine/transport/transporttest/wincomputer", "engine/transport/transporttest engine/lab/windows/..."}, // a simulated Windows that the suite can be run on
	{"engine/transport/transporttest/winetarget", "engine engine/transport/transporttest engine/lab/wine"},  // a Wine that the suite can be run on
	{"engine/tlslook", "engine engine/transport/dialer"},                                                    // what certificate is seen at the end of a way
	{"engine/api/dsm", "engine golang.org/x/sync/..."},
	{"engine/api/dsm/dsmtest", ""},
	{"engine/api/nsx", "engine"},
	{"engine/api/vsphere", "engine github.com/vmware/govmomi/..."},
	{"engine/api/vsphere/vspheretest", "engine engine/... github.com/vmware/govmomi/..."},
	{"engine/lab/wine/guestd", "engine/lab/... golang.org/x/sys/windows/..."}, // it runs on Windows only
	{"engine/lab/...", "engine/lab/... github.com/vmware/govmomi/... golang.org/x/crypto/... golang.org/x/text/... golang.org/x/sync/... github.com/google/uuid mvdan.cc/sh/v3/... github.com/jcmturner/gokrb5/v8/... github.com/jcmturner/gofork/encoding/asn1"},
	{"modules", "engine modules/..."},
	{"modules/deepsecurity", "engine engine/api/dsm modules/internal/await golang.org/x/sync/errgroup"},
	{"modules/tlspath", "engine engine/tlslook engine/transport/dialer golang.org/x/sync/errgroup"}, // it looks from the controller, which is no host
	{"modules/nsx", "engine engine/api/nsx modules/internal/await"},
	{"modules/vsphere", "engine engine/api/vsphere modules/internal/await"},
	{"modules/internal/...", "engine modules/internal/..."}, // what two modules share: how a platform says a thing
	{"modules/...", "engine modules/internal/..."},
	{"inventory", "engine engine/lang/... github.com/hashicorp/hcl/v2/... github.com/zclconf/go-cty/... github.com/agext/levenshtein"},
	{"inventory/vsphere", "engine inventory engine/api/vsphere github.com/vmware/govmomi/... github.com/zclconf/go-cty/..."},
	{"cmd/...", "engine/... modules inventory/... github.com/spf13/cobra github.com/spf13/pflag golang.org/x/term github.com/zclconf/go-cty/... github.com/agext/levenshtein github.com/rogpeppe/go-internal/diff"},
}

func TestLayers(t *testing.T) {
	used := map[string]bool{}
	err := filepath.WalkDir("..", func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(file, ".go") || strings.HasSuffix(file, "_test.go") {
			return err
		}
		pkg := path.Dir(strings.TrimPrefix(filepath.ToSlash(file), "../"))
		row, may := rowOf(pkg)
		if row == "" {
			t.Errorf("%s: package %s has no row in the table of layers", file, pkg)
			return nil
		}
		used[row] = true
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		for _, i := range f.Imports {
			name, err := strconv.Unquote(i.Path.Value)
			if err != nil {
				return err
			}
			if !allowed(name, may) {
				t.Errorf("%s: %s may not import %s", strings.TrimPrefix(file, "../"), pkg, name)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range layers {
		if !used[l.pkg] {
			t.Errorf("row %s of the table of layers matches no package", l.pkg)
		}
	}
}

func rowOf(pkg string) (row, may string) {
	for _, l := range layers {
		switch {
		case l.pkg == pkg:
			return l.pkg, l.may
		case matches(pkg, l.pkg) && len(l.pkg) > len(row):
			row, may = l.pkg, l.may
		}
	}
	return row, may
}

func allowed(name, may string) bool {
	first, _, _ := strings.Cut(name, "/")
	if !strings.Contains(first, ".") {
		return true // the standard library
	}
	name = strings.TrimPrefix(name, module)
	for _, m := range strings.Fields(may) {
		if matches(name, m) {
			return true
		}
	}
	return false
}

func matches(name, pattern string) bool {
	base, all := strings.CutSuffix(pattern, "/...")
	return name == base || all && strings.HasPrefix(name, base+"/")
}
