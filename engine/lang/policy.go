package lang

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/lang/decode"
	"github.com/dsplay/dsplay/engine/lang/infer"
)

// policyArgs are the arguments of a policy block.
type policyArgs struct {
	Description string         `hcl:"description,optional" doc:"what it is for"`
	Playbooks   []string       `hcl:"playbooks" doc:"the playbooks that it permits: names of files, with the folders around them that shall count; with signed_playbook also the hash of every file (\"sha256:…\", as sha256sum prints it)"`
	Modules     []string       `hcl:"modules" doc:"the modules whose steps may act; probes are free"`
	MaxHosts    map[string]int `hcl:"max_hosts" doc:"how many hosts may be acted on at the worst, also through \"on\": group → number; all: together. A host in none of these groups may not be acted on"`
	Deny        []string       `hcl:"deny,optional" doc:"what no step may do (restart stop reboot network_loss weakens_security power software), identity_none, unknown_arguments, probe_commands (probes of command, shell and powershell)"`
	Allow       []string       `hcl:"allow,optional" doc:"lifts what every policy denies else: identity_none, unknown_arguments, weakens_security"`
	Window      string         `hcl:"window,optional" doc:"when acting may begin, and has to be over, as \"Sat,Sun 01:00-05:00 Asia/Tokyo\"; left out: always"`
	Cooldown    string         `hcl:"cooldown,optional" doc:"how long the same module with the same arguments does not act again on the same host, as \"6h\""`
	PerHour     int            `hcl:"per_hour,optional" doc:"how many actions may be begun within an hour, by this run at the worst and by others before it; left out: any number"`
	Breaker     breakerArgs    `hcl:"breaker,optional" doc:"{ host = 2, estate = 5, within = \"24h\" }: after so many recoveries in vain of one recover, on one host or on all together, it is left to a person"`
	Require     requireArgs    `hcl:"require,optional" doc:"{ approvals = 1, signed_playbook = true }: how many people must have signed the plan; whether every file of the playbook must be in playbooks by its hash"`
}

type breakerArgs struct {
	Host   int    `hcl:"host,optional"`
	Estate int    `hcl:"estate,optional"`
	Within string `hcl:"within,optional"`
}

type requireArgs struct {
	Approvals      int  `hcl:"approvals,optional"`
	SignedPlaybook bool `hcl:"signed_playbook,optional"`
}

// breakerWithin is how far back a breaker looks that does not say it.
const breakerWithin = 24 * time.Hour

// PolicyBlock documents the block of policy files.
func PolicyBlock() BlockDoc {
	doc := BlockDoc{Name: "policy", Usage: `policy "NAME" {`, Doc: "What may be done while nobody looks, in a file of its own: dsplay run PLAYBOOK --policy FILE. " +
		"Of several policies in a file one that permits the whole plan is enough."}
	for _, f := range engine.Fields(policyArgs{}) {
		kind := f.Type.FriendlyName()
		if f.Type.IsObjectType() {
			kind = "object"
		}
		doc.Args = append(doc.Args, ArgDoc{Name: f.Name, Type: kind, Required: !f.Optional, Doc: f.Doc})
	}
	return doc
}

// LoadPolicies reads a file of policies. Modules are the catalogue that their names are checked against. With an error among
// the problems there are no policies.
func LoadPolicies(path string, modules []engine.Module) ([]engine.Policy, engine.Problems) {
	// Who could write another file that a policy reads, or set the environment, would decide: so it says all of it itself.
	functions := decode.Functions(decode.FunctionOptions{Read: func(string) ([]byte, error) {
		return nil, errors.New("a policy reads no other file: who could write that would decide")
	}})
	delete(functions, "secret")
	r := policyReader{names: map[string]hcl.Range{}, context: &hcl.EvalContext{Functions: functions}}
	for _, m := range modules {
		r.modules = append(r.modules, m.Name)
	}
	files := map[string]*hcl.File{}
	src, err := os.ReadFile(path)
	if err != nil {
		return nil, engine.Problems{{Summary: "Policy not readable", Detail: err.Error() + ".", Range: engine.Range{File: path}}}
	}
	file, diags := hclsyntax.ParseConfig(src, path, hcl.InitialPos)
	if files[path] = file; diags.HasErrors() {
		return nil, decode.Problems(diags, files)
	}
	out := r.read(path, file.Body.(*hclsyntax.Body))
	problems := decode.Problems(r.diags, files)
	slices.SortStableFunc(problems, func(a, b engine.Problem) int {
		return cmp.Or(cmp.Compare(a.Range.Line, b.Range.Line), cmp.Compare(a.Range.Col, b.Range.Col))
	})
	if problems.Err() != nil {
		return nil, problems
	}
	return out, problems
}

// policyReader reads the policies of one file.
type policyReader struct {
	complaints
	modules []string
	names   map[string]hcl.Range
	context *hcl.EvalContext
}

func (r *policyReader) read(path string, body *hclsyntax.Body) []engine.Policy {
	var out []engine.Policy
	for _, a := range inOrder(body.Attributes) {
		r.fail(a.NameRange, "Unknown argument", "There is no argument %q at file level of a policy file; everything stands in a policy block.", a.Name)
	}
	for _, b := range body.Blocks {
		switch {
		case b.Type != "policy":
			r.fail(b.TypeRange, "Unknown block", "There is no block %q in a policy file.%s", b.Type, decode.Suggest(b.Type, []string{"policy"}))
		case len(b.Labels) != 1:
			r.fail(b.DefRange(), "Missing label", `%s`, usage("policy", []string{"NAME"}))
		default:
			out = append(out, r.policy(b))
		}
	}
	if len(body.Blocks) == 0 {
		r.fail(hcl.Range{Filename: path, Start: hcl.InitialPos, End: hcl.InitialPos}, "No policy", "A policy file holds at least one policy block; dsplay doc policy shows it.")
	}
	return out
}

func (r *policyReader) policy(b *hclsyntax.Block) engine.Policy {
	name := b.Labels[0]
	if first, ok := r.names[name]; ok {
		r.fail(b.LabelRanges[0], "Name given twice", "Policy %q stands at line %d, too.", name, first.Start.Line)
	}
	r.names[name] = b.DefRange()
	var args policyArgs
	known := r.form(b)
	_, diags := decode.Struct(b.Body, r.context, &args, nil)
	diags = slices.DeleteFunc(diags, func(d *hcl.Diagnostic) bool { return strings.HasPrefix(d.Summary, "Unsupported") }) // form has said that better
	r.diags = append(r.diags, diags...)
	p := engine.Policy{Name: name, Description: args.Description, Range: decode.Range(b.DefRange()), Places: map[string]engine.Range{},
		Playbooks: args.Playbooks, Modules: args.Modules, MaxHosts: args.MaxHosts, PerHour: args.PerHour,
		Breaker: engine.Breaker{Host: args.Breaker.Host, Estate: args.Breaker.Estate},
		Require: engine.Require{Approvals: args.Require.Approvals, SignedPlaybook: args.Require.SignedPlaybook}}
	for _, a := range known {
		p.Places[a.Name] = decode.Range(a.NameRange)
	}
	if diags.HasErrors() {
		return p
	}
	if b.Body.Attributes["cooldown"] != nil {
		p.Cooldown = r.duration(b, "cooldown", args.Cooldown)
	}
	r.playbooks(b, args)
	r.words(b, "modules", args.Modules, r.modules, "module")
	p.Deny = r.denied(b, args)
	r.numbers(b, args)
	r.window(b, args.Window, &p)
	r.breaker(b, args.Breaker, &p.Breaker)
	return p
}

// form reports what does not belong into a policy, also in its objects, and gives what does.
func (r *policyReader) form(b *hclsyntax.Block) []*hclsyntax.Attribute {
	names := fieldNames(policyArgs{})
	for _, inner := range b.Body.Blocks {
		more := decode.Suggest(inner.Type, names)
		if slices.Contains(names, inner.Type) {
			more = fmt.Sprintf(" It is an argument: %s = { … }.", inner.Type)
		}
		r.fail(inner.TypeRange, "Unknown block", "There is no block %q in policy.%s", inner.Type, more)
	}
	var known []*hclsyntax.Attribute
	for _, a := range inOrder(b.Body.Attributes) {
		if !slices.Contains(names, a.Name) {
			more := infer.Suggest(a.Name, names)
			if more == "" {
				more = " Known are: " + strings.Join(names, ", ") + "."
			}
			r.fail(a.NameRange, "Unknown argument", "There is no argument %q in policy.%s", a.Name, more)
			continue
		}
		known = append(known, a)
	}
	r.inside(b, "breaker", breakerArgs{})
	r.inside(b, "require", requireArgs{})
	return known
}

// inside reports names in an object that mean nothing: converting it would drop them without a word.
func (r *policyReader) inside(b *hclsyntax.Block, name string, target any) {
	a := b.Body.Attributes[name]
	if a == nil {
		return
	}
	v, diags := a.Expr.Value(r.context)
	if diags.HasErrors() || v.IsNull() || !v.Type().IsObjectType() {
		return // decoding tells
	}
	known := fieldNames(target)
	for _, key := range slices.Sorted(maps.Keys(v.Type().AttributeTypes())) {
		if !slices.Contains(known, key) {
			r.fail(keyRange(a.Expr, key), "Unknown name", "There is no %q in %s.%s Known are: %s.", key, name, infer.Suggest(key, known), strings.Join(known, ", "))
		}
	}
}

// keyRange is where a key stands in an object that is written out, else the object.
func keyRange(e hclsyntax.Expression, key string) hcl.Range {
	if o, ok := e.(*hclsyntax.ObjectConsExpr); ok {
		for _, item := range o.Items {
			if v, diags := item.KeyExpr.Value(nil); !diags.HasErrors() && v.Type() == cty.String && v.AsString() == key {
				return item.KeyExpr.Range()
			}
		}
	}
	return e.Range()
}

var hashed = regexp.MustCompile(`^sha256:[0-9a-f]{64}$`)

func (r *policyReader) playbooks(b *hclsyntax.Block, args policyArgs) {
	hashes := 0
	for _, p := range args.Playbooks {
		switch {
		case hashed.MatchString(p):
			hashes++
		case strings.HasPrefix(p, "sha256:"):
			r.wrong(b, "playbooks", "%q is no hash: it is sha256: and the 64 digits, in small letters, that sha256sum prints.", p)
		case !strings.HasSuffix(p, ".hcl"):
			r.wrong(b, "playbooks", "%q is no name of a playbook: it ends in .hcl.", p)
		}
	}
	switch {
	case len(args.Playbooks) == 0:
		r.wrong(b, "playbooks", "It permits no playbook at all.")
	case args.Require.SignedPlaybook && hashes == 0:
		r.wrong(b, "require", "signed_playbook wants every file of the playbook in playbooks by its hash, and there is none; sha256sum FILE… prints them.")
	case !args.Require.SignedPlaybook && hashes > 0:
		r.wrong(b, "playbooks", "Hashes count only with require = { signed_playbook = true }; without it the name decides.")
	}
}

// denied is what the policy denies in the end.
func (r *policyReader) denied(b *hclsyntax.Block, args policyArgs) []string {
	known := []string{engine.DenyIdentityNone, engine.DenyUnknownArguments, engine.DenyProbeCommands}
	for _, e := range engine.Effects() {
		known = append(known, string(e))
	}
	r.words(b, "deny", args.Deny, known, "word")
	r.words(b, "allow", args.Allow, engine.DeniedUnlessAllowed(), "word")
	denied := slices.Clone(args.Deny)
	for _, word := range engine.DeniedUnlessAllowed() {
		switch {
		case slices.Contains(args.Allow, word) && slices.Contains(args.Deny, word):
			r.wrong(b, "allow", "%q stands in deny, too.", word)
		case !slices.Contains(args.Allow, word):
			denied = append(denied, word)
		}
	}
	slices.Sort(denied)
	return slices.Compact(denied)
}

// words refuses what is none of known.
func (r *policyReader) words(b *hclsyntax.Block, attr string, words, known []string, what string) {
	for _, w := range words {
		if !slices.Contains(known, w) {
			more := infer.Suggest(w, known)
			if more == "" && len(known) < 12 {
				more = " Known are: " + strings.Join(known, ", ") + "."
			}
			r.wrong(b, attr, "There is no %s %q that can stand in %s.%s", what, w, attr, more)
		}
	}
}

func (r *policyReader) numbers(b *hclsyntax.Block, args policyArgs) {
	for _, group := range slices.Sorted(maps.Keys(args.MaxHosts)) {
		if args.MaxHosts[group] < 0 {
			r.wrong(b, "max_hosts", "%s: a number of hosts is 0 or more.", group)
		}
	}
	if len(args.MaxHosts) == 0 {
		r.wrong(b, "max_hosts", "It names no group, so nothing could ever be done; %s = 10 permits ten hosts of any group.", engine.EveryHost)
	}
	if b.Body.Attributes["per_hour"] != nil && args.PerHour == 0 {
		r.wrong(b, "per_hour", "0 reads like none at all, and would be any number: leave it out for that; modules = [] permits nothing.")
	}
	for name, n := range map[string]int{"per_hour": args.PerHour, "require": args.Require.Approvals} {
		if n < 0 {
			r.wrong(b, name, "A number in %s is 0 or more.", name)
		}
	}
}

func (r *policyReader) window(b *hclsyntax.Block, text string, p *engine.Policy) {
	if b.Body.Attributes["window"] == nil {
		return
	}
	var err error
	if p.Window, err = engine.ParseWindow(text); err != nil {
		r.wrong(b, "window", "%s.", err)
	}
}

func (r *policyReader) breaker(b *hclsyntax.Block, args breakerArgs, out *engine.Breaker) {
	if b.Body.Attributes["breaker"] == nil {
		return
	}
	if out.Within = breakerWithin; args.Within != "" {
		out.Within = r.duration(b, "breaker", args.Within)
	}
	if args.Host < 0 || args.Estate < 0 || args.Host == 0 && args.Estate == 0 {
		r.wrong(b, "breaker", "It needs host, estate or both, each 1 or more: { host = 2, within = \"24h\" }.")
	}
}
