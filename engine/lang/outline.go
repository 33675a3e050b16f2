package lang

import (
	"path/filepath"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/dsplay/dsplay/engine/graph"
)

// Graph gives the parts of the playbook and what they need of each other, as it is written: what a local names is a
// need of the local, not of those who use it. Attributes of hosts are no needs. Arguments of blocks that are no
// entries (sudo, retry, a module's own) count for the entry around them.
func (p *Program) Graph() graph.Graph {
	g := graph.Graph{Title: filepath.Base(p.playbook.Path)}
	file := p.playbook.Files[0]
	f, diags := hclsyntax.ParseConfig(file.Data, file.Path, hcl.InitialPos) // anew: loading has changed the other tree
	if diags.HasErrors() {
		return g // it cannot be: the same text was loaded
	}
	o := &outline{g: &g, ids: map[string]bool{}}
	for _, b := range f.Body.(*hclsyntax.Body).Blocks {
		o.item(b)
	}
	return g
}

// outline collects the nodes of a playbook.
type outline struct {
	g    *graph.Graph
	ids  map[string]bool
	vars *graph.Node
}

func (o *outline) item(b *hclsyntax.Block) {
	switch b.Type {
	case "variable":
		if o.vars == nil {
			o.vars = o.node("variables", "variables", "")
			o.g.Nodes = append(o.g.Nodes, o.vars)
		}
		o.vars.Children = append(o.vars.Children, o.node("var."+b.Labels[0], "variable", b.Labels[0]))
	case "locals":
		locals := o.node("locals", "locals", "")
		for _, a := range inOrder(b.Body.Attributes) {
			n := o.node("local."+a.Name, "local", a.Name)
			n.Needs = needs(nil, "", a.Expr, nil)
			locals.Children = append(locals.Children, n)
		}
		o.g.Nodes = append(o.g.Nodes, locals)
	case "check":
		n := o.node("check."+b.Labels[0], "check", b.Labels[0])
		n.Needs = o.needsOf(b.Body, nil)
		o.g.Nodes = append(o.g.Nodes, n)
	case "play":
		n := o.node("play."+b.Labels[0], "play", b.Labels[0])
		names := map[string]string{}
		o.declare(b.Body, n.ID, names)
		n.Needs, n.Children = o.needsOf(b.Body, names), o.entries(b.Body, n.ID, names)
		o.g.Nodes = append(o.g.Nodes, n)
	}
}

// node makes a node whose ID nobody has yet.
func (o *outline) node(id, kind, name string) *graph.Node {
	for o.ids[id] {
		id += "+"
	}
	o.ids[id] = true
	return &graph.Node{ID: id, Kind: kind, Name: name}
}

// inner are the blocks that are drawn; all others belong to what is around them.
var inner = []string{"probe", "step", "recover", "goal", "attempt", "check", "block", "rescue", "finally", "include"}

// declare notes which node a name like probe.NAME means in a play. Names count in the whole play.
func (o *outline) declare(body *hclsyntax.Body, around string, names map[string]string) {
	for _, b := range body.Blocks {
		if !slices.Contains(inner, b.Type) {
			continue
		}
		id := idOf(around, b)
		if len(b.Labels) == 2 {
			names[b.Type+"."+b.Labels[1]] = id
		}
		o.declare(b.Body, id, names)
	}
}

func idOf(around string, b *hclsyntax.Block) string {
	id := around + "/" + b.Type
	if len(b.Labels) > 0 {
		id += "." + b.Labels[len(b.Labels)-1]
	}
	return id
}

func (o *outline) entries(body *hclsyntax.Body, around string, names map[string]string) []*graph.Node {
	var out []*graph.Node
	for _, b := range body.Blocks {
		if !slices.Contains(inner, b.Type) {
			continue
		}
		n := o.node(idOf(around, b), b.Type, "")
		if len(b.Labels) > 0 {
			n.Name = b.Labels[len(b.Labels)-1]
		}
		if len(b.Labels) == 2 {
			n.Note = b.Labels[0]
		}
		n.Needs, n.Children = o.needsOf(b.Body, names), o.entries(b.Body, n.ID, names)
		out = append(out, n)
	}
	return out
}

// needsOf collects the needs of a body without those of the blocks in it that are drawn themselves.
func (o *outline) needsOf(body *hclsyntax.Body, names map[string]string) []graph.Need {
	var out []graph.Need
	for _, a := range inOrder(body.Attributes) {
		out = needs(out, a.Name, a.Expr, names)
	}
	for _, b := range body.Blocks {
		if slices.Contains(inner, b.Type) {
			continue
		}
		for _, n := range o.needsOf(b.Body, names) {
			by := make([]string, len(n.By))
			for i, arg := range n.By {
				by[i] = b.Type + "." + arg
			}
			out = add(out, graph.Need{Name: n.Name, To: n.To, By: by})
		}
	}
	return out
}

// needs adds what an expression names; by is the argument that it belongs to, or "".
func needs(out []graph.Need, by string, e hclsyntax.Expression, names map[string]string) []graph.Need {
	for _, t := range e.Variables() {
		n, ok := needOf(t, names)
		if !ok {
			continue
		}
		if by != "" {
			n.By = []string{by}
		}
		out = add(out, n)
	}
	return out
}

// needOf tells what a reference needs; false: nothing that somebody has to give, or only the host itself.
func needOf(t hcl.Traversal, names map[string]string) (graph.Need, bool) {
	root := t.RootName()
	name, _, named := second(t)
	full := root
	if named {
		full += "." + name
	}
	switch root {
	case "var", "local":
		return graph.Need{Name: full, To: full}, named
	case "group", "host":
		return graph.Need{Name: full}, true
	case "play":
		if len(t) > 2 {
			if part, ok := t[2].(hcl.TraverseAttr); ok {
				return graph.Need{Name: full + "." + part.Name, To: full}, true
			}
		}
		return graph.Need{Name: full, To: full}, named
	case "probe", "step", "include":
		return graph.Need{Name: full, To: names[full]}, named && names[full] != ""
	}
	return graph.Need{}, false
}

// add keeps needs sorted by name, each once.
func add(list []graph.Need, n graph.Need) []graph.Need {
	i, found := slices.BinarySearchFunc(list, n, func(a, b graph.Need) int { return strings.Compare(a.Name, b.Name) })
	if !found {
		return slices.Insert(list, i, n)
	}
	for _, by := range n.By {
		if at, ok := slices.BinarySearch(list[i].By, by); !ok {
			list[i].By = slices.Insert(list[i].By, at, by)
		}
	}
	return list
}
