// Package infer knows which type an expression has and whether a secret is in it, without evaluating it: it walks the
// syntax tree. It finds a misspelt attribute also where evaluation over unknown values does not, as in comprehensions.
package infer

import "github.com/zclconf/go-cty/cty"

// Type is what is known of a value before it exists: its type (cty.DynamicPseudoType where that cannot be known), and
// which parts of it hold a secret.
type Type struct {
	cty.Type
	secret *secrecy
}

// Of is a type without a secret in it.
func Of(t cty.Type) Type { return Type{Type: t} }

// Secret is a type whose value is a secret.
func Secret(t cty.Type) Type { return Type{t, &secrecy{self: true}} }

// Dynamic is the type of which nothing is known.
var Dynamic = Of(cty.DynamicPseudoType)

// IsSecret tells whether the value itself is a secret.
func (t Type) IsSecret() bool { return t.secret != nil && t.secret.self }

// HoldsSecret tells whether the value or a part of it is a secret.
func (t Type) HoldsSecret() bool { return t.secret.any() }

func (t Type) isDynamic() bool { return t.Type == cty.DynamicPseudoType }

func (t Type) isSequence() bool { return t.IsListType() || t.IsSetType() || t.IsTupleType() }

// attr is the type of an attribute that the type has.
func (t Type) attr(name string) Type { return Type{t.AttributeType(name), t.secret.at(name)} }

// element is the type of what stands under a key that is not known.
func (t Type) element(of cty.Type) Type { return Type{of, t.secret.anywhere()} }

// Object is the type of an object with these attributes.
func Object(attrs map[string]Type) Type {
	types := make(map[string]cty.Type, len(attrs))
	parts := map[string]*secrecy{}
	for name, t := range attrs {
		types[name] = t.Type
		if t.secret != nil {
			parts[name] = t.secret
		}
	}
	return Type{cty.Object(types), whole(parts)}
}

// secrecy tells which parts of a value are secret; nil: none.
type secrecy struct {
	self  bool
	elem  *secrecy            // of elements whose key is not known
	parts map[string]*secrecy // of attributes, and of elements of tuples by their number
}

func whole(parts map[string]*secrecy) *secrecy {
	if len(parts) == 0 {
		return nil
	}
	return &secrecy{parts: parts}
}

func (s *secrecy) any() bool {
	if s == nil {
		return false
	}
	if s.self || s.elem.any() {
		return true
	}
	for _, p := range s.parts {
		if p.any() {
			return true
		}
	}
	return false
}

func (s *secrecy) at(name string) *secrecy {
	switch {
	case s == nil:
		return nil
	case s.self:
		return s
	case s.parts[name] != nil:
		return s.parts[name].and(s.elem)
	}
	return s.elem
}

// anywhere is what may hold for an element of which nobody knows which one it is.
func (s *secrecy) anywhere() *secrecy {
	if s == nil || s.self {
		return s
	}
	out := s.elem
	for _, p := range s.parts {
		out = out.and(p)
	}
	return out
}

// and is what holds when a value may be the one or the other.
func (s *secrecy) and(o *secrecy) *secrecy {
	switch {
	case s == nil:
		return o
	case o == nil || s.self:
		return s
	case o.self:
		return o
	}
	parts := map[string]*secrecy{}
	for name, p := range s.parts {
		parts[name] = p
	}
	for name, p := range o.parts {
		parts[name] = parts[name].and(p)
	}
	return &secrecy{elem: s.elem.and(o.elem), parts: parts}
}

// list is the secrecy of a list whose elements are as s.
func (s *secrecy) list() *secrecy {
	if s == nil {
		return nil
	}
	return &secrecy{elem: s}
}
