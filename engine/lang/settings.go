package lang

import (
	"errors"
	"fmt"
	"strings"

	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/lang/decode"
)

// Settings implements engine.HostScope.
func (h *hostScope) Settings(e *engine.Entry) (engine.Settings, error) {
	x := h.entries[e]
	h = h.in(x.play)
	out := engine.Settings{On: h.name}
	var err error
	if x.on != nil {
		if out.On, err = h.doer(x.on); err != nil {
			return out, err
		}
	}
	var settings settingsArgs
	if err := h.read(x, x.settings, &settings); err != nil {
		return out, err
	}
	out.IgnoreErrors, out.Idempotent = settings.IgnoreErrors, settings.Idempotent
	var bad *engine.BadArg
	if out.Timeout, bad = settings.read(); bad != nil {
		return out, h.badSetting(x, x.settings, bad)
	}
	if x.retry != nil {
		retry := retryDefaults
		if err := h.read(x, x.retry, &retry); err != nil {
			return out, err
		}
		if out.Retry, bad = retry.read(); bad != nil {
			return out, h.badSetting(x, x.retry, bad)
		}
	}
	if x.sudo != nil {
		var sudo sudoArgs
		var badArg engine.BadArg
		if err := h.read(x, x.sudo, &sudo); err != nil {
			return out, err
		}
		out.Sudo = &engine.Sudo{User: sudo.User, Password: sudo.Password, Method: sudo.Method, TTY: sudo.TTY}
		if err := out.Sudo.Validate(); errors.As(err, &badArg) {
			return out, h.badSetting(x, x.sudo, &badArg)
		}
	}
	return out, nil
}

// doer evaluates "on". Null is an error: a host that lacks the attribute must not do the work itself.
func (h *hostScope) doer(x *expr) (string, error) {
	v, err := h.value(x, h.near(x.whole))
	switch {
	case err != nil:
		return "", h.explained(err, x)
	case !v.IsKnown():
		waits := h.waiting(x.refs)
		return "", &engine.Error{Kind: engine.KindEval, Host: h.name, Op: x.Range().String(), Waits: waits,
			Msg: fmt.Sprintf("on cannot be known yet: it waits for %s", strings.Join(waits, ", "))}
	case v.IsNull():
		return "", h.explained(h.wrong(x, h.name, "on is null: nobody can do it"+nullText(x.nulls(h.context()))), x)
	}
	name := asString(v)
	if h.inv.Hosts[name] == nil {
		return "", h.wrong(x, h.name, fmt.Sprintf("on: the inventory has no host %q.%s", name, decode.Suggest(name, h.inv.Names())))
	}
	return name, nil
}

// read decodes arguments of the engine's own, which must be known.
func (h *hostScope) read(x *entry, body *hclsyntax.Body, target any) error {
	if len(body.Attributes) == 0 && len(body.Blocks) == 0 {
		return nil // all of them are optional
	}
	out, diags := decode.Again(body, target, h.eval)
	if diags.HasErrors() {
		return h.first(diags, h.name)
	}
	if len(out.Unknown) == 0 {
		return nil
	}
	waits := h.waiting(x.waits)
	return &engine.Error{Kind: engine.KindEval, Host: h.name, Op: x.Range.String(), Waits: waits,
		Msg: fmt.Sprintf("%s cannot be known yet: it waits for %s", strings.Join(out.Unknown, ", "), strings.Join(waits, ", "))}
}

func (h *hostScope) badSetting(x *entry, body *hclsyntax.Body, bad *engine.BadArg) error {
	err := h.badArg(x, body, *bad).(*engine.Error) //nolint:errorlint,forcetypeassert // it was made here
	err.Msg = bad.Problem
	return err
}

// Goal implements engine.HostScope.
func (h *hostScope) Goal(e *engine.Entry) (engine.Polling, error) {
	x, goal := h.entries[e], pollingDefaults
	h = h.in(x.play)
	if err := h.read(x, x.polling, &goal); err != nil {
		return engine.Polling{}, err
	}
	out, bad := goal.read()
	if bad != nil {
		return out, h.badSetting(x, x.polling, bad)
	}
	return out, nil
}
