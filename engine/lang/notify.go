package lang

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	ctyjson "github.com/zclconf/go-cty/cty/json"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/lang/decode"
	"github.com/dsplay/dsplay/engine/lang/infer"
)

// notifyArgs are the arguments that every notify block has.
type notifyArgs struct {
	On      []string `hcl:"on,optional" doc:"of what: failure, approval_needed, recovery, change; default: failure and approval_needed"`
	Timeout string   `hcl:"timeout,optional" doc:"for everything that telling takes, as \"30s\" (default), at most 5m"`
	Repeat  string   `hcl:"repeat,optional" doc:"how long a message that says the same as the one before it is not sent again, as \"4h\"; default: each run tells. What was changed or healed is always told"`
}

// bodyArg is the argument of notifiers that the author of a block may shape.
const bodyArg = "body"

const (
	tellWithin = 30 * time.Second
	tellMost   = 5 * time.Minute
)

// NotifyOptions say what a file of notify blocks may use.
type NotifyOptions struct {
	Types   map[string]func() engine.Notifier
	Secrets *engine.Secrets
	Unread  func(source string) // as in Options
}

// NotifyBlock documents the block of files that say who is told. The arguments of a type follow with Types.
func NotifyBlock() BlockDoc {
	doc := BlockDoc{Name: "notify", Usage: `notify "TYPE" "NAME" {`, Doc: "Who is told of a run, and how: in a file of its own, which dsplay run and apply take with --notify FILE. " +
		"Types are command, mail and webhook (dsplay doc notify TYPE). One run sends one message to each block at most."}
	for _, f := range engine.Fields(notifyArgs{}) {
		doc.Args = append(doc.Args, ArgDoc{Name: f.Name, Type: f.Type.FriendlyName(), Required: !f.Optional, Doc: f.Doc})
	}
	doc.Args = append(doc.Args, ArgDoc{Name: bodyArg, Type: "any", Doc: "what webhook and command send as JSON, an expression over message, as { text = message.text }; " +
		"default: all of message (" + strings.Join(slices.Sorted(maps.Keys(messageValue(sample()).AsValueMap())), " ") + ")"})
	return doc
}

// LoadNotifications reads a file of notify blocks. With an error among the problems there are none.
func LoadNotifications(path string, opts NotifyOptions) ([]engine.Notification, engine.Problems) {
	src, err := os.ReadFile(path)
	if err != nil {
		return nil, engine.Problems{{Summary: "Notifications not readable", Detail: err.Error() + ".", Range: engine.Range{File: path}}}
	}
	file, diags := hclsyntax.ParseConfig(src, path, hcl.InitialPos)
	files := map[string]*hcl.File{path: file}
	if diags.HasErrors() {
		return nil, decode.Problems(diags, files)
	}
	dir := filepath.Dir(path)
	r := notifyReader{opts: opts, dir: dir, context: &hcl.EvalContext{Functions: decode.Functions(decode.FunctionOptions{Dir: dir, Secrets: opts.Secrets, Unread: opts.Unread})}}
	out := r.read(path, file.Body.(*hclsyntax.Body))
	problems := decode.Problems(r.diags, files)
	if problems.Err() != nil {
		return nil, problems
	}
	return out, problems
}

type notifyReader struct {
	complaints
	opts    NotifyOptions
	dir     string
	context *hcl.EvalContext
}

func (r *notifyReader) read(path string, body *hclsyntax.Body) []engine.Notification {
	var out []engine.Notification
	names := map[string]hcl.Range{}
	for _, a := range inOrder(body.Attributes) {
		r.fail(a.NameRange, "Unknown argument", "There is no argument %q at file level; everything stands in a notify block.", a.Name)
	}
	types := slices.Sorted(maps.Keys(r.opts.Types))
	for _, b := range body.Blocks {
		switch {
		case b.Type != "notify":
			r.fail(b.TypeRange, "Unknown block", "There is no block %q in a file of notifications.%s", b.Type, decode.Suggest(b.Type, []string{"notify"}))
			continue
		case len(b.Labels) != 2:
			r.fail(b.DefRange(), "Missing label", "%s", usage("notify", []string{"TYPE", "NAME"}))
			continue
		case r.opts.Types[b.Labels[0]] == nil:
			r.fail(b.LabelRanges[0], "Unknown type", "There is no notify %q.%s Known are %s.", b.Labels[0], infer.Suggest(b.Labels[0], types), strings.Join(types, ", "))
			continue
		}
		key := strings.Join(b.Labels, " ")
		if first, ok := names[key]; ok {
			r.fail(b.LabelRanges[1], "Name given twice", "notify %q stands at line %d, too.", key, first.Start.Line)
		}
		names[key] = b.DefRange()
		out = append(out, r.notification(b))
	}
	if len(body.Blocks) == 0 {
		r.fail(hcl.Range{Filename: path, Start: hcl.InitialPos, End: hcl.InitialPos}, "Nobody is told", "The file holds no notify block; dsplay doc notify shows it.")
	}
	return out
}

func (r *notifyReader) notification(b *hclsyntax.Block) engine.Notification {
	n := engine.Notification{Type: b.Labels[0], Name: b.Labels[1], Timeout: tellWithin, Via: r.opts.Types[b.Labels[0]](), Range: decode.Range(b.DefRange())}
	before := len(r.diags)
	r.common(b, &n)
	shaped, canShape := n.Via.(engine.Shaped)
	own := without(b.Body, append(fieldNames(notifyArgs{}), map[bool]string{true: bodyArg}[canShape])...)
	_, diags := decode.Struct(own, r.context, n.Via, nil)
	r.diags = append(r.diags, diags...)
	if a := b.Body.Attributes[bodyArg]; a != nil && canShape {
		r.shape(a, shaped)
	}
	if len(r.diags) > before || r.opts.Unread != nil {
		return n
	}
	r.beside(n.Via)
	if err := n.Via.Validate(); err != nil {
		r.blame(b, err)
	}
	return n
}

func fieldNames(target any) []string {
	var names []string
	for _, f := range engine.Fields(target) {
		names = append(names, f.Name)
	}
	return names
}

// without is a body without some of its arguments.
func without(body *hclsyntax.Body, names ...string) *hclsyntax.Body {
	rest := *body
	rest.Attributes = maps.Clone(body.Attributes)
	for _, n := range names {
		delete(rest.Attributes, n)
	}
	return &rest
}

// common reads what every block has.
func (r *notifyReader) common(b *hclsyntax.Block, n *engine.Notification) {
	var args notifyArgs
	body := *b.Body
	body.Attributes, body.Blocks = hclsyntax.Attributes{}, nil
	for _, name := range fieldNames(args) {
		if a := b.Body.Attributes[name]; a != nil {
			body.Attributes[name] = a
		}
	}
	_, diags := decode.Struct(&body, r.context, &args, nil)
	if r.diags = append(r.diags, diags...); diags.HasErrors() {
		return
	}
	if body.Attributes["on"] == nil {
		args.On = []string{string(engine.OnFailure), string(engine.OnApproval)}
	}
	var known []string
	for _, o := range engine.Occasions() {
		known = append(known, string(o))
	}
	for _, o := range args.On {
		if !slices.Contains(known, o) {
			r.wrong(b, "on", "There is no occasion %q.%s Known are %s.", o, infer.Suggest(o, known), strings.Join(known, ", "))
		}
		n.On = append(n.On, engine.Occasion(o))
	}
	if len(args.On) == 0 {
		r.wrong(b, "on", "It names no occasion, so nobody would ever be told.")
	}
	if args.Timeout != "" {
		if n.Timeout = r.duration(b, "timeout", args.Timeout); n.Timeout > tellMost {
			r.wrong(b, "timeout", "It is at most %s: the run waits for it.", tellMost)
		}
	}
	if args.Repeat != "" {
		n.Repeat = r.duration(b, "repeat", args.Repeat)
	}
}

// blame places what a notifier does not accept.
func (r *notifyReader) blame(b *hclsyntax.Block, err error) {
	if bad, ok := asBadArg(err); ok {
		r.wrong(b, bad.Arg, "%s.", bad.Error())
		return
	}
	r.wrong(b, "", "%s.", err)
}

// beside tells a notifier where relative paths start.
func (r *notifyReader) beside(via engine.Notifier) {
	if s, ok := via.(engine.Sourced); ok {
		s.Beside(r.dir)
	}
}

// shape makes what is sent an expression over message. It is tried on made-up messages, one of everything and one of nothing, so
// that mistakes show now.
func (r *notifyReader) shape(a *hclsyntax.Attribute, via engine.Shaped) {
	render := func(m engine.Message) ([]byte, hcl.Diagnostics) {
		scope := r.context.NewChild()
		scope.Variables = map[string]cty.Value{"message": messageValue(m)}
		v, diags := a.Expr.Value(scope)
		if diags.HasErrors() {
			return nil, diags
		}
		problem := ""
		switch {
		case v.ContainsMarked():
			problem = "A secret cannot stand in what is sent; give it in headers."
		case !v.IsWhollyKnown() || v.IsNull():
			problem = "It must be a value."
		}
		if problem != "" {
			where := a.Expr.Range()
			return nil, hcl.Diagnostics{{Severity: hcl.DiagError, Summary: "Wrong value", Detail: problem, Subject: &where}}
		}
		data, err := ctyjson.Marshal(v, v.Type())
		if err != nil {
			where := a.Expr.Range()
			return nil, hcl.Diagnostics{{Severity: hcl.DiagError, Summary: "Wrong value", Detail: err.Error() + ".", Subject: &where}}
		}
		return data, nil
	}
	for _, m := range []engine.Message{sample(), {}} {
		if _, diags := render(m); diags.HasErrors() {
			r.diags = append(r.diags, diags...)
			return
		}
	}
	via.Shape(func(m engine.Message) ([]byte, error) {
		data, diags := render(m)
		if diags.HasErrors() {
			return nil, fmt.Errorf("%s: body: %s", decode.Range(a.Expr.Range()), diags[0].Detail)
		}
		return data, nil
	})
}

// messageValue is a message as an expression sees it: its JSON.
func messageValue(m engine.Message) cty.Value {
	attrs := map[string]cty.Value{}
	data, err := json.Marshal(m)
	var fields map[string]any
	if err == nil {
		err = json.Unmarshal(data, &fields)
	}
	if err != nil { // a Message always marshals
		return cty.EmptyObjectVal
	}
	for name, f := range fields {
		attrs[name] = fieldValue(f)
	}
	return cty.ObjectVal(attrs)
}

func fieldValue(f any) cty.Value {
	switch f := f.(type) {
	case string:
		return cty.StringVal(f)
	case bool:
		return cty.BoolVal(f)
	case float64:
		return cty.NumberFloatVal(f)
	case []any:
		if len(f) == 0 {
			return cty.ListValEmpty(cty.String)
		}
		var list []cty.Value
		for _, x := range f {
			list = append(list, fieldValue(x))
		}
		return cty.ListVal(list)
	}
	return cty.ListValEmpty(cty.String) // null: a list that nothing was put into
}

func sample() engine.Message {
	return engine.Message{V: engine.MessageVersion, Occasions: engine.Occasions(), Healed: []string{"esx1"}, Changed: []string{"dsva1"}, Failed: []string{"esx2"}, Next: []string{"dsplay runs"}}
}
