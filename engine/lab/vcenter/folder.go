package vcenter

import (
	"net/http"
	"strings"
	"sync"

	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/soap"
)

// Where the files of the machines are.
const (
	datastore  = "LocalDS_0"
	datacenter = "DC0"
)

// folder serves the files of datastores as a vCenter does: /folder/VM/vmware.log?dcPath=DC0&dsName=LocalDS_0, for who has a
// session. The log is the only file. That a log can be read while its machine runs: high.
type folder struct {
	v *VCenter

	mu       sync.Mutex
	sessions map[string]string // key → user
}

// see remembers who is logged in.
func (f *folder) see(ctx *simulator.Context, method *simulator.Method) {
	if ctx.Session == nil {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if method.Name == "Logout" {
		delete(f.sessions, ctx.Session.Key)
		return
	}
	f.sessions[ctx.Session.Key] = ctx.Session.UserName
}

func (f *folder) user(r *http.Request) (string, bool) {
	cookie, err := r.Cookie(soap.SessionCookieName)
	if err != nil {
		return "", false
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	user, ok := f.sessions[strings.Trim(cookie.Value, `"`)]
	return user, ok
}

// ServeHTTP answers one request for a file.
func (f *folder) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	user, ok := f.user(r)
	if f.v.cfg.Record != nil {
		f.v.cfg.Record(user, r.Method+" "+r.URL.RequestURI(), r.Method != http.MethodGet && r.Method != http.MethodHead)
	}
	name, isLog := strings.CutSuffix(strings.TrimPrefix(r.URL.Path, "/folder/"), "/vmware.log")
	query := r.URL.Query()
	_, known := f.v.refs[name]
	switch {
	case !ok:
		http.Error(w, "Unauthorized", http.StatusUnauthorized)
	case r.Method != http.MethodGet:
		http.Error(w, "Method Not Allowed", http.StatusMethodNotAllowed)
	case f.v.noFiles.Load():
		http.Error(w, "Forbidden", http.StatusForbidden)
	case query.Get("dcPath") != datacenter || query.Get("dsName") != datastore || !isLog || !known || f.v.cfg.Log == nil:
		http.NotFound(w, r)
	default:
		w.Header().Set("Content-Type", "application/octet-stream")
		_, _ = w.Write([]byte(f.v.cfg.Log(name))) // a reader that is gone needs nothing
	}
}

// HideFiles takes the right to read files of datastores from the user, or gives it back.
func (v *VCenter) HideFiles(on bool) { v.noFiles.Store(on) }
