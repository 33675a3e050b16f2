package inventory

import (
	"maps"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// mix is what several blocks of the same type say together: each argument as the nearest of them has it.
// Blocks within them are taken as a whole: all of one type from the nearest that has such blocks.
type mix struct {
	args    map[string]said
	blocks  map[string]saidBlocks
	clashes map[string][2]said
	place   hcl.Range // the header of the nearest block, for what is missing
}

type said struct {
	attr *hclsyntax.Attribute
	by   *decl
}

type saidBlocks struct {
	blocks []*hclsyntax.Block
	by     *decl
}

// block is the connection of a type that d has, or its sudo block for "".
func (d *decl) block(kind string) *hclsyntax.Block {
	switch {
	case kind == "":
		return d.sudo
	case d.connection != nil && d.connection.Labels[0] == kind:
		return d.connection
	}
	return nil
}

// mixOf is what the groups say; nil when they say nothing.
func (l *lineage) mixOf(m *Model, kind string) *mix {
	if known, ok := l.mixes[kind]; ok {
		return known
	}
	var x *mix
	for _, g := range l.groups {
		if b := g.block(kind); b != nil {
			if x == nil {
				x = &mix{args: map[string]said{}, blocks: map[string]saidBlocks{}, clashes: map[string][2]said{}}
			}
			x.place = b.DefRange()
			l.mixArgs(m, x, b, kind)
			l.mixBlocks(x, b, kind)
		}
	}
	l.mixes[kind] = x
	return x
}

func (l *lineage) mixArgs(m *Model, x *mix, b *hclsyntax.Block, kind string) {
	for name := range b.Body.Attributes {
		if _, done := x.args[name]; done {
			continue
		}
		get := func(d *decl) said { return said{d.block(kind).Body.Attributes[name], d} }
		speakers := l.nearest(func(d *decl) bool { b := d.block(kind); return b != nil && b.Body.Attributes[name] != nil })
		first := get(speakers[0])
		x.args[name] = first
		for _, d := range speakers[1:] {
			a, _ := m.eval(first.attr.Expr)
			b, _ := m.eval(get(d).attr.Expr)
			if !a.RawEquals(b) {
				x.clashes[name] = [2]said{first, get(d)}
			}
		}
	}
}

func (l *lineage) mixBlocks(x *mix, b *hclsyntax.Block, kind string) {
	for _, inner := range b.Body.Blocks {
		if _, done := x.blocks[inner.Type]; done {
			continue
		}
		speakers := l.nearest(func(d *decl) bool { b := d.block(kind); return b != nil && len(blocksOf(b, inner.Type)) > 0 })
		x.blocks[inner.Type] = saidBlocks{blocksOf(speakers[0].block(kind), inner.Type), speakers[0]}
	}
}

func blocksOf(b *hclsyntax.Block, kind string) []*hclsyntax.Block {
	var out []*hclsyntax.Block
	for _, inner := range b.Body.Blocks {
		if inner.Type == kind {
			out = append(out, inner)
		}
	}
	return out
}

// under is x with what own, a block of the host by itself, says instead. Both x and own may be nil, not both.
func (x *mix) under(own *hclsyntax.Block, by *decl) *mix {
	if own == nil {
		return x
	}
	y := &mix{args: map[string]said{}, blocks: map[string]saidBlocks{}, clashes: map[string][2]said{}, place: own.DefRange()}
	if x != nil {
		maps.Copy(y.args, x.args)
		maps.Copy(y.blocks, x.blocks)
		maps.Copy(y.clashes, x.clashes)
	}
	for name, a := range own.Body.Attributes {
		y.args[name] = said{a, by}
		delete(y.clashes, name)
	}
	for _, b := range own.Body.Blocks {
		y.blocks[b.Type] = saidBlocks{blocksOf(own, b.Type), by}
	}
	return y
}

// body is a block's body with all of x in it. What is missing in it is reported at x.place.
func (x *mix) body() *hclsyntax.Body {
	body := &hclsyntax.Body{Attributes: hclsyntax.Attributes{}, SrcRange: x.place, EndRange: x.place}
	for name, s := range x.args {
		body.Attributes[name] = s.attr
	}
	for _, kind := range sortedKeys(x.blocks) {
		body.Blocks = append(body.Blocks, x.blocks[kind].blocks...)
	}
	return body
}
