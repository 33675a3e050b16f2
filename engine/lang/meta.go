package lang

import (
	"fmt"
	"slices"
	"time"

	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/lang/decode"
	"github.com/dsplay/dsplay/engine/lang/infer"
)

// settingsArgs are the arguments of an entry that the engine reads itself, beside "on": a name that is null must not
// mean the host itself.
type settingsArgs struct {
	Timeout      string `hcl:"timeout,optional"`
	IgnoreErrors bool   `hcl:"ignore_errors,optional"`
	Idempotent   bool   `hcl:"idempotent,optional"`
}

type retryArgs struct {
	Attempts int      `hcl:"attempts,optional"`
	Delay    string   `hcl:"delay,optional"`
	Backoff  float64  `hcl:"backoff,optional"`
	On       []string `hcl:"on,optional"`
}

type sudoArgs struct {
	User     string        `hcl:"user,optional"`
	Password engine.Secret `hcl:"password,optional"`
	Method   string        `hcl:"method,optional"`
	TTY      bool          `hcl:"tty,optional"`
}

type pollingArgs struct {
	Within string `hcl:"within,optional"`
	Every  string `hcl:"every,optional"`
}

var (
	retryDefaults   = retryArgs{Attempts: 3, Delay: "5s", Backoff: 1}
	pollingDefaults = pollingArgs{Within: "5m", Every: "10s"}
)

// read gives the timeout; 0: the default.
func (s settingsArgs) read() (time.Duration, *engine.BadArg) {
	if s.Timeout == "" {
		return 0, nil
	}
	return positive("timeout", s.Timeout)
}

func (r retryArgs) read() (engine.Retry, *engine.BadArg) {
	out := engine.Retry{Attempts: r.Attempts, Backoff: r.Backoff}
	if r.Attempts < 1 {
		return out, &engine.BadArg{Arg: "attempts", Problem: `"attempts" counts every execution, so it must be 1 or more`}
	}
	if r.Backoff < 1 {
		return out, &engine.BadArg{Arg: "backoff", Problem: `"backoff" is the factor by which the delay grows, so it must be 1 or more`}
	}
	d, err := decode.Duration(r.Delay)
	if err != nil {
		return out, &engine.BadArg{Arg: "delay", Problem: err.Error()}
	}
	out.Delay = d
	for _, text := range r.On {
		kinds := engine.ErrorKinds()
		if !slices.Contains(kinds, text) {
			return out, &engine.BadArg{Arg: "on", Problem: fmt.Sprintf("%q is no kind of error; known are %v", text, kinds) + infer.Suggest(text, kinds)}
		}
		out.On = append(out.On, engine.ErrorKind(text))
	}
	return out, nil
}

func (p pollingArgs) read() (engine.Polling, *engine.BadArg) {
	within, err := positive("within", p.Within)
	if err != nil {
		return engine.Polling{}, err
	}
	every, err := positive("every", p.Every)
	return engine.Polling{Within: within, Every: every}, err
}

func positive(arg, text string) (time.Duration, *engine.BadArg) {
	d, err := decode.Duration(text)
	switch {
	case err != nil:
		return 0, &engine.BadArg{Arg: arg, Problem: err.Error()}
	case d <= 0:
		return 0, &engine.BadArg{Arg: arg, Problem: fmt.Sprintf("%q must be longer than nothing", arg)}
	}
	return d, nil
}

// loadMeta takes what belongs to the engine out of an entry's body.
func (l *loader) loadMeta(e *entry, at place) {
	body := e.block.Body
	if e.on = l.attr(body, "on", cty.String, at); e.on != nil && !e.on.wrong && e.on.value != cty.NilVal && !e.on.value.IsNull() {
		if why := l.noHost(asString(e.on.value)); why != "" {
			l.fail(e.on.place, "Unknown host", "%s", why)
		}
	}
	e.settings = only(body, "timeout", "ignore_errors", "idempotent")
	var settings settingsArgs
	l.decode(e.settings, &settings, at, &e.waits)
	_, bad := settings.read()
	l.placed(e.settings, bad)
	if a := body.Attributes["idempotent"]; a != nil && e.Kind == engine.EntryProbe {
		l.fail(a.NameRange, "Not allowed here", "A probe changes nothing, so it may be repeated anyway.")
	}
	l.loadVerdict(e, at)
	if b := l.one(body, "retry"); b != nil {
		l.loadRetry(e, b, at)
	}
	if b := l.one(body, "sudo"); b != nil {
		l.form(b, form{rest: true})
		e.sudo = b.Body
		l.decode(e.sudo, &sudoArgs{}, at, &e.waits)
	} else if e.sudo = e.play.sudo; e.sudo != nil {
		e.waits.adopt(e.play.sudoWaits)
	}
	e.Sudo = e.sudo != nil
}

func (l *loader) loadRetry(e *entry, b *hclsyntax.Block, at place) {
	e.retry = only(b.Body, "attempts", "delay", "backoff", "on")
	l.form(b, form{attrs: []string{"attempts", "delay", "backoff", "on", "until"}})
	retry := retryDefaults
	l.decode(e.retry, &retry, at, &e.waits)
	_, bad := retry.read()
	l.placed(e.retry, bad)
	at.result = e.ownResult()
	e.Until = exprOf(l.attr(b.Body, "until", cty.Bool, at))
}

// loadVerdict loads what says whether an entry failed or changed something, in place of its module.
func (l *loader) loadVerdict(e *entry, at place) {
	at.result = e.ownResult()
	e.FailedWhen = exprOf(l.attr(e.block.Body, "failed_when", cty.Bool, at))
	if a := e.block.Body.Attributes["changed_when"]; a != nil && e.Kind == engine.EntryProbe {
		l.fail(a.NameRange, "Not allowed here", "A probe changes nothing.")
		return
	}
	e.ChangedWhen = exprOf(l.attr(e.block.Body, "changed_when", cty.Bool, at))
}

// ownResult is the type of "result".
func (e *entry) ownResult() cty.Type {
	switch {
	case e.Module == nil:
		return cty.DynamicPseudoType
	case e.Module.Result == nil:
		return cty.EmptyObject
	}
	return engine.TypeOf(e.Module.Result)
}

// placed reports a wrong value where it is written; a default is never wrong.
func (l *loader) placed(body *hclsyntax.Body, bad *engine.BadArg) {
	if bad == nil {
		return
	}
	if a := body.Attributes[bad.Arg]; a != nil {
		l.fail(a.Expr.Range(), "Wrong value", "%s.", bad.Problem)
	}
}

// decode checks a body of the engine's own and makes its expressions ready. What is wrong or not known yet stays as
// target has it.
func (l *loader) decode(body *hclsyntax.Body, target any, at place, waits *refs) {
	exprs := map[hclsyntax.Expression]*expr{}
	_, diags := decode.Struct(body, nil, target, l.static(at, exprs))
	l.report(diags)
	for _, a := range body.Attributes {
		if x := exprs[a.Expr]; x != nil {
			l.ready(x, at)
			a.Expr = x.node
			waits.adopt(x.refs)
		}
	}
}
