package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/lang"
	"github.com/dsplay/dsplay/engine/plan"
	"github.com/dsplay/dsplay/engine/plan/approve"
	"github.com/zclconf/go-cty/cty"
	ctyjson "github.com/zclconf/go-cty/cty/json"
)

// document writes down a plan and everything that it was made from. Nothing in it is secret: secrets have names, texts
// from outside are redacted, and a file that holds one is refused.
func (s *session) document(p *plan.Plan, valid time.Duration) (*plan.Document, error) {
	pb := s.loaded.program.Playbook()
	head := plan.Document{
		Dsplay: version, Until: p.Made.Add(valid).UTC().Round(0), Planner: planner(), Offline: s.f.offline,
		Playbook:  plan.Playbook{Path: s.path, Description: pb.Description, Impact: pb.Impact, Backout: pb.Backout},
		Inventory: plan.Inventory{Path: absolute(s.f.load.inventory), Files: []plan.File{}},
		Limit:     s.only, Tags: s.f.tags, SkipTags: s.f.skipTags,
	}
	for _, f := range s.loaded.program.Files() {
		if s.redact(string(f.Data)) != string(f.Data) {
			return nil, fmt.Errorf("%s holds a secret in clear text, and a plan holds the playbook's files: read it with secret(\"file:…\") or secret(\"env:…\"); nothing was executed", f.Path)
		}
		head.Playbook.Files = append(head.Playbook.Files, plan.NewFile(f))
	}
	for _, f := range s.loaded.model.Files() {
		file := plan.NewFile(f)
		file.Data = nil
		head.Inventory.Files = append(head.Inventory.Files, file)
	}
	for _, in := range s.loaded.program.Inputs() {
		v, err := s.variable(in)
		if err != nil {
			return nil, err
		}
		head.Variables = append(head.Variables, v)
	}
	return s.written(p, head)
}

// estate is a plan as it is shown before it is applied at once: without what only a file needs.
func (s *session) estate(p *plan.Plan) (*plan.Document, error) {
	pb := s.loaded.program.Playbook()
	return s.written(p, plan.Document{Dsplay: version, Playbook: plan.Playbook{Path: s.path, Description: pb.Description, Impact: pb.Impact, Backout: pb.Backout}})
}

func (s *session) written(p *plan.Plan, head plan.Document) (*plan.Document, error) {
	for _, name := range s.known(p) {
		h, err := s.host(s.inv.Hosts[name])
		if err != nil {
			return nil, err
		}
		head.Hosts = append(head.Hosts, h)
	}
	return p.Document(head), nil
}

// known are the names of all hosts, and of the local one when it is used.
func (s *session) known(p *plan.Plan) []string {
	names := s.inv.Names()
	if p.Identities()[engine.Localhost] != "" {
		names = append(names, engine.Localhost)
		slices.Sort(names)
	}
	return names
}

func (s *session) variable(in lang.Input) (plan.Variable, error) {
	v := plan.Variable{Name: in.Name, Origin: s.redact(in.Origin)}
	plain, marks := in.Value.UnmarkDeep()
	for m := range marks {
		if secret, ok := m.(engine.SecretMark); ok {
			v.Secret = secret.Name
			return v, nil
		}
	}
	value, err := ctyjson.Marshal(plain, plain.Type())
	if err != nil {
		return v, fmt.Errorf("variable %s: %w", in.Name, err)
	}
	if s.redact(string(value)) != string(value) {
		return v, fmt.Errorf("the variable %s holds a secret in clear text: declare it with sensitive = true; nothing was executed", in.Name)
	}
	v.Value = value
	v.Type, err = ctyjson.MarshalType(plain.Type())
	return v, err
}

func (s *session) host(h *engine.Host) (plan.Host, error) {
	out := plan.Host{Name: h.Name, Address: h.Address, Groups: h.Groups, Connection: h.Connection.Type, Via: h.Via(), Settings: fingerprint(h)}
	if len(h.Attrs) == 0 {
		return out, nil
	}
	text, err := json.Marshal(ctyjson.SimpleJSONValue{Value: cty.ObjectVal(h.Attrs)})
	if err != nil {
		return out, fmt.Errorf("host %s: %w", h.Name, err)
	}
	if hidden := s.redact(string(text)); json.Valid([]byte(hidden)) {
		text = []byte(hidden)
	}
	out.Attributes = text
	return out, nil
}

// fingerprint is a hash of how a host is reached; secrets count by name.
func fingerprint(h *engine.Host) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	// Settings are structs of plain values and secrets, which encode as their names.
	all := []any{h.Address, h.Connection.Type, h.Connection.Settings, h.Sudo}
	if x, ok := h.Connection.Settings.(engine.Explainer); ok {
		for _, o := range x.Explain(h.Address) { // lines may move
			all = append(all, o.Arg, o.Value.GoString())
		}
	}
	if err := e.Encode(all); err != nil {
		return ""
	}
	sum := sha256.Sum256(b.Bytes())
	return hex.EncodeToString(sum[:])
}

// planner is who runs this process, and with which SSH keys this person could sign.
func planner() plan.Planner {
	name, host := whoami()
	p := plan.Planner{User: name, Host: host}
	if home, err := os.UserHomeDir(); err == nil {
		p.Keys = approve.Keys{Socket: os.Getenv("SSH_AUTH_SOCK")}.Held(filepath.Join(home, ".ssh"))
	}
	return p
}

// absolute is a path that means the same from any folder; what is no path stays.
func absolute(path string) string {
	if abs, err := filepath.Abs(path); err == nil && !strings.Contains(path, "://") {
		return abs
	}
	return path
}
