package decode

import (
	"errors"
	"fmt"
	"math/big"
	"time"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
	"github.com/zclconf/go-cty/cty/function/stdlib"
)

// terms are how a function of a library is offered, where its own complaints do not say which argument is wrong.
type terms struct {
	name   string                        // of the first parameter; "": the library's
	checks map[int]func(cty.Value) error // of arguments, by their place, once they are known
	blame  int                           // the place of the argument that a complaint is about that names none
}

// offer gives a function that does what f does, on these terms.
func offer(f function.Function, t terms) function.Function {
	params := f.Params()
	if t.name != "" {
		params[0].Name = t.name
	}
	return function.New(&function.Spec{
		Description: f.Description(), Params: params, VarParam: f.VarParam(),
		Type: func(args []cty.Value) (cty.Type, error) {
			if err := t.check(args); err != nil {
				return cty.NilType, err
			}
			ty, err := f.ReturnTypeForValues(args)
			return ty, t.blamed(err, len(args))
		},
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			v, err := f.Call(args)
			return v, t.blamed(err, len(args))
		},
	})
}

func (t terms) check(args []cty.Value) error {
	for i, check := range t.checks {
		if i >= len(args) || !args[i].IsKnown() || args[i].IsNull() {
			continue
		}
		v, _ := args[i].Unmark()
		if err := check(v); err != nil {
			return function.NewArgError(i, err)
		}
	}
	return nil
}

// blamed makes a complaint one about an argument. What made the library panic is a number that there is not.
func (t terms) blamed(err error, args int) error {
	var arg function.ArgError
	var panicked function.PanicError
	switch {
	case err == nil || errors.As(err, &arg) || t.blame >= args:
		return err
	case errors.As(err, &panicked):
		err = errors.New("the result is no number")
	}
	return function.NewArgError(t.blame, err)
}

func whole(v cty.Value) error {
	if !v.AsBigFloat().IsInt() {
		return errors.New("a whole number is required")
	}
	return nil
}

func notNegative(v cty.Value) error {
	if v.AsBigFloat().Sign() < 0 {
		return errors.New("it must not be negative")
	}
	return whole(v)
}

// Limits of what a call may make, far beyond what a runbook wants: a slip of the pen must not fill the memory.
const (
	mostIndent   = 1000
	mostProducts = 100_000
)

func anIndent(v cty.Value) error {
	if v.AsBigFloat().Cmp(big.NewFloat(mostIndent)) > 0 {
		return fmt.Errorf("at most %d spaces", mostIndent)
	}
	return notNegative(v)
}

// setProductFunc is the library's, which would make any number of combinations.
var setProductFunc = function.New(&function.Spec{
	Description: stdlib.SetProductFunc.Description(), Params: stdlib.SetProductFunc.Params(), VarParam: stdlib.SetProductFunc.VarParam(),
	Type: func(args []cty.Value) (cty.Type, error) {
		total := 1
		for i, a := range args {
			if a, _ := a.Unmark(); a.IsKnown() && !a.IsNull() && a.CanIterateElements() {
				if total *= a.LengthInt(); total > mostProducts {
					return cty.NilType, function.NewArgErrorf(i, "more than %d combinations", mostProducts)
				}
			}
		}
		return stdlib.SetProductFunc.ReturnTypeForValues(args)
	},
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) { return stdlib.SetProductFunc.Call(args) },
})

func rfc3339(v cty.Value) error {
	if _, err := time.Parse(time.RFC3339, v.AsString()); err != nil {
		return errNoTime
	}
	return nil
}

var errNoTime = errors.New("a time like 2026-01-31T23:59:00+09:00 is required")

var (
	chunkListFunc = offer(stdlib.ChunklistFunc, terms{blame: 1, checks: map[int]func(cty.Value) error{1: notNegative}})
	elementFunc   = offer(stdlib.ElementFunc, terms{checks: map[int]func(cty.Value) error{1: whole}})
	indentFunc    = offer(stdlib.IndentFunc, terms{checks: map[int]func(cty.Value) error{0: anIndent}})
	substrFunc    = offer(stdlib.SubstrFunc, terms{blame: 1, checks: map[int]func(cty.Value) error{1: whole, 2: whole}})
	timeAddFunc   = offer(stdlib.TimeAddFunc, terms{blame: 1, checks: map[int]func(cty.Value) error{0: rfc3339}})
)
