package lang

import (
	"path/filepath"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/dsplay/dsplay/engine"
	"github.com/dsplay/dsplay/engine/graph"
)

// Graph gives the parts of the playbook and what they need of each other, as it is written: what a local names is a
// need of the local, not of those who use it. Attributes of hosts are no needs. Arguments of blocks that are no
// entries (sudo, retry, a module's own) count for the entry around them. An include holds what is in its file, once for
// each use: values come in through its inputs and go out through its outputs.
func (p *Program) Graph() graph.Graph {
	g := graph.Graph{Title: filepath.Base(p.playbook.Path)}
	o := &outline{g: &g, files: p.playbook.Files, ids: map[string]bool{}}
	for _, b := range o.parse(p.playbook.Files[0].Path).Blocks {
		o.item(b)
	}
	return g
}

// parse reads a file anew, because loading has changed the other tree. It was loaded, so there is one without mistakes.
func (o *outline) parse(path string) *hclsyntax.Body {
	i := slices.IndexFunc(o.files, func(f engine.File) bool { return f.Path == path })
	if i < 0 {
		return &hclsyntax.Body{}
	}
	f, diags := hclsyntax.ParseConfig(o.files[i].Data, path, hcl.InitialPos)
	if diags.HasErrors() {
		return &hclsyntax.Body{}
	}
	return f.Body.(*hclsyntax.Body)
}

// part is the file of an include.
func (o *outline) part(b *hclsyntax.Block) *hclsyntax.Body {
	return o.parse(filepath.Join(filepath.Dir(b.DefRange().Filename), b.Labels[0]))
}

// outline collects the nodes of a playbook.
type outline struct {
	g     *graph.Graph
	files []engine.File
	ids   map[string]bool
	vars  *graph.Node
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
		if len(b.Labels) == 2 || b.Type == "block" {
			names[b.Type+"."+b.Labels[len(b.Labels)-1]] = id
		}
		if b.Type != "include" {
			o.declare(b.Body, id, names)
			continue
		}
		for _, out := range o.part(b).Blocks {
			if out.Type == "output" {
				names["include."+b.Labels[1]+"."+out.Labels[0]] = idOf(id, out)
			}
		}
	}
}

// included gives what is in an include: its inputs, with the needs of what they are given, its entries and its outputs.
func (o *outline) included(include *hclsyntax.Block, id string, outside map[string]string) []*graph.Node {
	body, names := o.part(include), map[string]string{}
	var inputs, outputs []*graph.Node
	o.declare(body, id, names)
	for _, b := range body.Blocks {
		if b.Type == "input" {
			n := o.node(idOf(id, b), "input", b.Labels[0])
			names["input."+n.Name] = n.ID
			if given := include.Body.Attributes[n.Name]; given != nil {
				n.Needs = needs(nil, "", given.Expr, outside)
			}
			inputs = append(inputs, n)
		}
	}
	for _, b := range body.Blocks {
		if value := b.Body.Attributes["value"]; b.Type == "output" && value != nil {
			n := o.node(idOf(id, b), "output", b.Labels[0])
			n.Needs = needs(nil, "", value.Expr, names)
			outputs = append(outputs, n)
		}
	}
	return slices.Concat(inputs, o.entries(body, id, names), outputs)
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
		if b.Type == "include" {
			n.Needs, n.Children = o.needsOf(only(b.Body, includeAttrs...), names), o.included(b, n.ID, names)
		} else {
			n.Needs, n.Children = o.needsOf(b.Body, names), o.entries(b.Body, n.ID, names)
		}
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
	case "include":
		if len(t) > 2 {
			if out, ok := t[2].(hcl.TraverseAttr); ok && names[full+"."+out.Name] != "" {
				full += "." + out.Name
			}
		}
		return graph.Need{Name: full, To: names[full]}, named && names[full] != ""
	case "probe", "step", "block", "input":
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
